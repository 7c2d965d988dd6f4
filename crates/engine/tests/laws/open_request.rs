//! A request under way, and what holds of each of its steps.

use crate::moves::TARGETS;
use function_fetch_engine::{Action, Failure, Millis, Stage, Step, TargetSet, Timestamp};

/// A request under way, and what has become of it so far.
pub struct Open {
    pub step: Step,
    pub idempotent: bool,
    pub has_body: bool,
    /// Whether it may go to the same target once more.
    pub may_resend: bool,
    /// Whether the store answers it.
    pub reads_store: bool,
    pub began: Timestamp,
    pub attempts: Vec<usize>,
    pub running: Vec<usize>,
    /// Whether a target may have received it.
    pub perhaps_received: bool,
    /// The failure that the last step answers.
    pub failed: Option<(usize, Failure)>,
}

impl Open {
    /// Whether two targets may have it at once.
    pub fn may_run_twice(&self) -> bool {
        self.idempotent && !self.has_body
    }

    /// What holds of each step: one action is owed, or the request is over.
    pub fn check(&self) {
        let Step {
            state,
            action,
            wake_after,
            ..
        } = &self.step;
        assert!(*wake_after >= Millis::ZERO, "{:?}", self.step);
        let owed = match action {
            Action::ReadStore => Stage::Store,
            Action::AwaitRound => Stage::Round,
            Action::Send(_) | Action::Cancel { .. } | Action::Wait => Stage::Attempt,
            Action::Relay | Action::Reply(_) => Stage::Over,
        };
        assert_eq!(state.stage, owed);
        if let Action::Relay = action {
            assert!(state.has_response, "nothing to relay");
        }
        if let Action::Send(attempt) = action {
            assert!(attempt.target < TARGETS, "no such target");
        } else {
            let running: TargetSet = self.running.iter().copied().collect();
            assert_eq!(state.running, running, "what runs is what was sent");
        }
    }

    pub fn one_of_running(&self, index: usize) -> usize {
        self.running[index % self.running.len()]
    }
}
