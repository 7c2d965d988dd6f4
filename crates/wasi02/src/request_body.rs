//! The two ends of a request's body.

use crate::body::{Incoming, trailers};
use crate::fields::to_wasi;
use crate::stream::{self, End, HungUp};
use crate::wasi::http::types::{FutureTrailers, IncomingBody, OutgoingBody};
use crate::wasi::io::streams::OutputStream;
use function_fetch_component::upload::{BodySink, BodySource, Received, Trailers, Written};
use futures::future::{Either, select};
use std::future::Future;
use std::pin::pin;

/// Hosts buffer a few chunks before they have a connection. Chunks are small, so that keeping
/// these few costs little.
const CHUNK_BYTES: u64 = 16 * 1024;

/// What a host may buffer before it has a connection: wasmtime and Spin take two chunks.
pub const HOST_BUFFER_BYTES: usize = 128 * 1024;

/// The client's end: first the bytes, then the trailers.
pub struct Source {
    bytes: Option<Incoming>,
    trailers: Option<FutureTrailers>,
}

impl Source {
    /// None if the body was taken before, which does not happen here.
    pub fn new(body: IncomingBody) -> Option<Self> {
        Some(Self {
            bytes: Some(Incoming::new(body)?),
            trailers: None,
        })
    }
}

impl BodySource for Source {
    type Error = End;

    async fn read(&mut self, stop: &mut (impl Future<Output = ()> + Unpin)) -> Received {
        let next = match &self.bytes {
            Some(bytes) => match select(pin!(stream::read(&bytes.stream, CHUNK_BYTES)), stop).await
            {
                Either::Left((next, _)) => next,
                Either::Right(_) => Ok(Vec::new()),
            },
            None => Err(End::Complete),
        };
        let ended = next.is_err();
        if ended {
            let bytes = self.bytes.take();
            self.trailers = bytes
                .filter(|_| next == Err(End::Complete))
                .map(Incoming::into_trailers);
        }
        Received {
            bytes: next.unwrap_or_default(),
            ended,
        }
    }

    async fn trailers(
        &mut self,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> Option<Trailers<End>> {
        let Some(coming) = &self.trailers else {
            return Some(Err(End::Broken));
        };
        match select(pin!(trailers(coming)), stop).await {
            Either::Left((known, _)) => Some(known),
            Either::Right(_) => None,
        }
    }
}

/// The target's end.
pub struct Sink {
    // The order of the fields is the order in which they are dropped: a child before its parent.
    bytes: OutputStream,
    body: OutgoingBody,
}

impl Sink {
    pub fn new(body: OutgoingBody) -> Result<Self, ()> {
        let bytes = body.write()?;
        Ok(Self { bytes, body })
    }
}

impl BodySink<End> for Sink {
    async fn write(
        &mut self,
        mut bytes: Vec<u8>,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> Written {
        let room = match select(pin!(stream::room(&self.bytes)), stop).await {
            Either::Left((room, _)) => room.map(|room| room.min(CHUNK_BYTES) as usize),
            Either::Right(_) => Ok(0),
        };
        let taken = room.and_then(|room| {
            let count = room.min(bytes.len());
            if count > 0 {
                self.bytes.write(&bytes[..count]).map_err(|_| HungUp)?;
            }
            Ok(count)
        });
        Written {
            left: bytes.split_off(taken.unwrap_or(0)),
            hung_up: taken.is_err(),
        }
    }

    async fn finish(self, trailers: &Trailers<End>, stop: &mut (impl Future<Output = ()> + Unpin)) {
        let Self { bytes, body } = self;
        let is_flushed = matches!(
            select(pin!(stream::flush(&bytes)), stop).await,
            Either::Left((Ok(()), _))
        );
        drop(bytes);
        if !is_flushed {
            return;
        }
        // Trailers that the host rejects leave the body unfinished.
        if let Ok(fields) = trailers
            && let Ok(fields) = fields.as_deref().map(to_wasi).transpose()
        {
            // The target may have closed the connection; then the bytes are not needed.
            let _ = OutgoingBody::finish(body, fields);
        }
    }
}
