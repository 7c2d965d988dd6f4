//! The responses of an origin.

use std::io;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Frame;

/// A body of any kind.
pub type AnyBody = BoxBody<Bytes, io::Error>;

/// A response.
pub type Reply = Response<AnyBody>;

/// A body of `bytes`, with a length.
pub fn full(bytes: impl Into<Bytes>) -> AnyBody {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed()
}

/// No body.
pub fn empty() -> AnyBody {
    Empty::new().map_err(|never| match never {}).boxed()
}

/// `status` with a text.
pub fn text(status: u16, text: impl Into<Bytes>) -> Reply {
    with(status, full(text))
}

/// `status` with `body`.
pub fn with(status: u16, body: AnyBody) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = StatusCode::from_u16(status).expect("a status");
    reply
}

/// The sending side of a body that a test writes chunk by chunk.
pub struct Writer(Sender<Bytes, io::Error>);

impl Writer {
    /// Sends a chunk. False when the reader has gone.
    pub async fn send(&mut self, piece: impl Into<Bytes>) -> bool {
        self.0.send(Frame::data(piece.into())).await.is_ok()
    }

    /// Ends the body with trailers.
    pub async fn trailers(mut self, trailers: HeaderMap) -> bool {
        self.0.send(Frame::trailers(trailers)).await.is_ok()
    }
}

/// A body that is written while it is read.
pub fn written() -> (Writer, AnyBody) {
    let (sender, body) = Channel::new(1);
    (Writer(sender), body.boxed())
}
