//! An incoming body: its bytes, then its trailers.

use crate::executor::ready;
use crate::fields::from_wasi;
use crate::stream::End;
use crate::wasi::http::types::{FutureTrailers, IncomingBody};
use crate::wasi::io::streams::InputStream;
use function_fetch_component::upload::Trailers;

/// A body that is read.
pub struct Incoming {
    // The order of the fields is the order in which they are dropped: a child before its parent.
    pub stream: InputStream,
    body: IncomingBody,
}

impl Incoming {
    /// None if it was taken before, which does not happen here.
    pub fn new(body: IncomingBody) -> Option<Self> {
        let stream = body.stream().ok()?;
        Some(Self { stream, body })
    }

    /// After the last byte.
    pub fn into_trailers(self) -> FutureTrailers {
        let Self { stream, body } = self;
        drop(stream);
        IncomingBody::finish(body)
    }
}

/// The trailers; only once.
pub async fn trailers(coming: &FutureTrailers) -> Trailers<End> {
    loop {
        match coming.get() {
            None => ready(coming.subscribe()).await,
            Some(Ok(Ok(None))) => return Ok(None),
            Some(Ok(Ok(Some(fields)))) => return Ok(Some(from_wasi(&fields))),
            Some(Ok(Err(_)) | Err(())) => return Err(End::Broken),
        }
    }
}
