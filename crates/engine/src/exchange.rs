//! What is remembered of one request between two steps.

use crate::attempt::Event;
use crate::failure::{Failure, Source};

/// What must be remembered of a request between two steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exchange {
    pub(crate) stage: Stage,
    /// When it began, ms since the Unix epoch.
    pub(crate) since: f64,
    /// A bit for each target that was tried.
    pub(crate) tried: u32,
    /// The target of the attempt that runs, or ran last.
    pub(crate) target: u8,
    /// Whether it may be sent again after it may have reached a target.
    pub(crate) repeatable: bool,
    pub(crate) has_body: bool,
    /// Whether it is a cold start that is raced to the targets.
    pub(crate) racing: bool,
    pub(crate) store_read: bool,
    pub(crate) waited: bool,
    /// Whether the host holds a real response, to fall back on.
    pub(crate) has_response: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Store,
    Round,
    Attempt,
    Over,
}

/// The flags of [`Exchange::to_parts`], above the stage and the target.
const FLAGS_FROM: u32 = 7;

impl Exchange {
    /// As three numbers, for hosts that keep it outside of Rust: when it began,
    /// the targets tried, and everything else.
    #[must_use]
    pub fn to_parts(self) -> (f64, u32, u32) {
        let flags = [
            self.repeatable,
            self.has_body,
            self.racing,
            self.store_read,
            self.waited,
            self.has_response,
        ];
        let state = flags.iter().enumerate().fold(0, |state, (bit, flag)| {
            state | u32::from(*flag) << (FLAGS_FROM + bit as u32)
        });
        let rest = self.stage as u32 | u32::from(self.target) << 2;
        (self.since, self.tried, state | rest)
    }

    /// Back from [`Exchange::to_parts`]. Any numbers make some exchange.
    #[must_use]
    pub fn from_parts(since: f64, tried: u32, state: u32) -> Self {
        let flag = |bit: u32| state >> (FLAGS_FROM + bit) & 1 == 1;
        Self {
            stage: match state & 3 {
                0 => Stage::Store,
                1 => Stage::Round,
                2 => Stage::Attempt,
                _ => Stage::Over,
            },
            since,
            tried,
            target: (state >> 2 & 31) as u8,
            repeatable: flag(0),
            has_body: flag(1),
            racing: flag(2),
            store_read: flag(3),
            waited: flag(4),
            has_response: flag(5),
        }
    }

    /// How many attempts were made.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.tried.count_ones()
    }

    /// The index of the target of the attempt that this is about.
    #[must_use]
    pub fn target(&self) -> usize {
        usize::from(self.target)
    }

    /// The same exchange, about the attempt at another target: while two run at
    /// once, an event belongs to one of them.
    #[must_use]
    pub fn at(self, target: usize) -> Self {
        Self {
            target: target as u8,
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
