//! A real HTTP server (1.1 and h2c) that behaves as a test scripts it, and can die and come
//! back.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::accepting::accept;
use super::port::Port;
use super::reply::{self, Reply};
use super::seen::{Entry, Ledger, Seen};

type Script = Arc<dyn Fn(Arrived) -> BoxFuture<'static, Reply> + Send + Sync>;

/// How an origin answers probes.
#[derive(Clone, Copy)]
pub enum Health {
    /// With this status, after this long.
    Answers(u16, Duration),
    /// With so many bytes, after this long.
    Fills(usize, Duration),
    /// Not at all.
    Hangs,
}

/// A request that a script handles.
pub struct Arrived {
    /// Its body.
    pub body: Incoming,
    /// Where it is recorded.
    pub entry: Entry,
}

impl Arrived {
    /// Reads the body to its end and returns what was seen.
    pub async fn drain(mut self) -> Seen {
        self.entry.drain(&mut self.body).await;
        self.entry.get()
    }
}

struct Shared {
    health: Mutex<Health>,
    script: Mutex<Script>,
    ledger: Ledger,
    connections: AtomicUsize,
    tls: Option<TlsAcceptor>,
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// The server.
pub struct Origin {
    port: Port,
    shared: Arc<Shared>,
    running: Option<Running>,
}

impl Origin {
    /// Starts one that is healthy at once and answers everything with 200 and `name`.
    pub fn start(name: &'static str) -> Self {
        Self::start_with(name, None)
    }

    /// The same behind TLS.
    pub fn start_tls(name: &'static str, tls: TlsAcceptor) -> Self {
        Self::start_with(name, Some(tls))
    }

    fn start_with(name: &'static str, tls: Option<TlsAcceptor>) -> Self {
        let shared = Shared {
            health: Mutex::new(Health::Answers(200, Duration::ZERO)),
            script: Mutex::new(drained(move || reply::text(200, name))),
            ledger: Ledger::default(),
            connections: AtomicUsize::new(0),
            tls,
        };
        let mut origin = Self {
            port: Port::hold(),
            shared: Arc::new(shared),
            running: None,
        };
        origin.revive();
        origin
    }

    /// Listens, again, on the same port.
    pub fn revive(&mut self) {
        let (stop, stopped) = oneshot::channel();
        let shared = self.shared.clone();
        let serve = move |stream| {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            connection(stream, shared.clone())
        };
        let task = tokio::spawn(accept(self.port.listen(), stopped, serve));
        self.running = Some(Running { stop, task });
    }

    /// Closes the listener and every connection. From here on the port refuses.
    pub async fn kill(&mut self) {
        let running = self.running.take().expect("it was alive");
        let _ = running.stop.send(());
        running.task.await.expect("the acceptor does not panic");
    }

    /// The same, and waits until proxies have seen their kept connections end: a request on one that ends at this moment
    /// fails, and that ejects nobody.
    pub async fn kill_at_rest(&mut self) {
        self.kill().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    /// Answers probes after `delay` from now on: that decides its rank.
    pub fn probed_in(self, delay: Duration) -> Self {
        self.set_health(Health::Answers(200, delay));
        self
    }

    /// Changes how probes are answered.
    pub fn set_health(&self, health: Health) {
        *self
            .shared
            .health
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = health;
    }

    /// Answers nothing from now on, probes included, though it still accepts.
    pub fn hang(&self) {
        self.set_health(Health::Hangs);
        self.set_script(Arc::new(|_| std::future::pending().boxed()));
    }

    /// Reads each request to its end, then answers with what `reply` makes.
    pub fn answer(self, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Self {
        self.set_script(drained(reply));
        self
    }

    /// Answers as `script` says.
    pub fn script<F, R>(self, script: F) -> Self
    where
        F: Fn(Arrived) -> R + Send + Sync + 'static,
        R: Future<Output = Reply> + Send + 'static,
    {
        self.set_script(Arc::new(move |arrived| script(arrived).boxed()));
        self
    }

    fn set_script(&self, script: Script) {
        *self
            .shared
            .script
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Itself as a target.
    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address())
    }

    /// The probes it saw.
    pub fn probes(&self) -> Vec<Seen> {
        self.seen(true)
    }

    /// The requests of clients for this path and query that it saw.
    pub fn asked_for(&self, target: &str) -> Vec<Seen> {
        let mut live = self.live();
        live.retain(|seen| seen.target == target);
        live
    }

    /// The requests of clients that it saw.
    pub fn live(&self) -> Vec<Seen> {
        self.seen(false)
    }

    /// The one request of a client that it saw.
    pub fn only(&self) -> Seen {
        let mut live = self.live();
        assert_eq!(live.len(), 1, "requests seen: {live:#?}");
        live.remove(0)
    }

    fn seen(&self, probes: bool) -> Vec<Seen> {
        let mut seen = self.shared.ledger.all();
        seen.retain(|seen| seen.probe == probes);
        seen
    }

    /// How many connections it accepted.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

fn drained(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Script {
    let reply = Arc::new(reply);
    Arc::new(move |arrived: Arrived| {
        let reply = reply.clone();
        async move {
            arrived.drain().await;
            reply()
        }
        .boxed()
    })
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // An event stream must not wait for Nagle's algorithm.
    let _ = stream.set_nodelay(true);
    match shared.tls.clone() {
        None => serve(stream, shared).await,
        Some(tls) => {
            // A failed handshake is the client's to report.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, shared).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, std::convert::Infallible>(respond(request, &shared).await) }
    });
    // Broken connections are what many tests are about: the recorded requests matter, not the
    // error.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(request: Request<Incoming>, shared: &Shared) -> Reply {
    let (head, body) = request.into_parts();
    let entry = shared.ledger.note(&head);
    let waits = entry.waits();
    let reply = reply(body, entry, shared).await;
    waits.answered();
    reply
}

async fn reply(body: Incoming, entry: Entry, shared: &Shared) -> Reply {
    if entry.get().probe {
        let health = *shared.health.lock().unwrap_or_else(PoisonError::into_inner);
        return match health {
            Health::Answers(status, delay) => {
                tokio::time::sleep(delay).await;
                reply::text(status, "health")
            }
            Health::Fills(length, delay) => {
                tokio::time::sleep(delay).await;
                reply::text(200, vec![b'x'; length])
            }
            Health::Hangs => std::future::pending().await,
        };
    }
    let script = shared
        .script
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    script(Arrived { body, entry }).await
}
