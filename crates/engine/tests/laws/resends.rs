//! Section 6 of the contract: a kept connection that was closed as the request
//! arrived, on hosts that do not tell.

use crate::talk::{Talk, own_status, request, target};
use function_fetch_engine::{Failure, ReplayState, Request, RetrySafety};

/// Of a host that does not tell when a kept connection was found closed.
fn may_meet_closed_connection(method: &str) -> Request<'_> {
    Request {
        may_meet_closed_connection: true,
        ..request(method)
    }
}

const MAYBE_CLOSED: [Failure; 3] = [
    Failure::ConnectionTerminated,
    Failure::HttpResponseIncomplete,
    Failure::HttpProtocolError,
];

#[test]
fn a_request_that_may_have_met_a_closed_connection_goes_to_the_same_target_once_more() {
    for failure in Failure::ALL {
        let again = MAYBE_CLOSED.contains(&failure);
        let mut talk = Talk::warm(&[]);
        let first = talk.begin_with(&may_meet_closed_connection("GET"));
        let second = talk.fails(&first, failure);
        if failure.retry_safety() != RetrySafety::Never {
            assert_eq!(target(&second), usize::from(!again), "{failure:?}");
        }
        if !again {
            continue;
        }
        assert_eq!(talk.notices(), [], "no evidence against the target");
        // Once, whichever target it is.
        let mut step = talk.fails(&second, failure);
        for next in [1, 2] {
            assert_eq!(target(&step), next, "{failure:?}");
            step = talk.fails(&step, failure);
        }
        assert_eq!((own_status(&step), step.state.attempts()), (502, 3));
    }
}

#[test]
fn a_host_that_finds_closed_connections_itself_sends_nothing_twice_to_a_target() {
    for failure in MAYBE_CLOSED {
        let mut talk = Talk::warm(&[]);
        let first = talk.begin("GET");
        assert_eq!(target(&talk.fails(&first, failure)), 1);
    }
}

#[test]
fn neither_a_post_nor_a_consumed_body_goes_to_the_same_target_once_more() {
    for (method, replay, again) in [
        ("POST", ReplayState::Unsent, false),
        ("POST", ReplayState::Replayable, false),
        ("PUT", ReplayState::Consumed, false),
        ("PUT", ReplayState::Aborted, false),
        ("PUT", ReplayState::Unsent, true),
        ("PUT", ReplayState::Replayable, true),
    ] {
        for failure in MAYBE_CLOSED {
            let mut talk = Talk::warm(&[("FETCH_RETRY_METHODS", "GET PUT")]);
            let first = talk.begin_with(&Request {
                has_body: true,
                ..may_meet_closed_connection(method)
            });
            let second = talk.fails_with(&first, failure, replay);
            if again {
                assert_eq!(target(&second), 0, "{method} {replay:?}");
            } else {
                let aborted = replay == ReplayState::Aborted;
                let status = if aborted { 400 } else { 502 };
                assert_eq!(own_status(&second), status, "{method} {replay:?}");
            }
        }
    }
}

#[test]
fn a_request_goes_to_the_same_target_once_more_only_within_the_deadline() {
    let mut talk = Talk::warm(&[("FETCH_DEADLINE_MS", "1000")]);
    let first = talk.begin_with(&may_meet_closed_connection("GET"));
    talk.wait(1_000.0);
    let second = talk.fails(&first, Failure::ConnectionTerminated);
    assert_eq!(own_status(&second), 502);
}
