//! How long an attempt may take: its own time-out, and the request's deadline.

use crate::failure::Failure;
use crate::request::RequestState;
use crate::settings::Settings;
use crate::time::{Millis, Timestamp};

/// Until the deadline of the request.
pub(crate) fn deadline_in(state: &RequestState, settings: &Settings, now: Timestamp) -> Millis {
    match settings.deadline {
        Some(deadline) => deadline - (now - state.began),
        None => Millis::INFINITY,
    }
}

/// Whether there is time for an attempt.
pub(crate) fn has_time(state: &RequestState, settings: &Settings, now: Timestamp) -> bool {
    deadline_in(state, settings, now) > Millis::ZERO
}

/// Until an attempt that was waited for so long is given up, and which failure
/// that is.
pub(crate) fn time_left(
    state: &RequestState,
    settings: &Settings,
    waited: Millis,
    now: Timestamp,
) -> (Millis, Failure) {
    let own = match settings.attempt_timeout {
        Some(timeout) => timeout - waited,
        None => Millis::INFINITY,
    };
    // The time that the client takes to send a body is not the target's.
    let deadline = if state.has_body {
        deadline_in(state, settings, state.sent) - waited
    } else {
        deadline_in(state, settings, now)
    };
    if own <= deadline {
        (own, Failure::AttemptTimeout)
    } else {
        (deadline, Failure::DeadlineExceeded)
    }
}
