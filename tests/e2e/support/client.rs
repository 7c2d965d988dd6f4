//! An HTTP client with one new connection per request and nothing hidden: no pool, no redirects, no retries.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::reply::{AnyBody, empty, full};

/// A whole response.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Its trailers.
    pub trailers: Option<HeaderMap>,
    /// From the connect to the head.
    pub elapsed: Duration,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// The only value of a header, or nothing. Panics when there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        super::seen::only_header(&self.headers, name)
    }

    /// Asserts a 200 from the origin of this name.
    #[track_caller]
    pub fn is_from(&self, origin: &str) {
        assert_eq!(
            (self.status.as_u16(), self.text()),
            (200, origin),
            "{:?}",
            self.headers
        );
    }
}

/// A response whose body is still arriving.
pub struct Exchange {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// From the connect to the head.
    pub elapsed: Duration,
    body: Incoming,
    connection: JoinHandle<()>,
}

impl Exchange {
    /// The next chunk of the body; None at its end; an error when it is broken.
    pub async fn piece(&mut self) -> Option<hyper::Result<Bytes>> {
        loop {
            match self.body.frame().await? {
                Err(error) => return Some(Err(error)),
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
            }
        }
    }

    /// The next chunk, which must arrive, as text.
    pub async fn text(&mut self) -> String {
        let piece = self.piece().await.expect("the body continues");
        String::from_utf8(piece.expect("the body is whole").into()).expect("text")
    }

    /// Disconnects: closes the connection in the middle of everything.
    pub async fn abandon(self) {
        self.connection.abort();
        let _ = self.connection.await;
    }

    /// Reads the rest.
    pub async fn finish(self) -> hyper::Result<Answer> {
        let collected = self.body.collect().await?;
        let trailers = collected.trailers().cloned();
        let mut body = BytesMut::new();
        body.extend_from_slice(&collected.to_bytes());
        Ok(Answer {
            status: self.status,
            headers: self.headers,
            body: body.freeze(),
            trailers,
            elapsed: self.elapsed,
        })
    }
}

/// A request without a body.
pub fn get(target: &str) -> Request<AnyBody> {
    request("GET", target, empty())
}

/// A POST of `body`.
pub fn post(target: &str, body: impl Into<Bytes>) -> Request<AnyBody> {
    request("POST", target, full(body))
}

/// Any request.
pub fn request(method: &str, target: &str, body: AnyBody) -> Request<AnyBody> {
    Request::builder()
        .method(method)
        .uri(target)
        .body(body)
        .expect("a test's request is well formed")
}

/// A request with one more header.
pub fn with(mut request: Request<AnyBody>, name: &'static str, value: &str) -> Request<AnyBody> {
    let value = HeaderValue::from_str(value).expect("a header value");
    request.headers_mut().append(name, value);
    request
}

/// Sends over HTTP/1.1 and returns the response as soon as its head has arrived.
pub async fn open(to: SocketAddr, mut request: Request<AnyBody>) -> hyper::Result<Exchange> {
    let started = Instant::now();
    let stream = TcpStream::connect(to).await.expect("the proxy accepts");
    let _ = stream.set_nodelay(true);
    if !request.headers().contains_key("host") {
        let host = HeaderValue::from_str(&to.to_string()).expect("an address");
        request.headers_mut().insert("host", host);
    }
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(async move {
        // The request's own future reports what matters.
        let _ = connection.await;
    });
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    Ok(Exchange {
        status: head.status,
        headers: head.headers,
        elapsed: started.elapsed(),
        body,
        connection,
    })
}

/// Sends over HTTP/1.1 and reads the whole response.
pub async fn try_send(to: SocketAddr, request: Request<AnyBody>) -> hyper::Result<Answer> {
    open(to, request).await?.finish().await
}

/// The same where nothing may fail.
pub async fn send(to: SocketAddr, request: Request<AnyBody>) -> Answer {
    try_send(to, request)
        .await
        .unwrap_or_else(|error| panic!("no whole response: {error:?}"))
}

/// Sends over HTTP/2 with prior knowledge and reads the whole response.
pub async fn send_h2c(to: SocketAddr, mut request: Request<AnyBody>) -> Answer {
    let started = Instant::now();
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = format!("http://{to}{}", request.uri())
        .parse()
        .expect("a URI");
    let stream = TcpStream::connect(to).await.expect("the proxy accepts");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("the proxy speaks h2c");
    let connection = tokio::spawn(async move {
        let _ = connection.await;
    });
    let response = sender.send_request(request).await.expect("a response");
    let (head, body) = response.into_parts();
    Exchange {
        status: head.status,
        headers: head.headers,
        elapsed: started.elapsed(),
        body,
        connection,
    }
    .finish()
    .await
    .expect("a whole response")
}
