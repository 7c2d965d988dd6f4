//! What is remembered of one request between two steps.

use crate::attempt::Event;
use crate::failure::{Failure, Source};

/// What must be remembered of a request between two steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exchange {
    /// When it began, ms since the Unix epoch.
    pub(crate) since: f64,
    /// A bit for each target that was tried.
    pub(crate) tried: u32,
    /// The stage in two bits, the target in five, and the flags.
    state: u32,
}

/// Which action is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Store,
    Round,
    Attempt,
    Over,
}

/// What is so or not of a request.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum Flag {
    /// It may be sent again after it may have reached a target.
    Repeatable = 1 << 7,
    HasBody = 1 << 8,
    /// It is a cold start that is raced to the targets.
    Racing = 1 << 9,
    StoreRead = 1 << 10,
    /// It has waited for the round.
    Waited = 1 << 11,
    /// The host holds a real response, to fall back on.
    HasResponse = 1 << 12,
}

const STAGE: u32 = 3;
const TARGET_FROM: u32 = 2;
const TARGET: u32 = 31 << TARGET_FROM;

impl Exchange {
    pub(crate) fn new(since: f64) -> Self {
        Self::from_parts(since, 0, 0)
    }

    /// As three numbers, for hosts that keep it outside of Rust: when it began,
    /// the targets tried, and everything else.
    #[must_use]
    pub fn to_parts(self) -> (f64, u32, u32) {
        (self.since, self.tried, self.state)
    }

    /// Back from [`Exchange::to_parts`]. Any numbers make some exchange.
    #[must_use]
    pub fn from_parts(since: f64, tried: u32, state: u32) -> Self {
        Self {
            since,
            tried,
            state,
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        match self.state & STAGE {
            0 => Stage::Store,
            1 => Stage::Round,
            2 => Stage::Attempt,
            _ => Stage::Over,
        }
    }

    /// The same exchange, where another action is owed.
    pub(crate) fn owing(self, stage: Stage) -> Self {
        Self {
            state: self.state & !STAGE | stage as u32,
            ..self
        }
    }

    pub(crate) fn is(&self, flag: Flag) -> bool {
        self.state & flag as u32 != 0
    }

    pub(crate) fn set(&mut self, flag: Flag) {
        self.state |= flag as u32;
    }

    pub(crate) fn set_if(&mut self, flag: Flag, so: bool) {
        if so {
            self.set(flag);
        }
    }

    /// How many attempts were made.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.tried.count_ones()
    }

    /// Whether it may be sent again after a target may have received it.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        self.is(Flag::Repeatable)
    }

    /// The index of the target of the attempt that runs, or ran last.
    #[must_use]
    pub fn target(&self) -> usize {
        (self.state & TARGET) as usize >> TARGET_FROM
    }

    /// The same exchange, about the attempt at another target: while two run at
    /// once, an event belongs to one of them.
    #[must_use]
    pub fn at(self, target: usize) -> Self {
        Self {
            state: self.state & !TARGET | (target as u32) << TARGET_FROM & TARGET,
            ..self
        }
    }

    /// Whether the target is to blame for a time-out: not when earlier attempts
    /// had used the deadline up.
    pub(crate) fn blames_target(&self, failure: Failure) -> bool {
        failure.source() == Source::Upstream
            && (failure != Failure::DeadlineExceeded || self.attempts() == 1)
    }

    pub(crate) fn heard(&mut self, event: &Event<'_>) {
        self.set_if(Flag::HasResponse, matches!(event, Event::Response { .. }));
    }

    /// Whether two targets may have it at once.
    pub(crate) fn may_run_twice(&self) -> bool {
        self.is(Flag::Repeatable) && !self.is(Flag::HasBody)
    }

    /// Whether its time to head says something of the target: with a body it is
    /// the client's upload that takes the time.
    pub(crate) fn times_target(&self) -> bool {
        !self.is(Flag::HasBody)
    }

    pub(crate) fn was_tried(&self, target: usize) -> bool {
        self.tried & (1 << target) != 0
    }
}
