//! The conversation between a host and the engine about one request: what
//! happened, and what comes next.

use crate::failure::Failure;
use crate::local_reply::LocalReply;
use crate::record::Stored;
use crate::request::RequestState;
use crate::time::Millis;

/// How long a request waits for the store: a cold start may read it, but must
/// not hang on it.
pub const STORE_TIMEOUT: Millis = Millis(250.0);

/// How long a write of the store may take before the host gives it up, so that a store
/// that hangs does not keep the instance alive.
pub const STORE_WRITE_TIMEOUT: Millis = Millis(5_000.0);

/// Whether the request's body can be sent to another target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayState {
    /// No byte of it was taken by any target, or there is none.
    Unsent,
    /// All bytes that a target took are in the replay buffer.
    Replayable,
    /// Some bytes are gone: it cannot be sent again.
    Consumed,
    /// The client broke it off.
    Aborted,
}

impl ReplayState {
    /// Whether a target can still be sent all of it.
    #[must_use]
    pub fn can_be_sent(self) -> bool {
        matches!(self, Self::Unsent | Self::Replayable)
    }
}

/// What became of the action that was owed.
#[derive(Clone, Debug)]
pub enum Event {
    /// The store answered, with a value or with none.
    StoreRead(Option<Stored>),
    /// The store failed, or did not answer within [`Step::wake_after`].
    StoreFailed,
    /// [`crate::Engine::round_is_ready`], or [`Step::wake_after`] has passed.
    RoundReady,
    /// A target answered with a final status, from 200 to 599.
    Response {
        /// The target.
        target: usize,
        /// The status.
        status: u16,
        /// Its `Retry-After`, as a span from now.
        retry_after: Option<Millis>,
        /// Time to first byte: from the start of the attempt to the response
        /// head.
        ttfb: Millis,
        /// Whether the request's body can be sent again.
        replay: ReplayState,
    },
    /// A target did not answer, or its attempt was cancelled.
    Failed {
        /// The target.
        target: usize,
        /// Why.
        failure: Failure,
        /// Whether the request's body can be sent again.
        replay: ReplayState,
    },
    /// [`Step::wake_after`] has passed, or, with [`Step::wake_on_round`], a round
    /// has made progress: how long the host has waited for each attempt that
    /// runs.
    Timer(Vec<Waited>),
}

/// How long the host has waited for an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waited {
    /// The target.
    pub target: usize,
    /// Since it began, or since the target last took some of the request's body;
    /// zero while the client has yet to send more of it. By a monotonic clock.
    pub time: Millis,
}

/// What the host does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Read the store, for at most [`Step::wake_after`].
    ReadStore,
    /// Wait until [`crate::Engine::round_is_ready`], for at most
    /// [`Step::wake_after`].
    AwaitRound,
    /// Send the request to a target, beside what runs already.
    Send(Attempt),
    /// Give up the attempt at a target, and report it as failed.
    Cancel {
        /// The target.
        target: usize,
        /// The failure to report.
        failure: Failure,
    },
    /// Wait for the attempts that run.
    Wait,
    /// Give the client the last response that came, and cancel what still runs.
    /// The end.
    Relay,
    /// Answer the client with a response of the proxy. The end.
    Reply(LocalReply),
}

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attempt {
    /// The target's index.
    pub target: usize,
    /// For establishing a connection.
    pub connect_timeout: Millis,
    /// When false, a response with a status below
    /// [`crate::Settings::report_from_status`] may be relayed without
    /// [`crate::Engine::settle`]: the engine does not ask to hear of it. Always
    /// true without [`crate::Capabilities::sampled_reports`].
    pub report: bool,
}

/// An action, with the background work that may start beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// To be given back with the event.
    pub state: RequestState,
    /// What the host owes, or the end of the request.
    pub action: Action,
    /// The one timer, which each step sets anew: when this has passed and nothing
    /// else has happened, the host reports it. A span and not a moment, since
    /// hosts measure it with a clock of their own. Infinite for never; zero for at
    /// once.
    pub wake_after: Millis,
    /// Whether progress of a round counts as that timer, too: an overdue attempt
    /// is given up when a probe finds its target dead.
    pub wake_on_round: bool,
    /// A round of probes is due: [`crate::Engine::start_round`].
    pub round: bool,
    /// The store should be written: [`crate::Engine::take_write`].
    pub write: bool,
}
