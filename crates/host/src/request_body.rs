//! The body of a client's request: whole, or an error. A body that ends early must never look complete.

use crate::activity::Exchange;
use crate::outbound_error;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

pub(crate) struct RequestBody {
    client: Incoming,
    exchange: Exchange,
    /// How long the next chunk is waited for.
    timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    over: bool,
}

impl RequestBody {
    pub(crate) fn new(client: Incoming, exchange: Exchange, timeout: Duration) -> Self {
        exchange.activity().set_unread(true);
        Self {
            over: false,
            client,
            exchange,
            timeout,
            stalled: None,
            waiting: false,
        }
    }

    /// It is complete.
    fn end(&mut self) {
        self.over = true;
        self.exchange.activity().set_unread(false);
    }

    fn broken(&mut self) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.over = true;
        Poll::Ready(Some(Err(outbound_error::request_body_broken())))
    }

    /// Whether its end is not a proper one: hyper takes a stream reset with `NO_ERROR` for an end.
    fn is_cut_short(&self) -> bool {
        let reset = self.exchange.activity().is_http2() && !self.client.is_end_stream();
        reset || self.client.size_hint().exact().is_some_and(|left| left > 0)
    }

    /// Whether the client has sent nothing for too long.
    fn has_stalled(&mut self, cx: &mut Context<'_>) -> bool {
        let timeout = self.timeout;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        if !self.waiting {
            self.waiting = true;
            stalled.as_mut().reset(Instant::now() + timeout);
        }
        stalled.as_mut().poll(cx).is_ready()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.over {
            return Poll::Ready(None);
        }
        match Pin::new(&mut self.client).poll_frame(cx) {
            Poll::Pending if self.has_stalled(cx) => self.broken(),
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(frame))) => {
                self.waiting = false;
                if frame.is_trailers() || self.client.is_end_stream() {
                    self.end();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => self.broken(),
            Poll::Ready(None) if self.is_cut_short() => self.broken(),
            Poll::Ready(None) => {
                self.end();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.over
    }

    fn size_hint(&self) -> SizeHint {
        self.client.size_hint()
    }
}
