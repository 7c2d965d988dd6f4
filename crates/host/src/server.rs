//! The server: a listener, its connections, and the way it ends.

use crate::component;
use crate::drain::{Drain, DrainGuard};
use crate::error::Error;
use crate::inbound::{self, Ends};
use crate::instance::Environment;
use crate::instances::{InstanceLimits, Instances};
use crate::key_value::Stores;
use crate::outbound::Outbound;
use crate::runtime_config::RuntimeConfig;
use crate::variables::Variables;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tracing::{debug, info, warn};

/// What a [`Server`] is made of.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address to listen on, as `host:port`; port 0 takes any free one.
    pub listen: String,
    /// File of the component.
    pub component: PathBuf,
    /// Environment variables of the component; it sees no others.
    pub environment: Vec<(String, String)>,
    /// Spin variables of the component.
    pub variables: Variables,
    /// Key-value stores and the outbound client.
    pub runtime: RuntimeConfig,
    /// PEM files of certificate authorities to trust beside Mozilla's.
    pub ca_files: Vec<PathBuf>,
    /// How instances are reused.
    pub instances: InstanceLimits,
    /// How long requests in flight and background work may go on once the server is told to end.
    pub drain_timeout: Duration,
}

/// A component, ready to answer requests on an address.
pub struct Server {
    listener: TcpListener,
    local: SocketAddr,
    instances: Arc<Instances>,
    drain: Drain,
    drain_timeout: Duration,
}

impl Server {
    /// Binds the address, then reads, compiles and links the component.
    ///
    /// Needs a tokio runtime with I/O and time. Clients that connect before [`Server::run`] wait.
    pub async fn bind(config: ServerConfig) -> Result<Self, Error> {
        let listener = TcpListener::bind(&config.listen)
            .await
            .map_err(|source| Error::Listen {
                address: config.listen.clone(),
                source,
            })?;
        let local = listener
            .local_addr()
            .map_err(|source| Error::LocalAddress {
                address: config.listen,
                source,
            })?;
        let environment = Environment {
            variables: config.environment,
            spin_variables: Arc::new(config.variables),
            stores: Arc::new(Stores::new(&config.runtime.key_value_stores)),
            outbound: Outbound::new(&config.runtime.outbound_http, &config.ca_files)?,
        };
        let drain = Drain::new();
        let loaded = component::load(&config.component)?;
        let instances = Instances::new(loaded, environment, &config.instances, drain.clone());
        Ok(Self {
            listener,
            local,
            instances: Arc::new(instances),
            drain,
            drain_timeout: config.drain_timeout,
        })
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
