//! What is remembered of one request between two steps.

use crate::attempt::Event;
use crate::failure::{Failure, Source};

/// What must be remembered of a request between two steps. Plain values: a host
/// keeps them, or packs them, and gives them back as they were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exchange {
    /// When it began, ms since the Unix epoch.
    pub since: f64,
    /// A bit for each target that was tried.
    pub tried: u32,
    /// The index of the target of the attempt that runs, or ran last.
    pub target: usize,
    /// Which action is owed.
    pub stage: Stage,
    /// It may be sent again after it may have reached a target.
    pub repeatable: bool,
    /// It has a body.
    pub has_body: bool,
    /// It is a cold start that is raced to the targets.
    pub racing: bool,
    /// It has asked the store.
    pub store_read: bool,
    /// It has waited for the round.
    pub waited: bool,
    /// The host holds a real response, to fall back on.
    pub has_response: bool,
}

/// Which action is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// [`crate::Action::ReadStore`].
    Store,
    /// [`crate::Action::AwaitRound`].
    Round,
    /// [`crate::Action::Forward`].
    Attempt,
    /// None: the request has its response.
    Over,
}

impl Exchange {
    pub(crate) fn new(since: f64, repeatable: bool, has_body: bool) -> Self {
        Self {
            since,
            tried: 0,
            target: 0,
            stage: Stage::Store,
            repeatable,
            has_body,
            racing: false,
            store_read: false,
            waited: false,
            has_response: false,
        }
    }

    /// How many attempts were made.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.tried.count_ones()
    }

    /// The same exchange, about the attempt at another target: while two run at
    /// once, an event belongs to one of them.
    #[must_use]
    pub fn at(self, target: usize) -> Self {
        Self { target, ..self }
    }

    /// Whether the target is to blame for a time-out: not when earlier attempts
    /// had used the deadline up.
    pub(crate) fn blames_target(&self, failure: Failure) -> bool {
        failure.source() == Source::Upstream
            && (failure != Failure::DeadlineExceeded || self.attempts() == 1)
    }

    pub(crate) fn heard(&mut self, event: &Event) {
        self.has_response |= matches!(event, Event::Response { .. });
    }

    /// Whether two targets may have it at once.
    pub(crate) fn may_run_twice(&self) -> bool {
        self.repeatable && !self.has_body
    }

    /// Whether its time to head says something of the target: with a body it is
    /// the client's upload that takes the time.
    pub(crate) fn times_target(&self) -> bool {
        !self.has_body
    }

    pub(crate) fn was_tried(&self, target: usize) -> bool {
        self.tried & (1 << target) != 0
    }
}
