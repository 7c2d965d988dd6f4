//! Bytes whose value depends on their position in a body, so that a large body is checked without being kept.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};

use super::reply::AnyBody;

/// The period, a prime: a chunk that is lost, duplicated or moved by a buffer's size shows.
const PERIOD: usize = 65_521;

fn period() -> &'static Bytes {
    static PERIODIC: OnceLock<Bytes> = OnceLock::new();
    PERIODIC.get_or_init(|| {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        (0..PERIOD)
            .map(|_| {
                // xorshift64: no meaning beyond being the same in every run.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[0]
            })
            .collect::<Vec<u8>>()
            .into()
    })
}

/// The piece that begins at `offset` of the pattern, as long as it is in one piece.
fn piece(offset: u64) -> Bytes {
    let start = usize::try_from(offset % PERIOD as u64).expect("smaller than the period");
    period().slice(start..)
}

/// Whether `bytes` are what the pattern has at `offset`.
pub fn matches(mut offset: u64, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let expected = piece(offset);
        let n = expected.len().min(bytes.len());
        if expected[..n] != bytes[..n] {
            return false;
        }
        bytes = &bytes[n..];
        offset += n as u64;
    }
    true
}

/// The first `length` bytes of the pattern.
pub fn bytes(length: usize) -> Bytes {
    let mut all = Vec::with_capacity(length);
    while all.len() < length {
        let piece = piece(all.len() as u64);
        let n = piece.len().min(length - all.len());
        all.extend_from_slice(&piece[..n]);
    }
    all.into()
}

/// A body of the first `length` bytes of the pattern, made as it is sent. `sized` says whether its length is known
/// beforehand (`content-length`) or not (chunked).
pub fn body(length: u64, sized: bool) -> AnyBody {
    Patterned {
        at: 0,
        length,
        sized,
    }
    .map_err(|never: Infallible| match never {})
    .boxed()
}

struct Patterned {
    at: u64,
    length: u64,
    sized: bool,
}

impl Body for Patterned {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let left = self.length - self.at;
        if left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = piece(self.at);
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.at += piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        if self.sized {
            SizeHint::with_exact(self.length - self.at)
        } else {
            SizeHint::default()
        }
    }
}
