//! Targets that do what the script of the faults says.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::ledger::Ledger;
use crate::support::accepting::accept;
use crate::support::pattern;
use crate::support::port::Port;
use crate::support::reply::{AnyBody, full, text};
use crate::support::setup::HEALTH_PATH;

/// The number of a request, in requests and responses.
pub const NUMBER: &str = "x-soak-number";
/// How many bytes of a request's body arrived, and whether they were the right ones.
pub const TAKEN: &str = "x-soak-taken";

/// How a target behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Well,
    /// It refuses connections, and those that it had are closed.
    Dead,
    /// Slow to respond, to probes as well.
    Slow,
    /// Its probes are well, its requests get 503.
    Failing,
    /// Its probes are well, its requests no response.
    Hanging,
    /// Its probes are well, and so are the heads of its responses; their bodies break off.
    Breaking,
    /// It answers requests with what is not HTTP, and closes.
    Lying,
}

const SLOWNESS: Duration = Duration::from_millis(300);

struct Shared {
    mood: Mutex<Mood>,
    ledger: Arc<Ledger>,
}

impl Shared {
    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A target.
pub struct Target {
    port: Port,
    shared: Arc<Shared>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Target {
    /// One that is well.
    pub fn start(ledger: Arc<Ledger>) -> Self {
        let mut target = Self {
            port: Port::hold(),
            shared: Arc::new(Shared {
                mood: Mutex::new(Mood::Well),
                ledger,
            }),
            running: None,
        };
        target.listen();
        target
    }

    pub fn url(&self) -> String {
        self.port.url()
    }

    /// Behaves so from now on.
    pub async fn behave(&mut self, mood: Mood) {
        *self
            .shared
            .mood
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = mood;
        if mood == Mood::Dead {
            if let Some((stop, task)) = self.running.take() {
                let _ = stop.send(());
                let _ = task.await;
            }
        } else if self.running.is_none() {
            self.listen();
        }
    }

    fn listen(&mut self) {
        let (stop, stopped) = oneshot::channel();
        let shared = self.shared.clone();
        let serve = move |stream| serve(stream, shared.clone());
        let task = tokio::spawn(accept(self.port.listen(), stopped, serve));
        self.running = Some((stop, task));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { respond(request, &shared).await }
    });
    // How connections end is what this is about.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Ends the connection without a response.
#[derive(Debug)]
struct NoResponse;

impl std::fmt::Display for NoResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no response")
    }
}

impl std::error::Error for NoResponse {}

async fn respond(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<AnyBody>, NoResponse> {
    let mood = shared.mood();
    if request.uri().path() == HEALTH_PATH {
        if mood == Mood::Slow {
            tokio::time::sleep(SLOWNESS).await;
        }
        return Ok(text(200, "well"));
    }
    let number = request.headers().get(NUMBER).cloned();
    let id = number
        .as_ref()
        .and_then(|number| number.to_str().ok()?.parse::<u64>().ok());
    if let Some(id) = id
        && request.method() == Method::POST
    {
        shared.ledger.arrived(id);
    }
    let length = length_asked_for(request.uri().path());
    match mood {
        Mood::Hanging => std::future::pending::<()>().await,
        Mood::Lying => return Err(NoResponse),
        Mood::Slow => tokio::time::sleep(SLOWNESS).await,
        _ => {}
    }
    let taken = take(request.into_body()).await.ok_or(NoResponse)?;
    let mut response = match mood {
        Mood::Failing => text(503, "failing"),
        Mood::Breaking if length > 1 => {
            if let Some(id) = id {
                shared.ledger.breaks(id);
            }
            let begun = Frame::data(pattern::bytes(length / 2));
            let broken = io::Error::other("broken off");
            let body = StreamBody::new(stream::iter([Ok(begun), Err(broken)])).boxed();
            let mut response = Response::new(body);
            let announced = http::HeaderValue::from(length);
            response.headers_mut().insert("content-length", announced);
            response
        }
        _ => Response::new(full(pattern::bytes(length))),
    };
    if let Some(number) = number {
        response.headers_mut().insert(NUMBER, number);
    }
    let taken = http::HeaderValue::from(taken);
    response.headers_mut().insert(TAKEN, taken);
    Ok(response)
}

/// How many bytes a client wants: `/bytes/1000`.
fn length_asked_for(path: &str) -> usize {
    let length = path.strip_prefix("/bytes/");
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// Reads a body of the pattern to its end; nothing if it is not whole, or not that.
async fn take(mut body: Incoming) -> Option<u64> {
    let mut at = 0;
    while let Some(frame) = body.frame().await {
        let data: Bytes = frame.ok()?.into_data().unwrap_or_default();
        if !pattern::matches(at, &data) {
            return Some(u64::MAX);
        }
        at += data.len() as u64;
    }
    Some(at)
}
