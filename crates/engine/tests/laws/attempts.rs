//! Section 6 of the contract: attempts.

use crate::talk::{Talk, failed, own_status, request, response, target, timer};
use function_fetch_engine::record::{Record, Stored, TargetRecord};
use function_fetch_engine::{
    Action, Event, Failure, Millis, Notice, ReplayState, Request, RetrySafety,
};

#[test]
fn a_get_moves_on_from_every_failure_that_another_target_may_not_have() {
    for failure in Failure::ALL {
        let mut talk = Talk::warm(&[]);
        let first = talk.begin("GET");
        assert_eq!(target(&first), 0);
        let second = talk.fails(&first, failure);
        if failure.retry_safety() == RetrySafety::Never {
            assert_eq!(own_status(&second), failure.status(), "{failure:?}");
        } else {
            assert_eq!(target(&second), 1, "{failure:?}");
        }
    }
}

#[test]
fn never_replays_post_after_send() {
    for failure in Failure::ALL {
        for replay in [
            ReplayState::Unsent,
            ReplayState::Replayable,
            ReplayState::Consumed,
        ] {
            let mut talk = Talk::warm(&[]);
            let first = talk.begin("POST");
            let second = talk.fails_with(&first, failure, replay);
            let moved_on = matches!(second.action, Action::Send(_));
            // An alert may come after the first bytes went out (TLS 1.3).
            let late_alert = failure == Failure::TlsAlertReceived && replay != ReplayState::Unsent;
            let sent_nothing = failure.retry_safety() == RetrySafety::Always && !late_alert;
            assert_eq!(
                moved_on,
                sent_nothing && replay != ReplayState::Consumed,
                "{failure:?} {replay:?}"
            );
        }
    }
}

#[test]
fn post_is_repeated_only_when_named() {
    let mut talk = Talk::warm(&[("FETCH_RETRY_METHODS", "GET POST")]);
    let first = talk.begin("POST");
    let second = talk.fails_with(
        &first,
        Failure::ConnectionTerminated,
        ReplayState::Replayable,
    );
    assert_eq!(target(&second), 1);
    let third = talk.fails_with(
        &second,
        Failure::ConnectionTerminated,
        ReplayState::Consumed,
    );
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
        let moved_on = matches!(second.action, Action::Send(_));
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
fn the_statuses_that_are_retried_are_a_setting() {
    let mut talk = Talk::warm(&[("FETCH_RETRY_STATUSES", "429,503")]);
    for status in [429, 503] {
        let first = talk.begin("GET");
        let second = talk.status(&first, status);
        assert_ne!(target(&second), target(&first), "{status}");
    }
    for status in [500, 502, 408, 501, 404] {
        let first = talk.begin("GET");
        assert_eq!(
            talk.status(&first, status).action,
            Action::Relay,
            "{status}"
        );
    }
    let first = talk.begin("POST");
    assert_eq!(talk.status(&first, 429).action, Action::Relay);
}

#[test]
fn no_status_is_retried_when_retrying_is_off_whatever_the_list_says() {
    let mut talk = Talk::warm(&[
        ("FETCH_RETRY_STATUSES", "429,503"),
        ("FETCH_RETRY_ON_5XX", "false"),
    ]);
    for status in [429, 503] {
        let first = talk.begin("GET");
        assert_eq!(
            talk.status(&first, status).action,
            Action::Relay,
            "{status}"
        );
    }
    assert!(
        talk.engine.settings().is_failure_status(429),
        "it is evidence all the same"
    );
}

#[test]
fn a_consumed_body_is_not_sent_again_on_a_5xx() {
    let mut talk = Talk::warm(&[("FETCH_RETRY_METHODS", "PUT")]);
    let first = talk.begin("PUT");
    let event = Event::Response {
        target: 0,
        status: 503,
        retry_after: None,
        ttfb: Millis(5.0),
        replay: ReplayState::Consumed,
    };
    assert_eq!(talk.settle(first.state, event).action, Action::Relay);
}

#[test]
fn attempts_go_down_the_rank_and_are_bounded() {
    for (most, wanted) in [("1", vec![0]), ("2", vec![0, 1]), ("9", vec![0, 1, 2])] {
        let mut talk = Talk::warm(&[("FETCH_MAX_ATTEMPTS", most)]);
        let mut step = talk.begin("GET");
        let mut tried = Vec::new();
        while let Action::Send(attempt) = step.action {
            tried.push(attempt.target);
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
    let mut step = talk.begin("GET");
    for (tried, ms, failure) in [
        (0, 400.0, Failure::AttemptTimeout),
        (1, 400.0, Failure::AttemptTimeout),
        (2, 200.0, Failure::DeadlineExceeded),
    ] {
        assert_eq!((target(&step), step.wake_after), (tried, Millis(ms)));
        talk.wait(ms);
        step = talk.waited(&step, &[(tried, ms)]);
        let target = tried;
        assert_eq!(step.action, Action::Cancel { target, failure });
        step = talk.fails(&step, failure);
    }
    assert_eq!(own_status(&step), 504);
    assert_eq!(talk.notices(), [], "all failed alike: nobody is to blame");
}

#[test]
fn an_attempt_that_had_but_the_rest_of_the_deadline_is_not_to_blame() {
    for (failure, blamed) in [
        (Failure::DeadlineExceeded, false),
        (Failure::AttemptTimeout, true),
    ] {
        let mut talk = Talk::warm(&[("FETCH_HEDGE_MS", "100")]);
        for _ in 0..4 {
            let first = talk.begin("GET");
            talk.wait(100.0);
            let both = talk.waited(&first, &[(0, 100.0)]);
            let Action::Send(hedge) = both.action else {
                panic!("no hedge: {both:?}");
            };
            let one = talk.settle(both.state, failed(hedge.target, failure));
            assert_eq!(one.action, Action::Wait);
            talk.settle(one.state, response(0, 200));
        }
        let ejected = talk
            .notices()
            .iter()
            .any(|notice| matches!(notice, Notice::Ejected { .. }));
        assert_eq!(ejected, blamed, "{failure:?}");
    }
}

#[test]
fn no_deadline_and_no_attempt_timeout_when_they_are_zero() {
    let settings = [
        ("FETCH_ATTEMPT_TIMEOUT_MS", "0"),
        ("FETCH_DEADLINE_MS", "0"),
    ];
    let mut talk = Talk::warm(&settings);
    let step = talk.begin("POST");
    assert_eq!(step.wake_after, Millis(500.0), "then a probe asks");
    assert!(step.wake_after.is_finite());
    for ms in [500.0, 100_000_000.0] {
        talk.wait(ms);
        let step = talk.waited(&step, &[(0, ms)]);
        assert_eq!(
            (&step.action, step.wake_after),
            (&Action::Wait, Millis::INFINITY)
        );
        assert!(!step.wake_after.is_finite());
    }
    // A GET to a target that has just failed goes to the next beside, once, and
    // then both may take their time.
    let mut talk = Talk::warm(&settings);
    let step = talk.begin("GET");
    let step = talk.status(&step, 500);
    talk.status(&step, 200);
    let step = talk.begin("GET");
    let step = talk.waited(&step, &[(0, 500.0)]);
    assert_eq!(
        (&step.action, step.wake_after),
        (&Action::Wait, Millis(500.0))
    );
    let both = talk.waited(&step, &[(0, 1_000.0)]);
    assert_eq!((target(&both), both.wake_after), (1, Millis::ZERO));
    for ms in [1_000.0, 100_000_000.0] {
        let both = talk.waited(&both, &[(0, 1_000.0 + ms), (1, ms)]);
        assert_eq!(
            (&both.action, both.wake_after),
            (&Action::Wait, Millis::INFINITY)
        );
    }
}

#[test]
fn a_time_out_of_one_of_two_attempts_ends_that_one_only() {
    let mut talk = Talk::warm(&[
        ("FETCH_ATTEMPT_TIMEOUT_MS", "400"),
        ("FETCH_HEDGE_MS", "300"),
    ]);
    let first = talk.begin("GET");
    talk.wait(300.0);
    let hedge = talk.waited(&first, &[(0, 300.0)]);
    assert_eq!((target(&hedge), hedge.wake_after), (1, Millis::ZERO));
    let both = talk.waited(&hedge, &[(0, 300.0), (1, 0.0)]);
    assert_eq!(
        (&both.action, both.wake_after),
        (&Action::Wait, Millis(100.0))
    );
    talk.wait(100.0);
    let over = talk.waited(&both, &[(0, 400.0), (1, 100.0)]);
    let failure = Failure::AttemptTimeout;
    assert_eq!(over.action, Action::Cancel { target: 0, failure });
    let one = talk.fails(&over, failure);
    assert_eq!((&one.action, one.wake_after), (&Action::Wait, Millis::ZERO));
    let one = talk.waited(&one, &[(1, 100.0)]);
    assert_eq!(
        (&one.action, one.wake_after),
        (&Action::Wait, Millis(200.0))
    );
    let done = talk.settle(one.state, response(1, 200));
    assert_eq!(done.action, Action::Relay);
    let notices = talk.notices();
    let ejected = notices
        .iter()
        .filter(|notice| matches!(notice, Notice::Ejected { .. }));
    assert_eq!(ejected.count(), 1, "{notices:?}");
}

const HOUR: f64 = 3_600_000.0;

#[test]
fn a_clock_that_steps_back_an_hour_postpones_a_time_out_by_no_more_than_its_length() {
    // Zero is none.
    for (attempt_timeout, deadline) in [(30e3, 60e3), (0.0, 1e3), (1e3, 0.0), (400.0, 1e3)] {
        for has_body in [false, true] {
            let list: Vec<String> = (0..16).map(|i| format!("http://t{i}.test")).collect();
            let mut talk = Talk::new(&[
                ("FETCH_TARGETS", &list.join(" ")),
                ("FETCH_CACHE_ADAPTER", "none"),
                ("FETCH_MAX_ATTEMPTS", "16"),
                ("FETCH_ATTEMPT_TIMEOUT_MS", &attempt_timeout.to_string()),
                ("FETCH_DEADLINE_MS", &deadline.to_string()),
            ]);
            let mut step = talk.begin_with(&Request {
                has_body,
                ..request("GET")
            });
            talk.wait(-HOUR);
            let (mut waited, mut all) = (0.0, 0.0);
            while let Action::Send(_) | Action::Wait = step.action {
                if let Action::Send(_) = step.action {
                    waited = 0.0;
                }
                let Millis(ms) = step.wake_after;
                talk.wait(ms);
                waited += ms;
                all += ms;
                let about = format!("{waited} of {attempt_timeout}, {all} of {deadline}");
                assert!(
                    attempt_timeout == 0.0 || waited <= 2.0 * attempt_timeout,
                    "{about}"
                );
                assert!(deadline == 0.0 || all <= 2.0 * deadline, "{about}");
                step = talk.waited(&step, &[(step.state.responder, waited)]);
                if let Action::Cancel { failure, .. } = step.action {
                    step = talk.fails(&step, failure);
                }
            }
            assert_eq!(own_status(&step), 504);
            assert!(all >= deadline, "{all} of {deadline}");
        }
    }
}

#[test]
fn retries_that_load_the_targets_are_budgeted() {
    // Without a memory nothing is ejected.
    let mut talk = Talk::new(&[("FETCH_CACHE_ADAPTER", "none")]);
    let mut retries = 0;
    for _ in 0..200 {
        let mut step = talk.begin("GET");
        step = talk.status(&step, 500);
        if matches!(step.action, Action::Send(_)) {
            retries += 1;
            talk.status(&step, 200);
        }
    }
    assert!((10..=50).contains(&retries), "{retries}");
}

#[test]
fn a_request_that_failed_everywhere_costs_no_retry_that_it_cannot_make() {
    let mut talk = Talk::new(&[
        ("FETCH_CACHE_ADAPTER", "none"),
        ("FETCH_TARGETS", "http://a.test http://b.test"),
    ]);
    let mut retries = 0;
    for _ in 0..200 {
        let step = talk.begin("GET");
        let step = talk.status(&step, 500);
        if matches!(step.action, Action::Send(_)) {
            retries += 1;
            assert_eq!(talk.status(&step, 500).action, Action::Relay);
        }
    }
    assert!((45..=50).contains(&retries), "{retries}");
}

#[test]
fn without_a_budget_only_what_cost_the_targets_nothing_is_retried() {
    use Failure::{ConnectionRefused, ConnectionTerminated, TargetLost};
    let failures = [ConnectionRefused, TargetLost, ConnectionTerminated];
    for (failure, is_retried) in failures.into_iter().zip([true, true, false]) {
        let mut talk = Talk::new(&[("FETCH_CACHE_ADAPTER", "none")]);
        // Until one has used up what twenty have earned.
        let mut requests = 0;
        loop {
            requests += 1;
            let mut step = talk.begin("GET");
            let mut retries = 0;
            step = talk.status(&step, 500);
            while let Action::Send(_) = step.action {
                retries += 1;
                step = talk.status(&step, 500);
            }
            if requests > 20 && retries > 0 {
                break;
            }
        }
        let step = talk.begin("GET");
        let step = talk.fails(&step, failure);
        let retried = matches!(step.action, Action::Send(_));
        assert_eq!(retried, is_retried, "{failure:?}");
    }
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
        let step = talk.begin_with(&Request {
            hops,
            ..request("GET")
        });
        assert_eq!(!matches!(step.action, Action::Send(_)), looped);
        if let Action::Reply(reply) = step.action {
            assert_eq!(reply.status, 508);
            assert_eq!(
                reply.field("proxy-status"),
                Some("function-fetch; error=proxy_loop_detected")
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

#[test]
fn a_path_that_climbs_out_is_refused_where_a_target_has_a_base_path() {
    for (targets, path, refused) in [
        ("http://a.test http://b.test/base", "/x/../../y", true),
        ("http://a.test http://b.test/base", "/x/../y", false),
        ("http://a.test http://b.test", "/x/../../y", false),
        ("http://a.test http://b.test", "/y", false),
    ] {
        let mut talk = Talk::new(&[("FETCH_TARGETS", targets), ("FETCH_CACHE_ADAPTER", "none")]);
        let step = talk.begin_with(&Request::new("GET", path));
        if refused {
            assert_eq!(own_status(&step), 400, "{targets} {path}");
        } else {
            assert_eq!(target(&step), 0, "{targets} {path}");
        }
    }
}

#[test]
fn an_answer_is_overdue_after_what_one_in_a_thousand_took() {
    // The mean and the variance of the logarithms, as the store tells them.
    for (live, ms) in [
        (None, 500.0..=500.0),
        (Some((20f64.ln(), 0.01)), 200.0..=200.0),
        (Some((400f64.ln(), 0.09)), 983.0..=984.5),
        (Some((2_000f64.ln(), 0.01)), 2_699.0..=2_700.5),
        (Some((4_000f64.ln(), 1.0)), 5_000.0..=5_000.0),
    ] {
        let mut talk = Talk::with_store(&[]);
        let known = |ms| TargetRecord {
            latency: Some(Millis(ms)),
            n: 2,
            live: live.map(Into::into),
            ..TargetRecord::default()
        };
        let targets = [5.0, 60.0, 300.0].map(known).to_vec();
        let record = Record::new(talk.engine.settings(), talk.now, 0, targets);
        let step = talk.begin("POST");
        let stored = Event::StoreRead(Some(Stored::Record(record)));
        let step = talk.settle(step.state, stored);
        assert!(ms.contains(&step.wake_after.0), "{live:?}: {step:?}");
        let Millis(overdue) = step.wake_after;
        // A host whose timer fires too early is told how long it has still to wait.
        let early = talk.waited(&step, &[(0, overdue - 50.0)]);
        assert_eq!(early.action, Action::Wait);
        assert!((early.wake_after.0 - 50.0).abs() < 1e-6, "{early:?}");
        assert!(!early.wake_on_round, "nothing is overdue");
        talk.wait(overdue);
        let late = talk.waited(&early, &[(0, overdue)]);
        assert!(late.wake_on_round && late.round, "{late:?}");
    }
}

#[test]
fn a_target_that_is_not_among_the_settings_is_not_waited_for() {
    let mut talk = Talk::warm(&[]);
    let mut step = talk.begin("GET");
    // As a host in JavaScript may hand it back.
    step.state.running = [0, 8].into_iter().collect();
    let step = talk.settle(step.state, timer(&[(8, 1e9), (0, 1.0)]));
    assert!(matches!(step.action, Action::Wait), "{:?}", step.action);
}
