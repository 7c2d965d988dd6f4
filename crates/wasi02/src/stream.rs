//! The two ends of bodies, as futures.

use crate::executor::ready;
use crate::wasi::io::streams::{InputStream, OutputStream, StreamError};

/// Why there is nothing more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The end of the body.
    Complete,
    /// The other side broke off.
    Broken,
}

/// The other side takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HungUp;

/// The next bytes, at most `limit`. Dropping the future loses none.
pub async fn read(stream: &InputStream, limit: u64) -> Result<Vec<u8>, End> {
    loop {
        match stream.read(limit) {
            Ok(bytes) if bytes.is_empty() => ready(stream.subscribe()).await,
            Ok(bytes) => return Ok(bytes),
            Err(StreamError::Closed) => return Err(End::Complete),
            Err(StreamError::LastOperationFailed(_)) => return Err(End::Broken),
        }
    }
}

/// How many bytes may be written, once there are any.
pub async fn room(stream: &OutputStream) -> Result<u64, HungUp> {
    loop {
        match stream.check_write() {
            Ok(0) => ready(stream.subscribe()).await,
            Ok(room) => return Ok(room),
            Err(_) => return Err(HungUp),
        }
    }
}

/// Writes all of it.
pub async fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), HungUp> {
    while !bytes.is_empty() {
        let room = usize::try_from(room(stream).await?).unwrap_or(usize::MAX);
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now).map_err(|_| HungUp)?;
        bytes = later;
    }
    Ok(())
}

/// Returns when everything that was written has been flushed.
pub async fn flush(stream: &OutputStream) -> Result<(), HungUp> {
    stream.flush().map_err(|_| HungUp)?;
    room(stream).await.map(drop)
}
