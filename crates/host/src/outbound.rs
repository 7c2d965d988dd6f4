//! The way to the upstreams: one pooled client for all instances.
//!
//! A request that was on the wire is never sent again from here. A pooled connection that turns out to be closed before
//! the request was taken up is replaced by a new one, since then nothing was sent; what that one says (refused, say) is
//! what the guest hears.

use crate::hop_by_hop::remove_named_by_connection;
use crate::outbound_error::{self, LookupFailed};
use crate::runtime_config::OutboundHttpConfig;
use crate::{Error as SetUpError, tls};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::uri::Scheme;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tower_service::Service;
use tracing::debug;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// How long an unused connection is kept. Under the 60 and 75 s after which common servers close theirs, so that they
/// are seldom found closed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(55);

/// When the kernel asks a silent upstream whether it is still there: with no timeout from the guest, a machine that
/// vanished would otherwise be waited for forever.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// The client that requests of all instances go through. Clones share the pool.
#[derive(Clone)]
pub struct Outbound {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, RequestBody>,
    slots: Option<Arc<Semaphore>>,
}

impl Outbound {
    /// A client for `http` (HTTP/1.1) and `https` (HTTP/1.1 or 2, as the upstream chooses).
    ///
    /// Trusts Mozilla's certificate authorities and those in `ca_files` (PEM).
    pub fn new(config: &OutboundHttpConfig, ca_files: &[PathBuf]) -> Result<Self, SetUpError> {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client_config(ca_files)?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT);
        if !config.connection_pooling {
            builder.pool_max_idle_per_host(0);
        }
        Ok(Self {
            client: builder.build(connector),
            slots: config
                .max_concurrent_requests
                .map(|count| Arc::new(Semaphore::new(count))),
        })
    }

    /// Sends a request and returns the response once its head is in. Dropping the future, or the response's body before
    /// its end, gives up the exchange: an HTTP/1.1 connection is closed, an HTTP/2 stream reset.
    ///
    /// Timeouts count only where they are given: `connect_timeout` until a connection stands (name look-up, TLS and, with
    /// `max_concurrent_requests`, the wait for a turn included), `first_byte_timeout` from then, or from the last piece
    /// of the request's body that was taken, until the response head, `between_bytes_timeout` while a piece of the
    /// response's body is waited for.
    pub async fn send(
        &self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<http::Response<WasiBody>, Error> {
        let host = request
            .uri()
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default();
        let result = self.exchange(request, options).await;
        if let Err(error) = &result {
            debug!(host, %error, "no response");
        }
        result
    }

    async fn exchange(
        &self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<http::Response<WasiBody>, Error> {
        let mut connect_timeout = pin!(OptionalTimer::after(options.connect_timeout));
        let slot = match &self.slots {
            Some(slots) => tokio::select! {
                slot = slots.clone().acquire_owned() => slot.ok(),
                () = connect_timeout.as_mut() => return Err(Error::ConnectionLimitReached),
            },
            None => None,
        };

        let tls = request.uri().scheme() == Some(&Scheme::HTTPS);
        let sent = Arc::new(Mutex::new(Instant::now()));
        let mut request = request.map(|inner| RequestBody {
            inner,
            sent: sent.clone(),
        });
        let mut connection = capture_connection(&mut request);
        let mut response =
            pin!(self.client.request(request).map(|result| {
                result.map_err(|error| outbound_error::from_client(&error, tls))
            }));

        let early = tokio::select! {
            biased;
            result = response.as_mut() => Some(result?),
            () = async { drop(connection.wait_for_connection_metadata().await) } => None,
            () = connect_timeout => return Err(Error::ConnectionTimeout),
        };
        let response = match (early, options.first_byte_timeout) {
            (Some(response), _) => response,
            (None, None) => response.await?,
            (None, Some(timeout)) => {
                touch(&sent);
                loop {
                    let deadline =
                        *sent.lock().expect("only an assignment happens inside") + timeout;
                    tokio::select! {
                        biased;
                        result = response.as_mut() => break result?,
                        () = tokio::time::sleep_until(deadline) => {}
                    }
                    if deadline
                        == *sent.lock().expect("only an assignment happens inside") + timeout
                    {
                        return Err(Error::ConnectionReadTimeout);
                    }
                }
            }
        };
        let (mut head, inner) = response.into_parts();
        remove_named_by_connection(&mut head.headers);
        let body = OutboundBody {
            inner,
            patience: options.between_bytes_timeout.map(Patience::new),
            _slot: slot,
        };
        Ok(http::Response::from_parts(head, body.boxed_unsync()))
    }
}

fn touch(instant: &Mutex<Instant>) {
    *instant.lock().expect("only an assignment happens inside") = Instant::now();
}

/// Never, or once after a while.
enum OptionalTimer {
    Never,
    After(Pin<Box<Sleep>>),
}

impl OptionalTimer {
    fn after(duration: Option<Duration>) -> Self {
        duration.map_or(Self::Never, |duration| {
            Self::After(Box::pin(tokio::time::sleep(duration)))
        })
    }
}

impl Future for OptionalTimer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            Self::Never => Poll::Pending,
            Self::After(sleep) => sleep.as_mut().poll(cx),
        }
    }
}

/// The operating system's resolver, whose errors can be told from those of connecting.
#[derive(Clone)]
struct Resolver(GaiResolver);

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

/// The guest's request body, noting when it was last drawn on: an upload under way is no silence.
struct RequestBody {
    inner: WasiBody,
    sent: Arc<Mutex<Instant>>,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        touch(&self.sent);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// An upstream's response body.
struct OutboundBody {
    inner: Incoming,
    patience: Option<Patience>,
    _slot: Option<OwnedSemaphorePermit>,
}

/// How long a piece of a body may be waited for. The time in which nobody asks for one does not count.
struct Patience {
    duration: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
}

impl Patience {
    fn new(duration: Duration) -> Self {
        Self {
            duration,
            timer: Box::pin(tokio::time::sleep(duration)),
            waiting: false,
        }
    }

    fn poll_exhausted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.waiting {
            self.waiting = true;
            self.timer.as_mut().reset(Instant::now() + self.duration);
        }
        self.timer.as_mut().poll(cx)
    }
}

impl Body for OutboundBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                if let Some(patience) = &mut this.patience {
                    patience.waiting = false;
                }
                Poll::Ready(
                    frame.map(|frame| {
                        frame.map_err(|error| outbound_error::from_response_body(&error))
                    }),
                )
            }
            Poll::Pending => {
                if let Some(patience) = &mut this.patience {
                    ready!(patience.poll_exhausted(cx));
                    return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
                }
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
