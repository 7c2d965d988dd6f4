//! The client's request body on its way to a target, and to the next one when
//! that fails.
//!
//! It streams: a chunk is read from the client when the host has taken the last. What was taken is kept for another
//! attempt while it fits the replay buffer; what was read and not taken is never lost.
//!
//! [`BodySource`] and [`BodySink`] are the calls of WASI that move the bytes; each version implements them.

use crate::replay::Replay;
use function_fetch_driver::Platform;
use function_fetch_engine::headers::Fields;
use function_fetch_engine::{Failure, Millis, ReplayState};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::FusedFuture;
use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;

/// How long a request without `Content-Length` may take to show whether it has
/// a body. A client that streams one may send its first byte much later.
const FIRST_BYTES: Millis = Millis(10.0);

/// The trailer fields of a body, or why it broke off.
pub type Trailers<E> = Result<Option<Fields>, E>;

/// The client's end of a body.
pub trait BodySource: 'static {
    /// The error when a body breaks off.
    type Error: 'static;

    /// Waits for the next bytes, but not beyond `stop`.
    fn read(
        &mut self,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> impl Future<Output = Received>;

    /// What follows the last byte. None when `stop` resolves first: then it can be asked for again.
    fn trailers(
        &mut self,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> impl Future<Output = Option<Trailers<Self::Error>>>;
}

/// The result of [`BodySource::read`].
#[derive(Debug)]
pub struct Received {
    /// None when it was stopped, usually.
    pub bytes: Vec<u8>,
    /// Only the trailers follow, which show whether the client broke off.
    /// broke off.
    pub ended: bool,
}

/// A target's end of a body. If it is dropped before [`BodySink::finish`], the target sees a broken body, never a
/// complete one.
pub trait BodySink<E>: 'static {
    /// Offers bytes, but not beyond `stop`.
    fn write(
        &mut self,
        bytes: Vec<u8>,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> impl Future<Output = Written>;

    /// Ends the body, after its last byte.
    fn finish(
        self,
        trailers: &Trailers<E>,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> impl Future<Output = ()>;
}

/// The result of [`BodySink::write`].
#[derive(Debug)]
pub struct Written {
    /// The remaining bytes, which were not taken.
    pub left: Vec<u8>,
    /// The target takes no more.
    pub hung_up: bool,
}

/// The body of a client's request.
pub struct ClientBody<S: BodySource> {
    /// Shared with the upload under way.
    replay: Rc<RefCell<Replay>>,
    /// When the host last took some of it, by the monotonic clock; infinite while waiting for the client.
    progress: Rc<Cell<Millis>>,
    place: Place<S>,
    found_length: Option<usize>,
}

/// The client's end of the body.
enum Place<S: BodySource> {
    /// No attempt reads from it.
    Here(Box<Client<S>>),
    /// An attempt reads from it, and gives it back after `stop`.
    Uploading {
        stop: oneshot::Sender<()>,
        back: oneshot::Receiver<Box<Client<S>>>,
    },
    /// There is no body.
    Nowhere,
}

struct Client<S: BodySource> {
    source: S,
    /// What the head says, bytes.
    length: Option<u64>,
    /// Bytes so far.
    received: u64,
    ended: bool,
    trailers: Option<Trailers<S::Error>>,
}

impl<S: BodySource> ClientBody<S> {
    /// `length` is the request's `Content-Length`; if there is none and the method `needs_length`, the body is read to
    /// its end to find it.
    ///
    /// # Errors
    ///
    /// When the client breaks off, or the length cannot be found within the
    /// limit of `replay`.
    pub async fn new(
        platform: &impl Platform,
        source: Option<S>,
        length: Option<u64>,
        needs_length: bool,
        mut replay: Replay,
    ) -> Result<Self, Failure> {
        let mut client = source.map(|source| Client {
            source,
            length,
            received: 0,
            ended: false,
            trailers: None,
        });
        let mut found_length = None;
        match (&mut client, length) {
            (Some(client), None) => {
                found_length = client.measure(platform, &mut replay, needs_length).await?;
            }
            (Some(client), Some(0)) => {
                client.receive(&mut pin!(platform.sleep(FIRST_BYTES))).await;
                if client.contradicts_length() {
                    return Err(Failure::HttpRequestIncomplete);
                }
            }
            _ => {}
        }
        let is_empty = length == Some(0) || found_length == Some(0);
        let client = client.filter(|_| !is_empty);
        Ok(Self {
            replay: Rc::new(RefCell::new(replay)),
            progress: Rc::default(),
            place: client.map_or(Place::Nowhere, |client| Place::Here(Box::new(client))),
            found_length,
        })
    }

    /// Whether the request has a body to send.
    #[must_use]
    pub fn is_some(&self) -> bool {
        !matches!(self.place, Place::Nowhere)
    }

    /// The length that was found by reading to its end; 0 without a body.
    #[must_use]
    pub fn found_length(&self) -> Option<usize> {
        self.found_length
    }

    /// When the host last took some of it, by the monotonic clock; infinite while waiting for the client.
    #[must_use]
    pub fn progress(&self) -> Rc<Cell<Millis>> {
        Rc::clone(&self.progress)
    }

    /// For an attempt that fails before anything of it was sent.
    #[must_use]
    pub fn replay(&self) -> Rc<RefCell<Replay>> {
        Rc::clone(&self.replay)
    }

    /// Whether the body can be sent to another target at present.
    #[must_use]
    pub fn state(&self) -> ReplayState {
        match &self.place {
            Place::Here(client)
                if client.contradicts_length() || matches!(client.trailers, Some(Err(_))) =>
            {
                ReplayState::Aborted
            }
            _ => self.replay.borrow().state(),
        }
    }

    /// Stops the attempt that reads the body, takes back what it did not send, and returns whether the body can be sent
    /// to another target.
    pub async fn stop(&mut self) -> ReplayState {
        self.place = match std::mem::replace(&mut self.place, Place::Nowhere) {
            Place::Uploading { stop, back } => {
                // An upload that has ended by itself ignores this.
                let _ = stop.send(());
                back.await.map_or(Place::Nowhere, Place::Here)
            }
            still => still,
        };
        self.state()
    }

    /// Sends the whole body into `sink`, concurrently with the attempt. Call [`Self::stop`] first.
    pub fn upload<P: Platform>(&mut self, platform: &P, sink: impl BodySink<S::Error>) {
        let Place::Here(mut client) = std::mem::replace(&mut self.place, Place::Nowhere) else {
            return;
        };
        self.replay.borrow_mut().rewind();
        let (stop, stopped) = oneshot::channel();
        let (give_back, back) = oneshot::channel();
        let replay = Rc::clone(&self.replay);
        let progress = Rc::clone(&self.progress);
        let clock = platform.clone();
        platform.spawn(async move {
            // Only an explicit stop ends it. Once the request is relayed, the stop signal has no sender, and the upload
            // continues beside the response.
            let stopped = async move {
                if stopped.await.is_err() {
                    pending().await
                }
            };
            let mut stop = pin!(stopped.fuse());
            client
                .send(&clock, &replay, &progress, sink, &mut stop)
                .await;
            let _ = give_back.send(client);
        });
        self.place = Place::Uploading { stop, back };
    }
}

impl<S: BodySource> Client<S> {
    /// The length of a body whose head does not state it, if its end comes at once or must be waited for.
    async fn measure(
        &mut self,
        platform: &impl Platform,
        replay: &mut Replay,
        to_the_end: bool,
    ) -> Result<Option<usize>, Failure> {
        // A chunked body is announced by a header that hosts do not expose. Sending every GET as chunked would be worse
        // than looking for the end, which comes at once if there is no body.
        let mut patience = pin!(platform.sleep(FIRST_BYTES));
        replay.read(self.receive(&mut patience).await);
        while to_the_end && !self.ended && replay.fits() {
            replay.read(self.receive(&mut pending()).await);
        }
        if to_the_end && !replay.fits() {
            return Err(Failure::HttpRequestLengthRequired);
        }
        if !self.ended {
            return Ok(None);
        }
        // Only the trailers show whether that was the end, or the client broke off.
        self.receive_trailers(&mut pending()).await;
        let Some(Ok(fields)) = &self.trailers else {
            return Err(Failure::HttpRequestIncomplete);
        };
        let length = replay.unsent().len();
        let has_trailers = fields.as_ref().is_some_and(|fields| !fields.is_empty());
        if to_the_end && length > 0 && has_trailers {
            // Trailers follow chunked bodies only.
            return Err(Failure::HttpRequestLengthRequired);
        }
        let is_all = to_the_end || (length == 0 && !has_trailers);
        Ok(is_all.then_some(length))
    }

    /// Copies the body until it ends, the target closes, or `stop`.
    async fn send(
        &mut self,
        clock: &impl Platform,
        replay: &RefCell<Replay>,
        progress: &Cell<Millis>,
        mut sink: impl BodySink<S::Error>,
        stop: &mut (impl FusedFuture<Output = ()> + Unpin),
    ) {
        // A target that counts bytes must not take a part of the body for all of it: it is left without an end.
        while !self.contradicts_length() {
            let unsent = replay.borrow_mut().lend();
            if !unsent.is_empty() {
                let lent = unsent.len();
                let Written { left, hung_up } = sink.write(unsent, stop).await;
                replay.borrow_mut().give_back(lent, left);
                if hung_up {
                    return;
                }
            } else if self.ended {
                break;
            } else {
                // While waiting for the client, no time-out runs.
                progress.set(Millis::INFINITY);
                let mut bytes = self.receive(stop).await;
                // The last bytes go on once it is known that they are.
                while self.length == Some(self.received) && !self.ended && !stop.is_terminated() {
                    bytes.extend(self.receive(stop).await);
                }
                replay.borrow_mut().read(bytes);
            }
            progress.set(clock.monotonic());
            if stop.is_terminated() {
                return;
            }
        }
        if self.contradicts_length() {
            return;
        }
        self.receive_trailers(stop).await;
        if let Some(trailers) = &self.trailers {
            sink.finish(trailers, stop).await;
        }
    }

    async fn receive(&mut self, stop: &mut (impl Future<Output = ()> + Unpin)) -> Vec<u8> {
        let Received { bytes, ended } = self.source.read(stop).await;
        self.ended = ended;
        self.received += bytes.len() as u64;
        bytes
    }

    /// Whether the body has another length than its head says. Hosts that decode a transfer coding may leave a length
    /// beside it (RFC 9112 section 6.1), as an attacker does who wants the two read differently.
    fn contradicts_length(&self) -> bool {
        self.length
            .is_some_and(|length| self.received > length || (self.ended && self.received < length))
    }

    async fn receive_trailers(&mut self, stop: &mut (impl Future<Output = ()> + Unpin)) {
        if self.trailers.is_none() {
            self.trailers = self.source.trailers(stop).await;
        }
    }
}
