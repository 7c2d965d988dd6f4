//! What a host must provide.

use function_fetch_engine::{
    Attempt, Engine, Failure, Millis, Notice, Record, ReplayState, Stored, Target, Timestamp,
};
use std::cell::Cell;
use std::future::{Future, ready};
use std::rc::Rc;

/// The store failed. The platform has logged why, if it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreError;

/// What decisions need of a response's head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Its `Retry-After`, as a span from now.
    pub retry_after: Option<Millis>,
}

/// What decisions need of the head of a probe's response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeHead {
    /// The status.
    pub status: u16,
    /// Whether a cache sent it: [`function_fetch_engine::headers::is_from_cache`].
    pub cached: bool,
}

/// A host, or the simulator. Cheap to clone: a handle, not the thing itself.
///
/// Dropping a future that one of these methods returned must cancel what it
/// does: that is how time-outs and lost races end.
pub trait Platform: Clone + 'static {
    /// A client's request: its head, and its body as it comes in.
    type Request;
    /// A response's head, with its body not read yet.
    type Response;
    /// An attempt under way. It owns what it needs: two may run at once.
    type Sending: Future<Output = Result<Self::Response, Failure>> + 'static;

    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// A monotonic clock; only differences count.
    fn monotonic(&self) -> Millis;

    /// Resolves after so long.
    fn sleep(&self, time: Millis) -> impl Future<Output = ()>;

    /// Gives access to the engine. No borrow of it outlives the call.
    fn engine<R>(&self, with: impl FnOnce(&mut Engine) -> R) -> R;

    /// Sends the request to `target`; resolves with the response's head. Only a
    /// request without a body is sent again before [`Platform::stop_upload`].
    fn send(
        &self,
        request: &mut Self::Request,
        target: &Target,
        attempt: &Attempt,
    ) -> Self::Sending;

    /// Whether the request's body can be sent to another target, while an attempt
    /// that was answered may still be reading it.
    fn replay_state(&self, request: &Self::Request) -> ReplayState;

    /// Stops the upload to the current attempt, takes back what was not sent, and
    /// says whether the body can be sent to another target.
    fn stop_upload(&self, request: &mut Self::Request) -> impl Future<Output = ReplayState>;

    /// When the target last took some of the request's body, by the monotonic
    /// clock: time-outs count from there. Infinite while the client has yet to send
    /// more, so that they do not count at all; zero where no body is sent.
    fn upload_progress(&self, _request: &Self::Request) -> Rc<Cell<Millis>> {
        Rc::default()
    }

    /// The head of a response.
    fn head(&self, response: &Self::Response) -> Head;

    /// A probe: `GET` of `path` on `target`, up to the response's head.
    fn probe(
        &self,
        target: &Target,
        path: &str,
    ) -> impl Future<Output = Result<ProbeHead, Failure>>;

    /// Reads the shared record.
    fn store_get(&self) -> impl Future<Output = Result<Option<Stored>, StoreError>>;

    /// Writes the shared record.
    fn store_put(
        &self,
        record: Record,
        ttl_seconds: u32,
    ) -> impl Future<Output = Result<(), StoreError>>;

    /// Resolves when no request waits for the instance: the background then turns
    /// to the store. At once, unless the calls of the store block the requests of
    /// the instance.
    fn idle(&self) -> impl Future<Output = ()> {
        ready(())
    }

    /// Runs work that no request waits for, beyond the response if need be.
    fn spawn(&self, work: impl Future<Output = ()> + 'static);

    /// Resolves at the next call of [`Platform::round_progressed`], whichever
    /// request it belongs to.
    fn round_progress(&self) -> impl Future<Output = ()>;

    /// Wakes all that wait in [`Platform::round_progress`].
    fn round_progressed(&self);

    /// Reports to the operator.
    fn notice(&self, notice: &Notice);
}
