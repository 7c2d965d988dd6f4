//! The server: a listener, its connections, and the way it ends.

use crate::builder::ServerBuilder;
use crate::component::ComponentSource;
use crate::drain::{Drain, DrainGuard};
use crate::inbound::{self, Ends};
use crate::instances::Instances;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tracing::{debug, info, warn};

/// A component, ready to answer requests on an address.
pub struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) local: SocketAddr,
    pub(crate) instances: Arc<Instances>,
    pub(crate) drain: Drain,
    pub(crate) drain_timeout: Duration,
}

impl Server {
    /// Starts to describe a server of `component`. What is not said has a default.
    pub fn builder(component: ComponentSource) -> ServerBuilder {
        ServerBuilder::new(component)
    }

    /// The address that was bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `shutdown` is ready, then finishes what is in flight, for no longer than the drain timeout: new
    /// connections are refused, idle ones closed, and instances get to end what they do in the background.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self {
            listener,
            instances,
            drain,
            drain_timeout,
            ..
        } = self;
        tokio::select! {
            () = accept(&listener, &instances, &drain) => {}
            () = shutdown => {}
        }
        drop(listener);
        info!("finishing requests in flight");
        drain.start();
        if tokio::time::timeout(drain_timeout, drain.finished())
            .await
            .is_err()
        {
            warn!(after = ?drain_timeout, "gave up on requests in flight");
        }
    }
}

/// How long to hold off after a connection could not be accepted, most likely for lack of file descriptors: trying again
/// at once would fail at once.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

async fn accept(listener: &TcpListener, instances: &Arc<Instances>, drain: &Drain) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // A timer is what arms hyper's 30 s limit on how long a request head may take.
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(serve(
                    builder.clone(),
                    stream,
                    peer,
                    instances.clone(),
                    drain.guard(),
                ));
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

async fn serve(
    builder: auto::Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    instances: Arc<Instances>,
    mut drain: DrainGuard,
) {
    // Both fail only on a connection that is gone already, which serving it will tell.
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().unwrap_or(peer);
    let service = service_fn(|request| {
        let instances = instances.clone();
        async move {
            Ok::<_, Infallible>(inbound::respond(&instances, request, Ends { local, peer }).await)
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = drain.started() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        debug!(%peer, %error, "connection ended early");
    }
}
