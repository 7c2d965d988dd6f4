//! More than one attempt at a time: hedging, and the raced cold start.

use crate::request::RequestState;
use crate::settings::{ColdStart, Settings};
use crate::time::{Millis, Timestamp};

/// How long after the last attempt the next one may start beside it; `None` for
/// never. The first good head wins; the host drops the others.
pub(crate) fn delay(state: &RequestState, settings: &Settings) -> Option<Millis> {
    if state.racing {
        Some(Millis::ZERO)
    } else {
        settings.hedge.filter(|_| state.may_run_twice())
    }
}

/// How long it is until then; none where nothing may start beside what runs.
pub(crate) fn due_in(state: &RequestState, settings: &Settings, now: Timestamp) -> Option<Millis> {
    let delay = delay(state, settings).filter(|_| state.may_hedge)?;
    Some(delay - (now - state.sent))
}

/// The most attempts of a request in all. A race takes the place of the probes;
/// a hedge is a retry before its time.
pub(crate) fn most_attempts(state: &RequestState, settings: &Settings) -> u32 {
    if state.racing {
        settings.max_probes
    } else {
        settings.max_attempts
    }
}

/// Whether a cold request is raced to the targets, rather than wait for probes.
pub(crate) fn may_race(state: &RequestState, settings: &Settings) -> bool {
    settings.cold_start == ColdStart::Race && state.may_run_twice()
}
