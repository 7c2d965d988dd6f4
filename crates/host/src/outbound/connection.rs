//! One connection to an upstream, as its socket sees it: how long it may idle, whether it has been used before, and
//! what the upstream sent before it closed.

use futures::task::AtomicWaker;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// How long an idle HTTP/1.1 connection is kept where the upstream does not say: Node.js, Apache and uvicorn close
/// theirs after 5 s, and a request that arrives at that moment is lost.
const HTTP1_IDLE: Duration = Duration::from_secs(4);

/// HTTP/2 announces the close (GOAWAY), and which requests it did not process. Below the 60 and 75 s of common servers.
const HTTP2_IDLE: Duration = Duration::from_secs(55);

/// The longest that any idle connection is kept, whatever the upstream says. The pool checks for closed ones this
/// often.
pub(super) const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// How often a connection in use checks its clock.
const LEAST_LOOK: Duration = Duration::from_secs(1);

/// The idle connections of one client, all upstreams together.
pub(super) struct Idlers {
    count: AtomicUsize,
    most: usize,
}

impl Idlers {
    pub(super) fn at_most(most: usize) -> Arc<Self> {
        Arc::new(Self {
            count: AtomicUsize::new(0),
            most,
        })
    }
}

/// The state that the socket and the exchanges of one connection share.
pub(super) struct ConnectionState {
    standing: Mutex<Standing>,
    socket: AtomicWaker,
    sent: AtomicU64,
    received: AtomicU64,
    /// What follows must not be taken for a response.
    spoilt: AtomicBool,
    multiplexed: bool,
    idlers: Arc<Idlers>,
}

struct Standing {
    exchanges: usize,
    used: bool,
    idle_since: Instant,
    idle_limit: Duration,
    /// Among the [`Idlers`].
    counted: bool,
    /// Beyond the limit: to be closed.
    surplus: bool,
    closed: bool,
}

impl ConnectionState {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            sent: self.sent.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
        }
    }

    /// When an idle connection is to be closed: `None` while it is in use.
    fn closes_at(&self, awaiting_answer: bool, last_traffic: Instant) -> Option<Instant> {
        let standing = self.standing();
        let now = Instant::now();
        if awaiting_answer || standing.exchanges > 0 {
            Some(now + standing.idle_limit.max(LEAST_LOOK))
        } else if standing.surplus {
            None
        } else {
            let idle_since = standing.idle_since.max(last_traffic);
            Some(idle_since + standing.idle_limit).filter(|end| *end > now)
        }
    }
}

/// Bytes that went over a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Traffic {
    sent: u64,
    received: u64,
}

/// A connection, as the client's `Connected` extra. The client clones what the connection reported about itself before
/// it sends the request, and gives no other signal at that moment: so the first clone records the traffic, and its own
/// clones repeat that.
pub(super) struct Chosen {
    connection: Arc<ConnectionState>,
    before: Option<Traffic>,
}

impl Clone for Chosen {
    fn clone(&self) -> Self {
        Self {
            connection: self.connection.clone(),
            before: Some(self.traffic_before()),
        }
    }
}

impl Chosen {
    fn traffic_before(&self) -> Traffic {
        self.before.unwrap_or_else(|| self.connection.traffic())
    }
}

/// A request on a connection, until its response is over.
pub(super) struct Exchange {
    connection: Arc<ConnectionState>,
    reused: bool,
    before: Traffic,
}

impl Exchange {
    pub(super) fn start(chosen: Chosen) -> Self {
        let before = chosen.traffic_before();
        let connection = chosen.connection;
        let mut standing = connection.standing();
        let reused = std::mem::replace(&mut standing.used, true);
        standing.exchanges += 1;
        if std::mem::take(&mut standing.counted) {
            connection.idlers.count.fetch_sub(1, Ordering::Relaxed);
        }
        standing.surplus = false;
        drop(standing);
        Self {
            connection,
            reused,
            before,
        }
    }

    pub(super) fn is_on(&self, chosen: &Chosen) -> bool {
        Arc::ptr_eq(&self.connection, &chosen.connection)
    }

    /// Not a byte of the request was sent. With a shared connection that is unknown.
    pub(super) fn was_not_sent(&self) -> bool {
        !self.connection.multiplexed && self.connection.traffic().sent == self.before.sent
    }

    /// The upstream may have closed a connection that it considered idle: it was used before, and nothing came back.
    pub(super) fn was_unanswered_reuse(&self) -> bool {
        self.reused
            && (self.connection.multiplexed
                || self.connection.traffic().received == self.before.received)
    }

    /// Nothing more is read from the connection, unless its streams keep responses apart.
    pub(super) fn serves_no_more(&self) {
        if !self.connection.multiplexed {
            self.connection.spoilt.store(true, Ordering::Relaxed);
            self.connection.socket.wake();
        }
    }

    /// How long the connection may idle from now on.
    pub(super) fn limit_idle(&self, limit: Duration) {
        if self.connection.multiplexed {
            return;
        }
        let mut standing = self.connection.standing();
        let limit = limit.min(LONGEST_IDLE);
        let shorter = limit < standing.idle_limit;
        standing.idle_limit = limit;
        drop(standing);
        if shorter {
            self.connection.socket.wake();
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let idlers = &self.connection.idlers;
        let mut standing = self.connection.standing();
        standing.exchanges -= 1;
        if standing.exchanges > 0 || standing.closed {
            return;
        }
        standing.idle_since = Instant::now();
        standing.counted = true;
        standing.surplus = idlers.count.fetch_add(1, Ordering::Relaxed) >= idlers.most;
        let close = standing.surplus || standing.idle_limit.is_zero();
        drop(standing);
        if close {
            self.connection.socket.wake();
        }
    }
}

type Stream = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

/// The socket of a connection. To the client above it, a connection that has idled for too long looks closed by the
/// upstream, so that no request is sent on it.
pub(super) struct Socket {
    inner: Stream,
    state: Arc<ConnectionState>,
    timer: Pin<Box<Sleep>>,
    /// HTTP/1.1: something was sent since the last that was received.
    awaiting_answer: bool,
    last_traffic: Instant,
    /// The upstream takes no more.
    deaf: bool,
}

impl Socket {
    pub(super) fn new(
        stream: MaybeHttpsStream<TokioIo<TcpStream>>,
        idlers: Arc<Idlers>,
    ) -> TokioIo<Self> {
        let multiplexed = stream.connected().is_negotiated_h2();
        let idle_limit = if multiplexed { HTTP2_IDLE } else { HTTP1_IDLE };
        let state = ConnectionState {
            standing: Mutex::new(Standing {
                exchanges: 0,
                used: false,
                idle_since: Instant::now(),
                idle_limit,
                counted: false,
                surplus: false,
                closed: false,
            }),
            socket: AtomicWaker::new(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            spoilt: AtomicBool::new(false),
            multiplexed,
            idlers,
        };
        TokioIo::new(Self {
            inner: TokioIo::new(stream),
            state: Arc::new(state),
            timer: Box::pin(tokio::time::sleep(idle_limit)),
            awaiting_answer: false,
            last_traffic: Instant::now(),
            deaf: false,
        })
    }

    fn poll_idled_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.state.socket.register(cx.waker());
        loop {
            let awaiting_answer = self.awaiting_answer && !self.state.multiplexed;
            let Some(end) = self.state.closes_at(awaiting_answer, self.last_traffic) else {
                return Poll::Ready(());
            };
            if self.timer.is_elapsed() || end < self.timer.deadline() {
                self.timer.as_mut().reset(end);
            }
            std::task::ready!(self.timer.as_mut().poll(cx));
        }
    }

    /// An upstream that has responded early may close before the rest of an upload. Its response is still to be read,
    /// so a failed write does not end the connection: a read will.
    fn outcome<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
        taken: T,
    ) -> Poll<io::Result<T>> {
        match outcome {
            Poll::Ready(Err(error)) if is_hang_up(&error) => {
                self.deaf = true;
                cx.waker().wake_by_ref();
                self.unheard(taken)
            }
            other => other,
        }
    }

    /// The result of a write to an upstream that takes no more. HTTP/1.1 waits: the read ends it. HTTP/2 reads only
    /// while it can write, and sends no more than the upstream's window.
    fn unheard<T>(&self, taken: T) -> Poll<io::Result<T>> {
        if self.state.multiplexed {
            Poll::Ready(Ok(taken))
        } else {
            Poll::Pending
        }
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::NotConnected
    )
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        let connected = Connected::new().extra(Chosen {
            connection: self.state.clone(),
            before: None,
        });
        if self.state.multiplexed {
            connected.negotiated_h2()
        } else {
            connected
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.state.spoilt.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.inner).poll_read(cx, buffer);
        let count = buffer.filled().len() - before;
        if count > 0 {
            this.awaiting_answer = false;
            this.last_traffic = Instant::now();
            this.state
                .received
                .fetch_add(count as u64, Ordering::Relaxed);
        }
        if outcome.is_pending() && this.poll_idled_out(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        outcome
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.awaiting_answer = true;
        this.last_traffic = Instant::now();
        let all = slices.iter().map(|slice| slice.len()).sum();
        if this.deaf {
            return this.unheard(all);
        }
        let outcome = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        if let Poll::Ready(Ok(count)) = outcome {
            this.state.sent.fetch_add(count as u64, Ordering::Relaxed);
        }
        this.outcome(cx, outcome, all)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.deaf {
            return Poll::Ready(Ok(()));
        }
        let outcome = Pin::new(&mut this.inner).poll_flush(cx);
        this.outcome(cx, outcome, ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut standing = self.state.standing();
        standing.closed = true;
        if std::mem::take(&mut standing.counted) {
            self.state.idlers.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
