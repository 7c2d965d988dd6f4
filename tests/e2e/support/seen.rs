//! What an origin received.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::pattern;

/// How much of a body is kept.
const KEPT: usize = 2 * 1024 * 1024;

/// The `user-agent` of the proxy's probes.
pub const PROBE_AGENT: &str = concat!("function-fetch/", env!("CARGO_PKG_VERSION"));

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub target: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Whether it is the proxy's own request, a probe.
    pub probe: bool,
    /// Whether its connection was closed, or the request cancelled, before it was answered.
    pub abandoned: bool,
    /// What arrived of its body.
    pub body: SeenBody,
}

/// What arrived of a body.
#[derive(Clone, Debug, Default)]
pub struct SeenBody {
    /// Bytes so far.
    pub length: u64,
    /// The first two MiB of them.
    pub start: Vec<u8>,
    /// Whether it differs from the pattern anywhere.
    pub foreign: bool,
    /// Its trailers.
    pub trailers: Option<HeaderMap>,
    /// Whether it ended as it should.
    pub complete: bool,
}

impl Seen {
    /// The only value of a header. Panics when there are more.
    pub fn header(&self, name: &str) -> Option<&str> {
        only_header(&self.headers, name)
    }
}

/// The list that an origin writes and a test reads.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Vec<Seen>>>);

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything so far.
    pub fn all(&self) -> Vec<Seen> {
        self.lock().clone()
    }

    /// Notes a request and returns it.
    pub fn note(&self, head: &http::request::Parts) -> Entry {
        let mut list = self.lock();
        list.push(Seen {
            method: head.method.clone(),
            target: head.uri.to_string(),
            headers: head.headers.clone(),
            probe: is_probe(head.headers.get("user-agent").map(|v| v.as_bytes())),
            abandoned: false,
            body: SeenBody::default(),
        });
        Entry {
            ledger: self.clone(),
            index: list.len() - 1,
        }
    }
}

/// Whether a request with this `user-agent` is a probe.
pub fn is_probe(agent: Option<&[u8]>) -> bool {
    agent == Some(PROBE_AGENT.as_bytes())
}

/// The record of one request.
pub struct Entry {
    ledger: Ledger,
    index: usize,
}

impl Entry {
    /// What is recorded of the request so far.
    pub fn get(&self) -> Seen {
        self.ledger.lock()[self.index].clone()
    }

    /// Records the request as abandoned, unless it is marked as answered before its end.
    pub fn waits(&self) -> Waits {
        Waits(Some((self.ledger.clone(), self.index)))
    }

    fn update(&self, change: impl FnOnce(&mut SeenBody)) {
        change(&mut self.ledger.lock()[self.index].body);
    }

    /// Reads one chunk of the body. None at its end, or when it breaks.
    pub async fn piece(&self, body: &mut Incoming) -> Option<Bytes> {
        match body.frame().await {
            None => {
                self.update(|seen| seen.complete = true);
                None
            }
            Some(Err(_)) => None,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    self.update(|seen| {
                        seen.foreign |= !pattern::matches(seen.length, &data);
                        seen.length += data.len() as u64;
                        let room = KEPT - seen.start.len();
                        seen.start.extend_from_slice(&data[..data.len().min(room)]);
                    });
                    Some(data)
                }
                Err(frame) => {
                    let trailers = frame.into_trailers().ok();
                    self.update(|seen| seen.trailers = trailers);
                    Some(Bytes::new())
                }
            },
        }
    }

    /// Reads the body to its end.
    pub async fn drain(&self, body: &mut Incoming) {
        while self.piece(body).await.is_some() {}
    }
}

/// A request without a response yet.
pub struct Waits(Option<(Ledger, usize)>);

impl Waits {
    /// There is one.
    pub fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        if let Some((ledger, index)) = self.0.take() {
            ledger.lock()[index].abandoned = true;
        }
    }
}

/// The only value of a header, or nothing. Panics when there are several.
pub fn only_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    assert!(values.next().is_none(), "several {name}: {headers:?}");
    Some(first.to_str().expect("a header in ASCII"))
}
