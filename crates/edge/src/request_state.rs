//! What is remembered of a request between two calls, packed into numbers:
//! fields of their own would each be lifted and lowered with every call.

use crate::wit;
use function_fetch_engine::{Engine, RequestState, Stage, TargetSet, Timestamp};

/// The stage in two bits, the responder in five, the flags, one more than the
/// rescuer in six, and the method in four.
const STAGE: u32 = 3;
const RESPONDER_FROM: u32 = 2;
const RESPONDER: u32 = 31;
const RETRYABLE: u32 = 1 << 7;
const HAS_BODY: u32 = 1 << 8;
const RACING: u32 = 1 << 9;
const STORE_READ: u32 = 1 << 10;
const WAITED: u32 = 1 << 11;
const HAS_RESPONSE: u32 = 1 << 12;
const MAY_HEDGE: u32 = 1 << 13;
const OVERDUE: u32 = 1 << 14;
const MAY_RESEND: u32 = 1 << 15;
const MAY_RESCUE: u32 = 1 << 16;
const TRIAL: u32 = 1 << 17;
const RESCUER_FROM: u32 = 18;
const RESCUER: u32 = 63;
const METHOD_FROM: u32 = 24;
const METHOD: u32 = 15;

pub fn to_host(state: RequestState) -> wit::RequestState {
    let flags = [
        (state.retryable, RETRYABLE),
        (state.has_body, HAS_BODY),
        (state.racing, RACING),
        (state.store_read, STORE_READ),
        (state.waited, WAITED),
        (state.has_response, HAS_RESPONSE),
        (state.may_hedge, MAY_HEDGE),
        (state.overdue, OVERDUE),
        (state.may_resend, MAY_RESEND),
        (state.may_rescue, MAY_RESCUE),
        (state.trial, TRIAL),
    ];
    let rescuer = state.rescuer.map_or(0, |target| target as u32 + 1);
    let places = (state.stage as u32)
        | ((state.responder as u32 & RESPONDER) << RESPONDER_FROM)
        | ((rescuer & RESCUER) << RESCUER_FROM)
        | ((u32::from(state.method) & METHOD) << METHOD_FROM);
    wit::RequestState {
        began: state.began.0,
        sent: state.sent.0,
        tried: state.tried.0,
        running: state.running.0,
        failed: state.failed.0,
        bits: flags
            .iter()
            .filter(|(is_set, _)| *is_set)
            .fold(places, |flags, (_, flag)| flags | flag),
    }
}

/// Any numbers make some state.
fn from_host(given: wit::RequestState) -> RequestState {
    let is = |flag| given.bits & flag != 0;
    RequestState {
        began: Timestamp(given.began),
        sent: Timestamp(given.sent),
        tried: TargetSet(given.tried),
        running: TargetSet(given.running),
        failed: TargetSet(given.failed),
        responder: (given.bits >> RESPONDER_FROM & RESPONDER) as usize,
        stage: match given.bits & STAGE {
            0 => Stage::Store,
            1 => Stage::Round,
            2 => Stage::Attempt,
            _ => Stage::Over,
        },
        retryable: is(RETRYABLE),
        has_body: is(HAS_BODY),
        racing: is(RACING),
        store_read: is(STORE_READ),
        waited: is(WAITED),
        has_response: is(HAS_RESPONSE),
        may_hedge: is(MAY_HEDGE),
        overdue: is(OVERDUE),
        may_resend: is(MAY_RESEND),
        may_rescue: is(MAY_RESCUE),
        trial: is(TRIAL),
        rescuer: (given.bits >> RESCUER_FROM & RESCUER)
            .checked_sub(1)
            .map(|target| target as usize),
        method: (given.bits >> METHOD_FROM & METHOD) as u8,
    }
}

/// A state that the host gives back, unless it is about a target that is not
/// there: no engine has handed that out.
pub fn known(engine: &Engine, given: wit::RequestState) -> Option<RequestState> {
    let state = from_host(given);
    (state.responder < engine.settings().targets.len()).then_some(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::engine_of as engine;
    use function_fetch_engine::{Action, Event, Failure, ReplayState, Request};

    #[test]
    fn a_state_comes_back_as_it_went() {
        let now = Timestamp(1e12);
        let mut engine = engine("http://a.example http://b.example http://c.example");
        for has_body in [true, false] {
            let request = Request {
                has_body,
                ..Request::new("GET", "/")
            };
            let mut step = engine.begin(&request, now);
            if step.state.stage == Stage::Round {
                step = engine.settle(step.state, Event::RoundReady, now);
            }
            let mut attempts = 0;
            while let Action::Send(attempt) = step.action {
                attempts += 1;
                assert_eq!(step.state.attempts(), attempts);
                assert_eq!(known(&engine, to_host(step.state)), Some(step.state));
                let failed = Event::Failed {
                    target: attempt.target,
                    failure: Failure::ConnectionRefused,
                    replay: ReplayState::Unsent,
                };
                step = engine.settle(step.state, failed, now);
            }
            assert_eq!(attempts, 3);
            let over = known(&engine, to_host(step.state));
            assert_eq!(over, Some(step.state), "it is over");
        }
    }

    #[test]
    fn what_names_no_target_is_unknown() {
        let engine = engine("http://a.example http://b.example");
        let state = |bits| wit::RequestState {
            began: f64::NAN,
            sent: f64::NAN,
            tried: u32::MAX,
            running: u32::MAX,
            failed: u32::MAX,
            bits,
        };
        assert!(known(&engine, state(0)).is_some());
        assert!(known(&engine, state(u32::MAX)).is_none());
    }
}
