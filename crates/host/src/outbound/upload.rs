//! The guest's request body, kept while it is short, so that an unprocessed request can be sent again.

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, WasiBody};

/// How much of a body is kept.
const REPLAY_BYTES: usize = 64 * 1024;
/// In how many chunks, so that a body of single bytes does not need far more memory.
const REPLAY_PIECES: usize = 1024;

/// The body of one request, however often it is sent.
pub(super) struct Upload(Arc<Mutex<Source>>);

struct Source {
    inner: WasiBody,
    /// All that was read from `inner`, in order, while `whole`; else at most what was read and not yet sent.
    kept: Vec<Bytes>,
    kept_bytes: usize,
    trailers: Option<HeaderMap>,
    /// `kept` has all that was read, and is short enough to be sent again.
    whole: bool,
    /// More may be kept.
    keeping: bool,
    ended: bool,
    broken: bool,
    /// Which [`RequestBody`] may read: the newest.
    sending: usize,
    drawn: Instant,
}

impl Upload {
    pub(super) fn new(inner: WasiBody) -> Self {
        Self(Arc::new(Mutex::new(Source {
            ended: inner.is_end_stream(),
            inner,
            kept: Vec::new(),
            kept_bytes: 0,
            trailers: None,
            whole: true,
            keeping: true,
            broken: false,
            sending: 0,
            drawn: Instant::now(),
        })))
    }

    /// The body from its start, to be sent. A [`RequestBody`] returned before gets no more.
    pub(super) fn body(&self) -> RequestBody {
        let mut source = lock(&self.0);
        source.sending += 1;
        RequestBody {
            source: self.0.clone(),
            sending: source.sending,
            next: 0,
            trailers_sent: false,
        }
    }

    /// Whether the body is known to be empty.
    pub(super) fn is_empty(&self) -> bool {
        let source = lock(&self.0);
        source.ended && source.kept.is_empty() && source.trailers.is_none()
    }

    pub(super) fn is_of_known_length(&self) -> bool {
        let source = lock(&self.0);
        source.ended || source.inner.size_hint().exact().is_some()
    }

    /// Waits until the body has begun, or ended without content.
    pub(super) async fn begun(&self) -> Result<(), Error> {
        poll_fn(|cx| {
            let mut source = lock(&self.0);
            loop {
                let frame = match ready!(source.poll_draw(cx)) {
                    None => return Poll::Ready(Ok(())),
                    Some(frame) => frame?,
                };
                match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => {
                        source.kept_bytes = data.len();
                        source.whole = data.len() <= REPLAY_BYTES;
                        source.kept.push(data);
                        return Poll::Ready(Ok(()));
                    }
                    Err(frame) => {
                        source.trailers = frame.into_trailers().ok();
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        })
        .await
    }

    /// Whether [`Upload::body`] can return all of it again.
    pub(super) fn can_be_sent_again(&self) -> bool {
        let source = lock(&self.0);
        source.whole && !source.broken
    }

    /// The request has its response: it is not sent again.
    pub(super) fn keep_no_more(&self) {
        lock(&self.0).keeping = false;
    }

    /// When the body was last read: an upload in progress is not the upstream's silence.
    pub(super) fn drawn(&self) -> Instant {
        lock(&self.0).drawn
    }

    pub(super) fn touch(&self) {
        lock(&self.0).drawn = Instant::now();
    }
}

impl Source {
    fn poll_draw(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        self.drawn = Instant::now();
        match &frame {
            None => self.ended = true,
            Some(Err(_)) => self.broken = true,
            Some(Ok(_)) => self.ended = self.inner.is_end_stream(),
        }
        Poll::Ready(frame)
    }

    /// Keeps what is about to be sent, or stops keeping.
    fn keep(&mut self, frame: &Frame<Bytes>) {
        let Some(data) = frame.data_ref() else {
            self.trailers = frame.trailers_ref().cloned();
            return;
        };
        self.kept_bytes = self.kept_bytes.saturating_add(data.len());
        if self.keeping
            && self.whole
            && self.kept_bytes <= REPLAY_BYTES
            && self.kept.len() < REPLAY_PIECES
        {
            self.kept.push(data.clone());
        } else {
            self.keeping = false;
            self.whole = false;
            self.kept = Vec::new();
        }
    }
}

fn lock(source: &Mutex<Source>) -> MutexGuard<'_, Source> {
    source.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One sending of an [`Upload`].
pub(super) struct RequestBody {
    source: Arc<Mutex<Source>>,
    sending: usize,
    /// The index of the kept chunk to send next.
    next: usize,
    trailers_sent: bool,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let mut source = lock(&this.source);
        if source.sending != this.sending {
            return Poll::Ready(Some(Err(Error::ConnectionTerminated)));
        }
        if let Some(piece) = source.kept.get(this.next) {
            this.next += 1;
            return Poll::Ready(Some(Ok(Frame::data(piece.clone()))));
        }
        if let (Some(trailers), false) = (&source.trailers, this.trailers_sent) {
            this.trailers_sent = true;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers.clone()))));
        }
        let frame = ready!(source.poll_draw(cx));
        if let Some(Ok(frame)) = &frame {
            source.keep(frame);
            this.trailers_sent = source.trailers.is_some();
            this.next = source.kept.len();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let source = lock(&self.source);
        source.ended
            && self.next >= source.kept.len()
            && (source.trailers.is_none() || self.trailers_sent)
    }

    fn size_hint(&self) -> SizeHint {
        let source = lock(&self.source);
        let again: usize = source
            .kept
            .get(self.next..)
            .unwrap_or_default()
            .iter()
            .map(Bytes::len)
            .sum();
        let again = again as u64;
        let rest = if source.ended {
            SizeHint::with_exact(0)
        } else {
            source.inner.size_hint()
        };
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(again));
        }
        hint.set_lower(rest.lower().saturating_add(again));
        hint
    }
}
