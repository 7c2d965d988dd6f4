//! What may be sent again: after which status, after which failure, and how
//! often.

use crate::conversation::ReplayState;
use crate::failure::{Failure, RetrySafety};
use crate::request::RequestState;
use crate::settings::Settings;

/// Whether a request goes to the next target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// No: the client gets the result as it is.
    No,
    /// Yes, and it adds no load to the targets.
    Free,
    /// Yes, while the budget has a retry.
    Budgeted,
}

/// Section 6 of the contract: whether a status is the client's to see, or worth
/// another attempt.
pub(crate) fn is_good(status: u16, settings: &Settings) -> bool {
    !settings.retry_on_5xx || !settings.is_failure_status(status)
}

/// After a response whose status is worth another attempt.
pub(crate) fn after_bad_response(state: &RequestState, replay: ReplayState) -> Retry {
    if state.retryable && replay.can_be_sent() {
        Retry::Budgeted
    } else {
        Retry::No
    }
}

/// After an attempt without a response (`docs/behaviour.md`, section 6). An attempt
/// that sent nothing has cost the targets nothing, so its retry is not budgeted;
/// neither is that of an attempt whose target was found dead.
pub(crate) fn after_failure(state: &RequestState, failure: Failure, replay: ReplayState) -> Retry {
    let safety = match failure.retry_safety() {
        // With TLS 1.3 a server may refuse the client's certificate after the
        // first bytes of the request were on their way.
        RetrySafety::Always
            if failure == Failure::TlsAlertReceived && replay != ReplayState::Unsent =>
        {
            RetrySafety::IfIdempotent
        }
        safety => safety,
    };
    match safety {
        _ if !replay.can_be_sent() => Retry::No,
        RetrySafety::Always => Retry::Free,
        RetrySafety::IfIdempotent if !state.retryable => Retry::No,
        RetrySafety::IfIdempotent if failure == Failure::TargetLost => Retry::Free,
        RetrySafety::IfIdempotent => Retry::Budgeted,
        RetrySafety::Never => Retry::No,
    }
}

/// The failure that counts: where the client broke its body off, that is the
/// cause.
pub(crate) fn blamed(failure: Failure, replay: ReplayState) -> Failure {
    if replay == ReplayState::Aborted {
        Failure::HttpRequestIncomplete
    } else {
        failure
    }
}

/// Whether a request is sent to the same target once more, since the connection
/// may have been closed already and the host does not tell.
pub(crate) fn resends(state: &RequestState, failure: Failure, replay: ReplayState) -> bool {
    state.may_resend && failure.may_be_closed_connection() && replay.can_be_sent()
}

/// The retry budget: retries may add a fifth to the load, and ten requests at
/// first, so that a failing target cannot multiply the traffic of the others.
/// Each instance has its own tokens; a retry takes one.
#[derive(Clone, Debug)]
pub(crate) struct RetryBudget(f64);

/// What each request adds.
const PER_REQUEST: f64 = 0.2;

/// What an instance starts with.
const INITIAL: f64 = 10.0;

/// The most that is saved up: after days without a failure, an instance must not
/// answer the first one with thousands of retries.
const MOST: f64 = 100.0;

impl Default for RetryBudget {
    fn default() -> Self {
        Self(INITIAL)
    }
}

impl RetryBudget {
    pub(crate) fn request(&mut self) {
        self.0 = (self.0 + PER_REQUEST).min(MOST);
    }

    /// Whether a retry is left.
    pub(crate) fn has_one(&self) -> bool {
        self.0 >= 1.0
    }

    /// Gives a token back that was kept for a retry.
    pub(crate) fn give_back(&mut self) {
        self.0 += 1.0;
    }

    /// Takes a token for a retry, or says that none is left.
    pub(crate) fn take(&mut self) -> bool {
        let left = self.0 >= 1.0;
        if left {
            self.0 -= 1.0;
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_stay_within_a_fifth_and_ten() {
        let mut budget = RetryBudget::default();
        let mut retries = 0.0;
        for request in 1..=5000 {
            budget.request();
            while budget.take() {
                retries += 1.0;
            }
            assert!(retries <= 0.2 * f64::from(request) + 10.0);
        }
        assert!(retries > 1000.0);
    }

    #[test]
    fn a_retry_that_is_given_back_can_be_taken_again() {
        let mut budget = RetryBudget::default();
        let taken = (0..20).filter(|_| budget.take()).count();
        assert_eq!(taken, 10);
        assert!(!budget.has_one());
        budget.give_back();
        assert!(budget.has_one() && budget.take() && !budget.take());
    }

    #[test]
    fn days_without_a_failure_save_up_a_hundred_retries() {
        let mut budget = RetryBudget::default();
        for _ in 0..100_000 {
            budget.request();
        }
        assert_eq!((0..1_000).filter(|_| budget.take()).count(), 100);
    }
}
