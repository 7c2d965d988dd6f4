//! Clients that behave: they send one request after the other, and judge each response.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::ledger::Ledger;
use crate::support::pattern;
use crate::support::reply::{AnyBody, empty};
use crate::target::{NUMBER, TAKEN};
use crate::verdict::Verdicts;

/// No request may take longer: the proxy's own deadline, and then some.
const LONGEST: Duration = Duration::from_secs(20);

/// One kind of request.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    method: Verb,
    /// Bytes of its body, and whether its length is announced.
    upload: u64,
    sized: bool,
    /// Bytes that it asks for.
    download: usize,
    connection: Connecting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get,
    Post,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Connecting {
    /// One connection for all requests.
    Keep,
    /// A new one for each.
    Short,
    /// HTTP/2, with several at once.
    Http2,
}

const fn kind(
    name: &'static str,
    method: Verb,
    upload: u64,
    sized: bool,
    download: usize,
    connection: Connecting,
) -> Kind {
    Kind {
        name,
        method,
        upload,
        sized,
        download,
        connection,
    }
}

/// What the good clients send whose latency is measured.
pub const MEASURED: Kind = kind("GET", Verb::Get, 0, true, 1_000, Connecting::Keep);

/// The mix at saturation, and how many clients send each.
pub const MIX: [(Kind, usize); 8] = [
    (MEASURED, 8),
    (
        kind(
            "GET on a new connection",
            Verb::Get,
            0,
            true,
            1_000,
            Connecting::Short,
        ),
        4,
    ),
    (
        kind(
            "GET of 256 KiB",
            Verb::Get,
            0,
            true,
            262_144,
            Connecting::Keep,
        ),
        4,
    ),
    (
        kind(
            "POST of 1 KiB",
            Verb::Post,
            1_024,
            true,
            100,
            Connecting::Keep,
        ),
        4,
    ),
    (
        kind(
            "POST of 1 MiB",
            Verb::Post,
            1_048_576,
            true,
            100,
            Connecting::Keep,
        ),
        2,
    ),
    (
        kind(
            "POST of 1 MiB, chunked",
            Verb::Post,
            1_048_576,
            false,
            100,
            Connecting::Keep,
        ),
        2,
    ),
    (
        kind(
            "GET over HTTP/2",
            Verb::Get,
            0,
            true,
            10_000,
            Connecting::Http2,
        ),
        8,
    ),
    (
        kind(
            "POST over HTTP/2",
            Verb::Post,
            100_000,
            true,
            10_000,
            Connecting::Http2,
        ),
        4,
    ),
];

/// What all clients of a run have in common.
pub struct Clients {
    pub to: SocketAddr,
    pub http2: bool,
    pub ledger: Arc<Ledger>,
    pub verdicts: Arc<Verdicts>,
    next: AtomicU64,
    stopping: AtomicBool,
    measuring: AtomicBool,
    in_flight: AtomicU64,
}

impl Clients {
    pub fn new(to: SocketAddr, http2: bool, ledger: Arc<Ledger>, verdicts: Arc<Verdicts>) -> Self {
        Self {
            to,
            http2,
            ledger,
            verdicts,
            next: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
            measuring: AtomicBool::new(false),
            in_flight: AtomicU64::new(0),
        }
    }

    /// From now on the latencies of `MEASURED` are noted, or not.
    pub fn measure(&self, on: bool) {
        self.measuring.store(on, Relaxed);
    }

    /// No client starts another request.
    pub fn stop(&self) {
        self.stopping.store(true, Relaxed);
    }

    pub fn go_on(&self) {
        self.stopping.store(false, Relaxed);
    }

    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }
}

/// Starts so many clients of a kind. They end after [`Clients::stop`].
pub fn start(clients: &Arc<Clients>, kind: Kind, count: usize, all: &mut JoinSet<()>) {
    if kind.connection == Connecting::Http2 && !clients.http2 {
        return;
    }
    for _ in 0..count {
        let clients = clients.clone();
        all.spawn(async move { client(&clients, kind).await });
    }
}

enum Sender {
    One(http1::SendRequest<AnyBody>),
    Two(http2::SendRequest<AnyBody>),
}

impl Sender {
    async fn open(to: SocketAddr, kind: Kind) -> Option<Self> {
        let stream = TcpStream::connect(to).await.ok()?;
        let _ = stream.set_nodelay(true);
        let io = TokioIo::new(stream);
        Some(if kind.connection == Connecting::Http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.ok()?;
            tokio::spawn(connection);
            Self::Two(sender)
        } else {
            let (sender, connection) = http1::handshake(io).await.ok()?;
            tokio::spawn(connection);
            Self::One(sender)
        })
    }

    /// Whether another request may go this way.
    async fn is_ready(&mut self) -> bool {
        match self {
            Self::One(sender) => sender.ready().await.is_ok(),
            Self::Two(sender) => sender.ready().await.is_ok(),
        }
    }

    async fn send(
        &mut self,
        request: Request<AnyBody>,
    ) -> hyper::Result<hyper::Response<Incoming>> {
        match self {
            Self::One(sender) => sender.send_request(request).await,
            Self::Two(sender) => sender.send_request(request).await,
        }
    }
}

async fn client(clients: &Clients, kind: Kind) {
    let mut open = None;
    while !clients.stopping.load(Relaxed) {
        let mut sender = match open.take() {
            Some(sender) => sender,
            None => match Sender::open(clients.to, kind).await {
                Some(sender) => sender,
                None => {
                    let what = format!("{}: the proxy accepts no connection", kind.name);
                    clients.verdicts.violation(what);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        if !sender.is_ready().await {
            // It was closed between two requests, which is the proxy's right.
            continue;
        }
        clients.in_flight.fetch_add(1, Relaxed);
        let id = clients.next.fetch_add(1, Relaxed);
        let started = Instant::now();
        let exchange = tokio::time::timeout(LONGEST, exchange(&mut sender, clients, kind, id));
        let outcome = exchange.await.unwrap_or(Outcome::Late);
        judge(clients, kind, id, started, outcome);
        clients.in_flight.fetch_sub(1, Relaxed);
        if kind.connection != Connecting::Short {
            open = Some(sender);
        }
    }
}

/// What came of a request.
enum Outcome {
    /// A whole response.
    Whole(StatusCode, HeaderMap, u64, bool),
    /// It broke off after its head.
    Broken,
    /// There was no head.
    Nothing(String),
    Late,
}

async fn exchange(sender: &mut Sender, clients: &Clients, kind: Kind, id: u64) -> Outcome {
    let body = match kind.upload {
        0 => empty(),
        length => pattern::body(length, kind.sized),
    };
    let method = match kind.method {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
    };
    let path = format!("/bytes/{}", kind.download);
    let uri = match kind.connection {
        Connecting::Http2 => format!("http://{}{path}", clients.to),
        _ => path,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header(NUMBER, id);
    if kind.connection != Connecting::Http2 {
        request = request.header("host", "soak.example");
    }
    let request = request.body(body).expect("a well-formed request");
    let response = match sender.send(request).await {
        Ok(response) => response,
        Err(error) => return Outcome::Nothing(format!("{error:?}")),
    };
    let (head, mut body) = response.into_parts();
    let (mut length, mut foreign) = (0, false);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Outcome::Broken;
        };
        let data: Bytes = frame.into_data().unwrap_or_default();
        foreign |= !pattern::matches(length, &data);
        length += data.len() as u64;
    }
    Outcome::Whole(head.status, head.headers, length, foreign)
}

/// Holds the outcome against the promises.
fn judge(clients: &Clients, kind: Kind, id: u64, started: Instant, outcome: Outcome) {
    let Clients {
        ledger, verdicts, ..
    } = clients;
    let fate = ledger.take(id);
    let troubled = ledger.troubled_since(started);
    let wrong = |what: &str| {
        let (name, elapsed) = (kind.name, started.elapsed());
        verdicts.violation(format!("{name}, request {id}, after {elapsed:?}: {what}"));
    };
    if kind.method == Verb::Post && fate.arrivals > 1 {
        wrong(&format!("it arrived at targets {} times", fate.arrivals));
        return;
    }
    match outcome {
        Outcome::Whole(StatusCode::OK, headers, length, foreign) => {
            let value = |name: &str| {
                headers
                    .get(name)
                    .and_then(|value| value.to_str().ok()?.parse().ok())
            };
            if value(NUMBER) != Some(id) {
                wrong(&format!("the response is another request's: {headers:?}"));
            } else if value(TAKEN) != Some(kind.upload) {
                wrong(&format!(
                    "its body did not arrive as it was sent: {headers:?}"
                ));
            } else if length != kind.download as u64 || foreign {
                wrong(&format!(
                    "a response of {length} bytes looks whole, fate broken: {}",
                    fate.broken
                ));
            } else {
                if clients.measuring.load(Relaxed) && kind.name == MEASURED.name {
                    verdicts.latency(started);
                }
                verdicts.good(kind.name);
            }
        }
        Outcome::Broken if troubled => {
            verdicts.excused(kind.name, "a target broke its response off")
        }
        Outcome::Broken => wrong("the response broke off"),
        // A request that may not be sent again has the fate of its target.
        Outcome::Whole(status, ..)
            if troubled && kind.method == Verb::Post && status.is_server_error() =>
        {
            verdicts.excused(kind.name, status.as_str());
        }
        Outcome::Whole(status, headers, ..) => {
            wrong(&format!(
                "{status} with a healthy target there: {headers:?}"
            ));
        }
        Outcome::Nothing(error) => wrong(&format!("no response: {error}")),
        Outcome::Late => wrong("no response in time"),
    }
}
