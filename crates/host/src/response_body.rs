//! The body of a response on its way to the client, and the end of an HTTP/2 stream whose client reads nothing.
//!
//! With HTTP/1.1 a client that reads nothing blocks the socket, which [`Activity`](crate::activity::Activity) sees.
//! With HTTP/2 the socket stays active, for pings and for other streams; what shows is a stream that does not ask for
//! the next chunk.

use crate::access::Pending;
use crate::activity::Exchange;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::rt::Executor;
use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use tracing::debug;
use wasmtime_wasi_http::{Error, WasiBody};

tokio::task_local! {
    /// Of the stream that the task serves.
    static DELIVERY: Cell<Delivery>;
}

#[derive(Clone, Copy, Default)]
struct Delivery {
    /// Chunks of the response that it was given so far.
    pieces: u64,
    /// Whether it has not asked for another since the last one.
    under_way: bool,
}

impl Delivery {
    fn give(&mut self) {
        self.pieces += 1;
        self.under_way = true;
    }
}

fn note(change: impl FnOnce(&mut Delivery)) {
    // With HTTP/1.1 there is none.
    let _ = DELIVERY.try_with(|delivery| {
        let mut noted = delivery.get();
        change(&mut noted);
        delivery.set(noted);
    });
}

pub(crate) struct ResponseBody {
    body: WasiBody,
    /// hyper has had reason to send the head: it asked for a chunk, and there was one or none yet. A body that fails
    /// before that takes the head with it, and the client gets nothing at all.
    head_is_out: bool,
    /// Why the body ends, once the head is out.
    broken: Option<Error>,
    /// Until the client has it all, or has disconnected.
    _exchange: Exchange,
    /// Where accesses are watched.
    access: Option<Box<Pending>>,
}

impl ResponseBody {
    pub(crate) fn new(
        body: WasiBody,
        exchange: Exchange,
        mut access: Option<Box<Pending>>,
    ) -> Self {
        if let Some(access) = access.as_mut().filter(|_| body.is_end_stream()) {
            access.completed();
        }
        // The window may not even have room for the head: then the body is not polled.
        note(|delivery| delivery.give());
        Self {
            body,
            head_is_out: false,
            broken: None,
            _exchange: exchange,
            access,
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let mut frame = Pin::new(&mut self.body).poll_frame(cx);
        if !std::mem::replace(&mut self.head_is_out, true)
            && let Poll::Ready(Some(Err(error))) = frame
        {
            self.broken = Some(error);
            cx.waker().wake_by_ref();
            frame = Poll::Pending;
        }
        if let Some(access) = &mut self.access {
            match &frame {
                Poll::Ready(Some(Ok(frame))) => access.sent(frame.data_ref().map_or(0, Bytes::len)),
                Poll::Ready(None) => access.completed(),
                Poll::Ready(Some(Err(_))) | Poll::Pending => {}
            }
        }
        let given = matches!(frame, Poll::Ready(Some(Ok(_))));
        note(|delivery| {
            if given {
                delivery.give();
            } else {
                delivery.under_way = false;
            }
        });
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.broken.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Runs the streams of HTTP/2, each until it is complete, or until its client has read nothing for too long.
#[derive(Clone)]
pub(crate) struct Streams {
    pub(crate) write_timeout: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(DELIVERY.scope(
            Cell::default(),
            Watched {
                stream: Some(Box::pin(stream)),
                timeout: self.write_timeout,
                stalled: None,
                piece: 0,
            },
        ));
    }
}

struct Watched<F> {
    stream: Option<Pin<Box<F>>>,
    timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    /// The chunk that `stalled` was set for.
    piece: u64,
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(stream) = &mut this.stream else {
            return Poll::Ready(());
        };
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let delivery = DELIVERY.with(Cell::get);
        if !delivery.under_way {
            return Poll::Pending;
        }
        let timeout = this.timeout;
        let stalled = this
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        if this.piece != delivery.pieces {
            this.piece = delivery.pieces;
            stalled.as_mut().reset(Instant::now() + timeout);
        }
        if stalled.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        debug!(after = ?timeout, "a client read nothing of its response");
        // Resets the stream.
        this.stream = None;
        Poll::Ready(())
    }
}
