//! A client's side of one combination.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use http::Request;

use super::case::{Body, Case};
use crate::support::client;
use crate::support::pattern;
use crate::support::reply::{self, AnyBody};

/// For how long a client waits for the next piece of a body.
const PATIENCE: Duration = Duration::from_secs(6);
/// For how long it waits for a head: longer than any promise.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Whole,
    /// The connection says that it is not.
    Cut,
    /// Nothing more came.
    Hung,
}

pub struct Head {
    pub status: u16,
    /// Whether it is the proxy's own.
    pub is_local: bool,
    pub elapsed: Duration,
}

/// What the client got.
pub struct Outcome {
    pub head: Option<Head>,
    pub body: Vec<u8>,
    pub end: End,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(head) = &self.head else {
            return f.write_str("nothing");
        };
        let whose = if head.is_local { " of the proxy" } else { "" };
        write!(
            f,
            "{}{whose} after {:?}, {:?}, with {:?}",
            head.status,
            head.elapsed,
            self.end,
            String::from_utf8_lossy(&self.body[..self.body.len().min(100)])
        )
    }
}

pub async fn run(case: &Case, proxy: SocketAddr) -> Outcome {
    let mut outcome = Outcome {
        head: None,
        body: Vec::new(),
        end: End::Cut,
    };
    let opened = tokio::time::timeout(LONGEST, client::open(proxy, request(case))).await;
    let Ok(Ok(mut exchange)) = opened else {
        return outcome;
    };
    outcome.head = Some(Head {
        status: exchange.status.as_u16(),
        is_local: exchange.headers.contains_key("proxy-status"),
        elapsed: exchange.elapsed,
    });
    outcome.end = loop {
        match tokio::time::timeout(PATIENCE, exchange.piece()).await {
            Err(_) => break End::Hung,
            Ok(None) => break End::Whole,
            Ok(Some(Err(_))) => break End::Cut,
            Ok(Some(Ok(piece))) => outcome.body.extend_from_slice(&piece),
        }
    };
    exchange.abandon().await;
    outcome
}

fn request(case: &Case) -> Request<AnyBody> {
    let bytes = pattern::bytes(case.body.length());
    let body = if case.body == Body::None {
        reply::empty()
    } else if case.body.is_chunked() {
        let (mut writer, body) = reply::written();
        tokio::spawn(async move {
            for piece in bytes.chunks(16_384) {
                if !writer.send(piece.to_vec()).await {
                    break;
                }
            }
        });
        body
    } else {
        reply::full(bytes)
    };
    let request = client::request(case.method, &case.path(), body);
    if case.body.is_chunked() {
        // The client would send no body of an unknown length with a GET.
        client::with(request, "transfer-encoding", "chunked")
    } else {
        request
    }
}
