//! Section 6 of the contract: attempts.

use crate::talk::{Talk, forward, own_status, target};
use function_fetch_engine::attempt::Body;
use function_fetch_engine::failure::Sent;
use function_fetch_engine::{Action, Event, Failure, Notice, Request};

#[test]
fn a_get_moves_on_from_every_failure_that_another_target_may_not_have() {
    for failure in Failure::ALL {
        let mut talk = Talk::warm(&[]);
        let first = talk.begin("GET");
        assert_eq!(target(&first), 0);
        let second = talk.fails(&first, failure);
        if failure.sent() == Sent::Pointless {
            assert_eq!(own_status(&second), failure.status(), "{failure:?}");
        } else {
            assert_eq!(target(&second), 1, "{failure:?}");
        }
    }
}

#[test]
fn never_replays_post_after_send() {
    for failure in Failure::ALL {
        for body in [Body::Untouched, Body::Replayable, Body::Gone] {
            let mut talk = Talk::warm(&[]);
            let first = talk.begin("POST");
            let second = talk.fails_with(&first, failure, body);
            let moved_on = matches!(second.action, Action::Forward(_));
            // An alert may come after the first bytes went out (TLS 1.3).
            let late_alert = failure == Failure::TlsAlertReceived && body != Body::Untouched;
            let sent_nothing = failure.sent() == Sent::Nothing && !late_alert;
            assert_eq!(
                moved_on,
                sent_nothing && body != Body::Gone,
                "{failure:?} {body:?}"
            );
        }
    }
}

#[test]
fn post_is_repeated_only_when_named() {
    let mut talk = Talk::warm(&[("FETCH_RETRY_METHODS", "GET POST")]);
    let first = talk.begin("POST");
    let second = talk.fails_with(&first, Failure::ConnectionTerminated, Body::Replayable);
    assert_eq!(target(&second), 1);
    let third = talk.fails_with(&second, Failure::ConnectionTerminated, Body::Gone);
    assert_eq!(own_status(&third), 502);
}

#[test]
fn a_5xx_moves_on_but_501_and_505_do_not() {
    for (status, method, wanted) in [
        (500, "GET", true),
        (502, "HEAD", true),
        (503, "OPTIONS", true),
        (504, "GET", true),
        (599, "GET", true),
        (501, "GET", false),
        (505, "GET", false),
        (404, "GET", false),
        (429, "GET", false),
        (503, "POST", false),
        (503, "DELETE", false),
    ] {
        let mut talk = Talk::warm(&[]);
        let first = talk.begin(method);
        let second = talk.status(&first, status);
        let moved_on = matches!(second.action, Action::Forward(_));
        assert_eq!(moved_on, wanted, "{method} {status}");
        assert!(moved_on || second.action == Action::Relay);
    }
}

#[test]
fn a_5xx_is_relayed_when_retrying_is_off() {
    let mut talk = Talk::warm(&[("FETCH_RETRY_ON_5XX", "false")]);
    let first = talk.begin("GET");
    assert_eq!(talk.status(&first, 503).action, Action::Relay);
}

#[test]
fn a_body_that_is_gone_is_not_sent_again_on_a_5xx() {
    let mut talk = Talk::warm(&[("FETCH_RETRY_METHODS", "PUT")]);
    let first = talk.begin("PUT");
    let event = Event::Response {
        status: 503,
        retry_after_ms: None,
        head_ms: 5.0,
        body: Body::Gone,
    };
    assert_eq!(talk.settle(first.exchange, event).action, Action::Relay);
}

#[test]
fn attempts_go_down_the_rank_and_are_bounded() {
    for (most, wanted) in [("1", vec![0]), ("2", vec![0, 1]), ("9", vec![0, 1, 2])] {
        let mut talk = Talk::warm(&[("FETCH_MAX_ATTEMPTS", most)]);
        let mut step = talk.begin("GET");
        let mut tried = Vec::new();
        while let Action::Forward(forward) = step.action {
            tried.push(forward.target);
            step = talk.status(&step, 503);
        }
        assert_eq!(tried, wanted);
        assert_eq!(step.action, Action::Relay, "the last real response");
    }
}

#[test]
fn a_real_response_is_better_than_none() {
    let mut talk = Talk::warm(&[]);
    let step = talk.begin("GET");
    let step = talk.status(&step, 500);
    let step = talk.fails(&step, Failure::ConnectionRefused);
    let step = talk.fails(&step, Failure::AttemptTimeout);
    assert_eq!(step.action, Action::Relay);
}

#[test]
fn without_any_response_the_failure_names_the_status() {
    for (failure, wanted) in [
        (Failure::ConnectionRefused, 502),
        (Failure::AttemptTimeout, 504),
    ] {
        let mut talk = Talk::warm(&[]);
        let mut step = talk.begin("GET");
        for _ in 0..3 {
            step = talk.fails(&step, failure);
        }
        assert_eq!(own_status(&step), wanted);
    }
}

#[test]
fn the_deadline_bounds_all_attempts_together() {
    let mut talk = Talk::warm(&[
        ("FETCH_ATTEMPT_TIMEOUT_MS", "400"),
        ("FETCH_DEADLINE_MS", "1000"),
    ]);
    let step = talk.begin("GET");
    assert_eq!(forward(&step).timeout_ms, 400.0);
    assert_eq!(forward(&step).on_timeout, Failure::AttemptTimeout);
    talk.wait(400.0);
    let step = talk.fails(&step, Failure::AttemptTimeout);
    talk.wait(400.0);
    let step = talk.fails(&step, Failure::AttemptTimeout);
    assert_eq!(forward(&step).timeout_ms, 200.0);
    assert_eq!(forward(&step).on_timeout, Failure::DeadlineExceeded);
    talk.wait(200.0);
    let step = talk.fails(&step, Failure::DeadlineExceeded);
    assert_eq!(own_status(&step), 504);
    // The third target had but a fifth of the time: it is not to blame.
    let ejected: Vec<_> = talk
        .notices()
        .into_iter()
        .filter(|notice| matches!(notice, Notice::Ejected { .. }))
        .collect();
    assert_eq!(ejected.len(), 2);
}

#[test]
fn no_deadline_and_no_attempt_timeout_when_they_are_zero() {
    let mut talk = Talk::warm(&[
        ("FETCH_ATTEMPT_TIMEOUT_MS", "0"),
        ("FETCH_DEADLINE_MS", "0"),
    ]);
    let step = talk.begin("GET");
    assert!(forward(&step).timeout_ms.is_infinite());
}

#[test]
fn retries_that_load_the_targets_are_budgeted() {
    let mut talk = Talk::warm(&[]);
    let mut retries = 0;
    for _ in 0..200 {
        // 500 is no gateway failure, so nothing is ejected.
        let mut step = talk.begin("GET");
        step = talk.status(&step, 500);
        if matches!(step.action, Action::Forward(_)) {
            retries += 1;
            talk.status(&step, 200);
        }
    }
    assert!((10..=50).contains(&retries), "{retries}");
}

#[test]
fn a_refused_connection_costs_no_budget() {
    let mut talk = Talk::warm(&[]);
    for _ in 0..200 {
        let step = talk.begin("POST");
        let step = talk.fails(&step, Failure::ConnectionRefused);
        let step = talk.status(&step, 200);
        assert_eq!(step.action, Action::Relay);
    }
}

#[test]
fn a_denial_by_the_host_names_the_setting_and_ejects_nothing() {
    let mut talk = Talk::warm(&[]);
    for _ in 0..3 {
        let step = talk.begin("POST");
        assert_eq!(target(&step), 0);
        let step = talk.fails(&step, Failure::HttpRequestDenied);
        assert_eq!(target(&step), 1);
        talk.status(&step, 200);
    }
    let notices = talk.notices();
    let [Notice::Denied { target, remedy }] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert_eq!(target, "http://a.test");
    assert!(remedy.contains("allowed_outbound_hosts"));
}

#[test]
fn a_loop_ends_after_five_hops() {
    let mut talk = Talk::warm(&[]);
    for (hops, looped) in [(4, false), (5, true), (u32::MAX, true)] {
        let request = Request {
            method: "GET",
            path: "/",
            hops,
            has_body: false,
        };
        let step = talk.engine.begin(&request, talk.now);
        assert_eq!(!matches!(step.action, Action::Forward(_)), looped);
        if let Action::Reply(reply) = step.action {
            assert_eq!(reply.status, 508);
            assert_eq!(
                reply.proxy_status,
                "function-fetch; error=proxy_loop_detected"
            );
        }
    }
}

#[test]
fn connect_is_not_served() {
    let step = Talk::warm(&[]).begin("CONNECT");
    assert_eq!(own_status(&step), 501);
}

#[test]
fn without_targets_every_request_hears_why() {
    let step = Talk::new(&[("FETCH_TARGETS", " ")]).begin("GET");
    let Action::Reply(reply) = step.action else {
        panic!("no reply");
    };
    assert_eq!(reply.status, 500);
    assert!(reply.body.starts_with("Missing env: FETCH_TARGETS\n"));
}
