//! Origins in this process, whose answers take as long as a part wants, for what a load generator cannot show.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::client::{drain, zeros};

/// What its probes request.
pub const HEALTH_PATH: &str = "/health";
/// A prefix: a GET below it has a body of so many bytes.
pub const BYTES_PATH: &str = "/bytes/";

/// A running origin. When it is dropped, its connections break off and its port refuses.
pub struct Origin {
    address: SocketAddr,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    delay_us: AtomicU64,
    hangs: AtomicBool,
    probes: AtomicU64,
}

impl Origin {
    /// Answers after `delay`, probes and requests alike.
    pub async fn start(delay: Duration) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("cannot start an origin")?;
        let state = Arc::new(State::default());
        state
            .delay_us
            .store(delay.as_micros() as u64, Ordering::Relaxed);
        Ok(Self {
            address: listener.local_addr()?,
            serving: tokio::spawn(serve(listener, Arc::clone(&state))),
            state,
        })
    }

    /// Accepts and never answers.
    pub async fn hanging() -> Result<Self> {
        let origin = Self::start(Duration::ZERO).await?;
        origin.hang();
        Ok(origin)
    }

    /// From now on it answers nothing, probes included.
    pub fn hang(&self) {
        self.state.hangs.store(true, Ordering::Relaxed);
    }

    /// From now on its answers take so long.
    pub fn delay(&self, delay: Duration) {
        self.state
            .delay_us
            .store(delay.as_micros() as u64, Ordering::Relaxed);
    }

    /// How many probes it has had.
    pub fn probes(&self) -> u64 {
        self.state.probes.load(Ordering::Relaxed)
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a target.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        // The listener and the connections are its own, and end with it.
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // Only without it an answer can be late.
        let _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(request, Arc::clone(&state)));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, Infallible> {
    let path = request.uri().path().to_owned();
    if path == HEALTH_PATH {
        state.probes.fetch_add(1, Ordering::Relaxed);
    }
    if state.hangs.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
    let delay = Duration::from_micros(state.delay_us.load(Ordering::Relaxed));
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if request.method() == Method::POST {
        let answer = match drain(request.into_body()).await {
            Ok(bytes) => text(bytes.to_string()),
            Err(_) => failure(),
        };
        return Ok(answer);
    }
    Ok(match path.strip_prefix(BYTES_PATH).map(str::parse) {
        Some(Ok(bytes)) => body_of(bytes),
        Some(Err(_)) => failure(),
        None => text("Hello, world!".to_owned()),
    })
}

fn body_of(bytes: u64) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let mut response = Response::new(zeros(bytes));
    response
        .headers_mut()
        .insert(http::header::CONTENT_LENGTH, bytes.into());
    response
}

fn text(text: String) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    Response::new(Full::new(Bytes::from(text)).boxed_unsync())
}

fn failure() -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let mut response = text(String::new());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    #[tokio::test]
    async fn bodies_arrive_whole_both_ways() {
        let origin = Origin::start(Duration::ZERO).await.expect("an origin");
        let mut client = Client::connect(origin.address()).await.expect("it accepts");
        let bytes = 1_000_001;
        client
            .download(&format!("{BYTES_PATH}{bytes}"), bytes)
            .await
            .expect("a body");
        client.upload("/", bytes).await.expect("a number");
        let short = client.download(&format!("{BYTES_PATH}5"), bytes).await;
        assert!(short.is_err(), "{short:?}");
    }

    #[tokio::test]
    async fn an_origin_that_is_dropped_refuses() {
        let origin = Origin::start(Duration::ZERO).await.expect("an origin");
        let address = origin.address();
        let mut client = Client::connect(address).await.expect("it accepts");
        client.get(HEALTH_PATH).await.expect("it answers");
        assert_eq!(origin.probes(), 1);
        drop(origin);
        // The task ends when the runtime next looks at it.
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(client.get("/").await.is_err());
        assert!(Client::connect(address).await.is_err());
    }
}
