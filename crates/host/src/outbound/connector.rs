//! From a URL to a connection: name, TCP, TLS.

use super::connection::{Idlers, Socket};
use crate::Error;
use crate::outbound_error::LookupFailed;
use crate::tls;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use hyper_util::rt::TokioIo;
use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

/// When the kernel probes a silent upstream: without a time-out from the guest, a machine that vanished would otherwise
/// be waited for forever.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// Connects for `http` (HTTP/1.1) and `https` (HTTP/1.1 or 2, as the upstream chooses).
#[derive(Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector<Resolver>>,
    idlers: Arc<Idlers>,
}

impl Connector {
    pub(super) fn new(ca_files: &[PathBuf], idlers: Arc<Idlers>) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        let inner = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client_config(ca_files)?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        Ok(Self { inner, idlers })
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Socket>;
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let idlers = self.idlers.clone();
        self.inner
            .call(uri)
            .map_ok(|stream| Socket::new(stream, idlers))
            .boxed()
    }
}

/// The operating system's resolver, whose errors can be distinguished from those of connecting.
#[derive(Clone)]
pub(super) struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = LookupFailed;
    type Future = BoxFuture<'static, Result<GaiAddrs, LookupFailed>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LookupFailed>> {
        self.0.poll_ready(cx).map_err(LookupFailed)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        self.0
            .call(name)
            .map(|result| result.map_err(LookupFailed))
            .boxed()
    }
}
