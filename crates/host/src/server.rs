//! The server: a listener, its connections, and its shutdown.

use crate::access::Accesses;
use crate::activity::{Activity, Expired};
use crate::builder::ServerBuilder;
use crate::client_limits::ClientLimits;
use crate::client_stream::ClientStream;
use crate::component::ComponentSource;
use crate::drain::{Drain, DrainGuard};
use crate::inbound::{self, Ends};
use crate::instances::Instances;
use crate::lanes::Lanes;
use crate::refusal;
use crate::response_body::{ResponseBody, Streams};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, info, warn};

/// A component, ready to answer requests on an address.
pub struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) local: SocketAddr,
    pub(crate) lanes: Lanes,
    pub(crate) drain: Drain,
    pub(crate) clients: Arc<ClientLimits>,
    pub(crate) drain_timeout: Duration,
    pub(crate) accesses: Option<Accesses>,
    /// A permit for each connection that may be open.
    pub(crate) connections: Arc<Semaphore>,
}

/// How many connections may be open.
pub(crate) fn places(limits: &ClientLimits) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most_connections(limits)))
}

fn most_connections(limits: &ClientLimits) -> usize {
    limits.max_connections.min(Semaphore::MAX_PERMITS)
}

/// What a server is busy with.
pub(crate) struct Load {
    threads: Vec<Arc<Instances>>,
    connections: Arc<Semaphore>,
    most_connections: usize,
}

impl Load {
    pub(crate) fn new(
        threads: Vec<Arc<Instances>>,
        connections: Arc<Semaphore>,
        limits: &ClientLimits,
    ) -> Self {
        Self {
            threads,
            connections,
            most_connections: most_connections(limits),
        }
    }

    pub(crate) fn connections(&self) -> usize {
        let free = self.connections.available_permits();
        self.most_connections.saturating_sub(free)
    }

    pub(crate) fn instances(&self) -> usize {
        self.threads.iter().map(|thread| thread.count()).sum()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.threads.iter().map(|thread| thread.in_flight()).sum()
    }

    pub(crate) fn waiting(&self) -> usize {
        // They share the queue.
        self.threads.first().map_or(0, |thread| thread.waiting())
    }
}

impl Server {
    /// Starts to configure a server of `component`. Everything has a default except that.
    pub fn builder(component: ComponentSource) -> ServerBuilder {
        ServerBuilder::new(component)
    }

    /// The address that was bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `shutdown` is ready, then finishes what is in flight, for no longer than the drain time-out: new
    /// connections are refused, idle ones closed, and instances may finish their background work.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self {
            listener,
            lanes,
            drain,
            clients,
            drain_timeout,
            accesses,
            connections,
            ..
        } = self;
        tokio::select! {
            () = accept(&listener, &lanes, clients, connections, accesses, &drain) => {}
            () = shutdown => {}
        }
        drop(listener);
        info!("finishing requests in flight");
        drain.start();
        if tokio::time::timeout(drain_timeout, drain.finished())
            .await
            .is_err()
        {
            warn!(after = ?drain_timeout, "aborted the requests in flight");
        }
    }
}

/// How long to pause after a connection could not be accepted, most likely because file descriptors ran out: retrying
/// at once would fail again.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Connections beyond the limit that get a 503, at the same time; more are closed without one.
const REFUSALS: usize = 256;

/// How long a client that got the 503 may take to close.
const REFUSAL: Duration = Duration::from_secs(1);

async fn accept(
    listener: &TcpListener,
    lanes: &Lanes,
    limits: Arc<ClientLimits>,
    connections: Arc<Semaphore>,
    accesses: Option<Accesses>,
    drain: &Drain,
) {
    let builder = builder(&limits);
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Ok(place) = connections.clone().try_acquire_owned() else {
                    debug!(%peer, "too many connections");
                    if let Ok(place) = refusals.clone().try_acquire_owned() {
                        tokio::spawn(refuse(stream, place));
                    }
                    continue;
                };
                lanes.take(Accepted {
                    builder: builder.clone(),
                    stream,
                    peer,
                    limits: limits.clone(),
                    accesses: accesses.clone(),
                    drain: drain.guard(),
                    place,
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

/// hyper, within the limits. Its own timer for request heads is off: it does not distinguish a late head from an idle
/// connection.
fn builder(limits: &ClientLimits) -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(Streams {
        write_timeout: limits.write_timeout,
    });
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(limits.max_header_bytes)
        .max_headers(limits.max_header_fields);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.max_concurrent_streams)
        .keep_alive_interval(limits.ping_interval)
        .keep_alive_timeout(limits.ping_interval);
    builder
}

/// Replies to a client that there are too many connections.
async fn refuse(mut stream: TcpStream, _place: OwnedSemaphorePermit) {
    let telling = async {
        stream.write_all(refusal::TOO_MANY_CONNECTIONS).await?;
        stream.shutdown().await?;
        // If it were closed with unread bytes, the connection would be reset and the reply lost.
        let mut thrown_away = [0; 1024];
        while stream.read(&mut thrown_away).await? > 0 {}
        std::io::Result::Ok(())
    };
    // A client that has disconnected needs no reply.
    let _ = tokio::time::timeout(REFUSAL, telling).await;
}

/// A client's connection that has a place among the others.
pub(crate) struct Accepted<S = TcpStream> {
    builder: auto::Builder<Streams>,
    stream: S,
    peer: SocketAddr,
    limits: Arc<ClientLimits>,
    accesses: Option<Accesses>,
    drain: DrainGuard,
    place: OwnedSemaphorePermit,
}

impl<S> Accepted<S> {
    /// The same connection as another kind of stream.
    pub(crate) fn try_map<T, E>(
        self,
        map: impl FnOnce(S) -> Result<T, E>,
    ) -> Result<Accepted<T>, E> {
        Ok(Accepted {
            builder: self.builder,
            stream: map(self.stream)?,
            peer: self.peer,
            limits: self.limits,
            accesses: self.accesses,
            drain: self.drain,
            place: self.place,
        })
    }
}

impl Accepted {
    /// Serves its requests until it ends.
    pub(crate) async fn serve(self, instances: Arc<Instances>) {
        let Self {
            builder,
            stream,
            peer,
            limits,
            accesses,
            mut drain,
            place: _place,
        } = self;
        // Both fail only on a closed connection, which serving it will show.
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().unwrap_or(peer);
        let ends = Ends::new(local, peer);
        let activity = Activity::new();
        let service = service_fn(|request| {
            let exchange = activity.begin();
            let (instances, limits) = (instances.clone(), limits.clone());
            let mut access = accesses
                .as_ref()
                .map(|accesses| Box::new(accesses.begin(&request, peer)));
            async move {
                let responding =
                    inbound::respond(&instances, &limits, request, ends, exchange.clone());
                let mut response = responding.await;
                if let Some(access) = &mut access {
                    access.answered(&mut response);
                }
                Ok::<_, Infallible>(response.map(|body| ResponseBody::new(body, exchange, access)))
            }
        });
        let stream = ClientStream::new(stream, activity.clone(), limits.clone());
        let mut connection =
            pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let mut parting = false;
        loop {
            tokio::select! {
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        debug!(%peer, %error, "connection ended early");
                    }
                    return;
                }
                () = drain.started(), if !parting => {}
                expired = activity.expired(&limits) => match expired {
                    // A request may be on its way: hyper serves it and closes then.
                    Expired::Idle if !parting => {}
                    _ => {
                        debug!(%peer, ?expired, "connection closed");
                        return;
                    }
                }
            }
            parting = true;
            activity.part();
            connection.as_mut().graceful_shutdown();
        }
    }
}
