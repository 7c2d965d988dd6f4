//! A client of one connection, for single requests and for large bodies.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// For one request and its response, except for large bodies.
const REQUEST: Duration = Duration::from_secs(30);
/// For a large body.
const TRANSFER: Duration = Duration::from_secs(120);
/// One piece of a large body.
const CHUNK_BYTES: usize = 64 * 1024;

type Body = UnsyncBoxBody<Bytes, std::convert::Infallible>;

/// Why a request has no good response.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection.
    #[error("cannot connect to {0}")]
    Connect(SocketAddr, #[source] std::io::Error),
    /// It broke off.
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// A response that is no success.
    #[error("the response is {0}")]
    Status(StatusCode),
    /// It takes too long.
    #[error("no whole response within {0:?}")]
    Slow(Duration),
    /// Not all of a body arrived.
    #[error("{arrived} of {sent} bytes arrived")]
    Short {
        /// As the one who has them says.
        arrived: u64,
        /// As they should be.
        sent: u64,
    },
}

/// One kept connection.
pub struct Client {
    address: SocketAddr,
    sender: SendRequest<Body>,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address)
            .await
            .and_then(|stream| {
                stream.set_nodelay(true)?;
                Ok(stream)
            })
            .map_err(|error| Error::Connect(address, error))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self {
            address,
            sender,
            connection: tokio::spawn(connection),
        })
    }

    /// A GET, and how long it took to the end of its response, which must be a success.
    pub async fn get(&mut self, path: &str) -> Result<Duration, Error> {
        let started = Instant::now();
        let body = Empty::new().boxed_unsync();
        let response = self.send("GET", path, body, 0);
        let drained = async { drain(response.await?).await };
        bounded(REQUEST, drained).await?;
        Ok(started.elapsed())
    }

    /// Reads a body of so many bytes, and returns how long that took.
    pub async fn download(&mut self, path: &str, bytes: u64) -> Result<Duration, Error> {
        let started = Instant::now();
        let response = self.send("GET", path, Empty::new().boxed_unsync(), 0);
        let arrived = bounded(TRANSFER, async { drain(response.await?).await }).await?;
        whole(arrived, bytes)?;
        Ok(started.elapsed())
    }

    /// Sends a body of so many bytes to a target that answers with their number, and returns how long that took.
    pub async fn upload(&mut self, path: &str, bytes: u64) -> Result<Duration, Error> {
        let started = Instant::now();
        let response = self.send("POST", path, zeros(bytes), bytes);
        let answer = bounded(TRANSFER, async {
            Ok(response.await?.collect().await?.to_bytes())
        })
        .await?;
        let arrived = std::str::from_utf8(&answer)
            .ok()
            .and_then(|n| n.parse().ok());
        whole(arrived.unwrap_or(0), bytes)?;
        Ok(started.elapsed())
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: Body,
        length: u64,
    ) -> Result<Incoming, Error> {
        let mut request = Request::new(body);
        // They are this program's own constants.
        *request.method_mut() = method.parse().expect("a method");
        *request.uri_mut() = path.parse().expect("a path");
        let headers = request.headers_mut();
        let host = self.address.to_string().parse().expect("an authority");
        headers.insert(http::header::HOST, host);
        if length > 0 {
            headers.insert(http::header::CONTENT_LENGTH, length.into());
        }
        // It is not at once when the last response has ended.
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        if !response.status().is_success() {
            return Err(Error::Status(response.status()));
        }
        Ok(response.into_body())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Whether a server answers a GET with 200 now.
pub async fn answers(address: SocketAddr) -> bool {
    match Client::connect(address).await {
        Ok(mut client) => client.get("/").await.is_ok(),
        Err(_) => false,
    }
}

/// A body of so many bytes.
pub fn zeros(bytes: u64) -> UnsyncBoxBody<Bytes, std::convert::Infallible> {
    static CHUNK: [u8; CHUNK_BYTES] = [0; CHUNK_BYTES];
    let frames = stream::unfold(bytes, |left| async move {
        let next = left.min(CHUNK_BYTES as u64);
        let chunk = Bytes::from_static(&CHUNK[..next as usize]);
        (next > 0).then(|| (Ok(Frame::data(chunk)), left - next))
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Reads a body to its end, and returns its length.
pub async fn drain(mut body: Incoming) -> Result<u64, Error> {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame?.data_ref().map_or(0, Bytes::len) as u64;
    }
    Ok(bytes)
}

async fn bounded<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or(Err(Error::Slow(limit)))
}

fn whole(arrived: u64, sent: u64) -> Result<(), Error> {
    if arrived == sent {
        Ok(())
    } else {
        Err(Error::Short { arrived, sent })
    }
}
