//! The two ends of a request's body: streams of the component model.

use function_fetch_component::upload::{BodySink, BodySource, Received, Trailers, Written};
use futures::future::{Either, select};
use std::future::Future;
use std::pin::pin;
use wasip3::http::types::{self, ErrorCode, Fields};
use wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};
use wasip3::{wit_future, wit_stream};

type TrailersResult = Result<Option<types::Trailers>, ErrorCode>;

const CHUNK_BYTES: usize = 64 * 1024;

/// What the host may buffer of a body before it has a connection: nothing.
pub const HOST_BUFFER_BYTES: usize = 0;

/// The client's end.
pub struct Source {
    bytes: StreamReader<u8>,
    /// None once they were read.
    trailers: Option<FutureReader<TrailersResult>>,
}

impl Source {
    pub fn new(bytes: StreamReader<u8>, trailers: FutureReader<TrailersResult>) -> Self {
        Self {
            bytes,
            trailers: Some(trailers),
        }
    }
}

impl BodySource for Source {
    type Error = ErrorCode;

    async fn read(&mut self, stop: &mut (impl Future<Output = ()> + Unpin)) -> Received {
        let mut read = pin!(self.bytes.read(Vec::with_capacity(CHUNK_BYTES)));
        let (result, bytes) = match select(read.as_mut(), stop).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => read.as_mut().cancel(),
        };
        Received {
            bytes,
            ended: result == StreamResult::Dropped,
        }
    }

    async fn trailers(
        &mut self,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> Option<Trailers<ErrorCode>> {
        let mut read = pin!(self.trailers.take()?.into_future());
        let known = match select(read.as_mut(), stop).await {
            Either::Left((known, _)) => known,
            Either::Right(_) => match read.as_mut().cancel() {
                Ok(known) => known,
                Err(coming) => {
                    self.trailers = Some(coming);
                    return None;
                }
            },
        };
        Some(known.map(|fields| fields.map(|fields| fields.copy_all())))
    }
}

/// The target's end.
pub struct Sink {
    bytes: StreamWriter<u8>,
    trailers: FutureWriter<TrailersResult>,
}

impl Sink {
    /// The sink, and both parts of the body that is written to it.
    pub fn new() -> (Self, StreamReader<u8>, FutureReader<TrailersResult>) {
        // An upload that ends early leaves its trailers unwritten: the body is then broken, never complete.
        let (trailers, trailers_end) = wit_future::new(|| Err(ErrorCode::HttpProtocolError));
        let (bytes, reader) = wit_stream::new();
        (Self { bytes, trailers }, reader, trailers_end)
    }
}

impl BodySink<ErrorCode> for Sink {
    async fn write(
        &mut self,
        bytes: Vec<u8>,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> Written {
        let mut write = pin!(self.bytes.write(bytes));
        let (result, left) = match select(write.as_mut(), stop).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => write.as_mut().cancel(),
        };
        Written {
            left: left.into_vec(),
            hung_up: result == StreamResult::Dropped,
        }
    }

    async fn finish(
        self,
        trailers: &Trailers<ErrorCode>,
        _: &mut (impl Future<Output = ()> + Unpin),
    ) {
        let Self {
            bytes,
            trailers: writer,
        } = self;
        drop(bytes);
        let trailers = match trailers {
            Ok(None) => Ok(None),
            Ok(Some(fields)) => match Fields::from_list(fields) {
                Ok(fields) => Ok(Some(fields)),
                // Trailers that the host rejects leave the body broken.
                Err(_) => return,
            },
            Err(code) => Err(code.clone()),
        };
        // The target may have closed the connection; then the bytes are not needed.
        let _ = writer.write(trailers).await;
    }
}
