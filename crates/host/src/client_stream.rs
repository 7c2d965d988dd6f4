//! The socket of a client: it records the timestamps of [`Activity`], adds a reason to the responses that hyper makes
//! itself, and closes without destroying the last response for a client that is still sending.

use crate::activity::Activity;
use crate::client_limits::ClientLimits;
use crate::refusal;
use crate::request_lines::RequestLines;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// The connection preface of HTTP/2 (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a client that is still sending may continue, unread, until it sees the response.
const LINGER: Duration = Duration::from_secs(5);

pub(crate) struct ClientStream {
    socket: TcpStream,
    activity: Arc<Activity>,
    limits: Arc<ClientLimits>,
    /// How much of the HTTP/2 preface has arrived; none once it is known to be something else.
    preface: Option<usize>,
    request_lines: RequestLines,
    /// A local reply in place of one of hyper's, as far as it is not written.
    answer: Vec<u8>,
    lingering: Option<Pin<Box<Sleep>>>,
}

impl ClientStream {
    pub(crate) fn new(
        socket: TcpStream,
        activity: Arc<Activity>,
        limits: Arc<ClientLimits>,
    ) -> Self {
        Self {
            socket,
            activity,
            limits,
            preface: Some(0),
            request_lines: RequestLines::default(),
            answer: Vec::new(),
            lingering: None,
        }
    }

    fn recognise(&mut self, bytes: &[u8]) {
        self.preface = self.preface.and_then(|seen| {
            let part = bytes.len().min(PREFACE.len() - seen);
            let seen = seen + part;
            if bytes[..part] != PREFACE[seen - part..seen] {
                return None;
            }
            if seen == PREFACE.len() {
                self.activity.speaks_http2();
                return None;
            }
            Some(seen)
        });
    }

    /// Replaces `bytes` if they are a response that hyper made, by one that states the reason.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        if !self.activity.is_refusing() {
            return false;
        }
        let Some(answer) = refusal::in_place_of(bytes, &self.limits) else {
            return false;
        };
        self.answer = answer;
        self.activity.set_unread(true);
        true
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.answer.is_empty() {
            let written = Pin::new(&mut self.socket).poll_write(cx, &self.answer);
            self.activity.wrote(written.is_ready());
            self.answer.drain(..ready!(written)?);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buffer))?;
        let bytes = &buffer.filled()[before..];
        if !bytes.is_empty() {
            self.activity.read();
            if self.preface.is_some() {
                self.recognise(bytes);
            }
            if !self.activity.is_http2()
                && let Some(request) = self.request_lines.read(bytes)
            {
                self.activity.found_fragment(request);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.activity.wrote(written.is_ready());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [bytes] = slices
            && self.replaces(bytes)
        {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.activity.wrote(written.is_ready());
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_answer(cx))?;
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    /// Closing a socket with unread bytes resets the connection, and the client may lose what it has not read. So the
    /// writing side is closed, and what still arrives is discarded until the client has closed as well.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(self.poll_answer(cx))?;
            ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
            if !self.activity.is_unread() {
                return Poll::Ready(Ok(()));
            }
        }
        let this = &mut *self;
        let over = this
            .lingering
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        if over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut thrown_away = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut thrown_away);
            ready!(Pin::new(&mut this.socket).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
