//! Three demo origins: a fast one, a slow one and one that fails.

use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// `POST` here makes an origin answer 503 from then on.
const FAIL: &str = "/__demo/fail";
/// `POST` here makes it answer again.
const HEAL: &str = "/__demo/heal";

/// How long the fast origin takes.
const FAST: Duration = Duration::from_millis(5);
/// How long the slow one takes: enough for a person to notice.
const SLOW: Duration = Duration::from_millis(120);

/// The origins; they respond while the runtime they were started on is driven.
pub struct Demo {
    slow: SocketAddr,
    failing: SocketAddr,
    fast: SocketAddr,
}

impl Demo {
    /// Starts the three of them, on free ports of the loopback.
    pub async fn start() -> Result<Self> {
        Ok(Self {
            slow: Origin::start("slow", SLOW, false).await?,
            failing: Origin::start("failing", Duration::ZERO, true).await?,
            fast: Origin::start("fast", FAST, false).await?,
        })
    }

    /// The value of `FETCH_TARGETS`. The fast one is not first, so that finding it takes measuring.
    pub fn targets(&self) -> String {
        format!(
            "http://{} http://{} http://{}",
            self.slow, self.failing, self.fast
        )
    }

    /// What to try, for a user, with the proxy at `proxy`.
    pub fn guide(&self, proxy: &str) -> String {
        let Self {
            slow,
            failing,
            fast,
        } = self;
        let fail = format!("curl -X POST http://{fast}{FAIL}");
        let heal = format!("curl -X POST http://{fast}{HEAL}");
        let width = fail.len() + 2;
        let mut guide =
            String::from("\nFETCH_TARGETS is not set: the proxy uses these demo origins.\n\n");
        // Writing to a string does not fail.
        let _ = writeln!(
            guide,
            "  slow     http://{slow}   answers after {} ms",
            SLOW.as_millis()
        );
        let _ = writeln!(guide, "  failing  http://{failing}   answers 503 at once");
        let _ = writeln!(
            guide,
            "  fast     http://{fast}   answers after {} ms",
            FAST.as_millis()
        );
        let _ = writeln!(guide, "\nTry, in another terminal:\n");
        let get = format!("curl -i {proxy}/hello");
        for (command, outcome) in [
            (&get, "x-origin: fast, though it is last in the list"),
            (&fail, "the fast origin answers 503 from now on"),
            (&get, "x-origin: slow, and the client sees no error"),
            (&heal, "it is healthy again; a later probe detects it"),
        ] {
            let _ = writeln!(guide, "  {command:width$}{outcome}");
        }
        let _ = write!(guide, "\nCtrl-C ends.");
        guide
    }
}

/// One origin: its name, its delay, and whether it fails at present.
struct Origin {
    name: &'static str,
    delay: Duration,
    failing: AtomicBool,
}

impl Origin {
    async fn start(name: &'static str, delay: Duration, failing: bool) -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let origin = Arc::new(Self {
            name,
            delay,
            failing: AtomicBool::new(failing),
        });
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(Arc::clone(&origin).converse(stream))),
                    // For example out of file descriptors: that passes, and a busy loop would not help.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        Ok(address)
    }

    async fn converse(self: Arc<Self>, stream: TcpStream) {
        // Nagle's algorithm could add more than the fast origin's whole delay.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| {
            let origin = Arc::clone(&self);
            async move { Ok::<_, Infallible>(origin.answer(request).await) }
        });
        // A client that disconnects is not an error.
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<String> {
        let (head, mut body) = request.into_parts();
        // Read to the end, or the connection could not be reused.
        while let Some(Ok(_)) = body.frame().await {}

        let (status, text) = match (&head.method, head.uri.path()) {
            (&Method::POST, FAIL) => {
                self.failing.store(true, Ordering::Relaxed);
                (
                    StatusCode::OK,
                    format!("The {} origin answers 503 from now on", self.name),
                )
            }
            (&Method::POST, HEAL) => {
                self.failing.store(false, Ordering::Relaxed);
                (
                    StatusCode::OK,
                    format!("The {} origin is healthy", self.name),
                )
            }
            _ if self.failing.load(Ordering::Relaxed) => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("The {} origin fails", self.name),
            ),
            (method, path) => {
                tokio::time::sleep(self.delay).await;
                (
                    StatusCode::OK,
                    format!("Hello from the {} origin: {method} {path}", self.name),
                )
            }
        };
        let mut response = Response::new(text + "\n");
        *response.status_mut() = status;
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        response
            .headers_mut()
            .insert("x-origin", HeaderValue::from_static(self.name));
        response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Sends a request as bytes and returns the response as text.
    async fn exchange(address: SocketAddr, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(address)
            .await
            .expect("the origin listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi"
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("the origin reads");
        let mut response = String::new();
        stream
            .read_to_string(&mut response)
            .await
            .expect("the origin answers");
        response
    }

    #[tokio::test]
    async fn each_origin_says_who_it_is() {
        let demo = Demo::start().await.expect("three free ports");
        let fast = exchange(demo.fast, "GET", "/any/path").await;
        assert!(fast.starts_with("HTTP/1.1 200 OK\r\n"), "{fast}");
        assert!(fast.contains("\r\nx-origin: fast\r\n"), "{fast}");
        assert!(
            fast.ends_with("Hello from the fast origin: GET /any/path\n"),
            "{fast}"
        );

        let failing = exchange(demo.failing, "GET", "/").await;
        assert!(failing.starts_with("HTTP/1.1 503 "), "{failing}");
        assert!(failing.contains("\r\nx-origin: failing\r\n"), "{failing}");

        let start = Instant::now();
        let slow = exchange(demo.slow, "GET", "/").await;
        assert!(slow.contains("\r\nx-origin: slow\r\n"), "{slow}");
        assert!(start.elapsed() >= SLOW);
    }

    #[tokio::test]
    async fn an_origin_fails_and_heals_on_command() {
        let demo = Demo::start().await.expect("three free ports");
        assert!(
            exchange(demo.fast, "GET", FAIL)
                .await
                .starts_with("HTTP/1.1 200 "),
            "only POST is a command"
        );
        exchange(demo.fast, "POST", FAIL).await;
        assert!(
            exchange(demo.fast, "GET", "/")
                .await
                .starts_with("HTTP/1.1 503 ")
        );
        assert!(
            exchange(demo.slow, "GET", "/")
                .await
                .starts_with("HTTP/1.1 200 "),
            "the others are not affected"
        );
        exchange(demo.fast, "POST", HEAL).await;
        assert!(
            exchange(demo.fast, "GET", "/")
                .await
                .starts_with("HTTP/1.1 200 ")
        );
    }

    #[tokio::test]
    async fn the_fast_origin_is_not_first_in_the_list() {
        let demo = Demo::start().await.expect("three free ports");
        let targets = demo.targets();
        assert!(
            targets.ends_with(&format!(" http://{}", demo.fast)),
            "{targets}"
        );
        assert_eq!(targets.split(' ').count(), 3);
    }

    #[tokio::test]
    async fn the_guide_has_commands_to_copy() {
        let demo = Demo::start().await.expect("three free ports");
        let guide = demo.guide("http://127.0.0.1:3000");
        assert!(
            guide.contains("curl -i http://127.0.0.1:3000/hello "),
            "{guide}"
        );
        assert!(
            guide.contains(&format!("curl -X POST http://{}/__demo/fail ", demo.fast)),
            "{guide}"
        );
    }
}
