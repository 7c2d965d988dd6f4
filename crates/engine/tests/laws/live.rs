//! Section 6: failures that live requests meet and probes do not.

use crate::serve::{Live, status};
use crate::talk::{Talk, response, target, wish};
use function_fetch_engine::{Action, Failure, Millis, Notice};

/// The first target fails; the others are well.
fn first_fails(target: usize) -> Live {
    status(if target == 0 { 500 } else { 200 })
}

fn all_well(_: usize) -> Live {
    status(200)
}

/// Until the first target is out.
fn ejected(settings: &[(&str, &str)]) -> Talk {
    let mut talk = Talk::warm(settings);
    for _ in 0..3 {
        assert_eq!(talk.serve("GET", first_fails).tried, [0, 1]);
    }
    assert_eq!(talk.ejections().len(), 1);
    talk
}

/// Until the first target has passed its trials.
fn back() -> Talk {
    let mut talk = ejected(&[]);
    talk.wait(12_000.0);
    talk.serve("POST", all_well);
    for _ in 0..12 {
        assert!(talk.serve("GET", all_well).trial);
        talk.wait(2_000.0);
    }
    talk
}

#[test]
fn three_gets_that_fail_here_and_succeed_elsewhere_eject() {
    for failing in [500, 502, 503, 504, 599] {
        let mut talk = Talk::warm(&[]);
        for wanted in [vec![0, 1], vec![0, 1], vec![0, 1], vec![1], vec![1]] {
            let served = talk.serve("GET", |target| {
                status(if target == 0 { failing } else { 200 })
            });
            assert_eq!((served.status, served.tried), (200, wanted), "{failing}");
        }
        let [(target, reason, ms)] = &talk.ejections()[..] else {
            panic!("one ejection");
        };
        assert_eq!(target, "http://a.test");
        assert_eq!(*reason, format!("status {failing}"));
        assert!((9_000.0..=11_000.0).contains(ms), "{ms}");
    }
}

#[test]
fn a_reset_that_another_target_answers_is_evidence_like_a_status() {
    let mut talk = Talk::warm(&[]);
    for _ in 0..3 {
        let step = talk.begin("GET");
        assert_eq!(target(&step), 0);
        let step = talk.fails(&step, Failure::ConnectionTerminated);
        talk.status(&step, 200);
    }
    assert_eq!(talk.first_choice(), 1);
}

#[test]
fn no_probe_brings_back_what_requests_found() {
    let mut talk = ejected(&[]);
    let mut asked = 0;
    for _ in 0..1_500 {
        talk.wait(100.0);
        let served = talk.serve("GET", first_fails);
        assert_eq!(served.status, 200);
        asked += usize::from(served.tried.contains(&0));
        assert_eq!(talk.serve("POST", first_fails).tried, [1]);
    }
    // Two and a half minutes: after 10, 20, 40 and 80 s.
    assert!((3..=4).contains(&asked), "{asked}");
}

#[test]
fn a_target_that_recovers_is_tried_once_in_two_seconds_and_is_back_after_twelve() {
    let mut talk = ejected(&[]);
    let mut trials = Vec::new();
    let back = loop {
        talk.wait(100.0);
        assert!(trials.len() <= 12, "it is not back");
        let served = talk.serve("GET", all_well);
        match (served.trial, &served.tried[..]) {
            (true, [0]) => trials.push(talk.now),
            (false, [0]) => break trials.len(),
            (false, [1]) => {
                let posted = talk.serve("POST", all_well).tried;
                assert!(trials.len() == 12 || posted == [1], "no trial of a POST");
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(back, 12);
    assert!(
        trials
            .windows(2)
            .all(|pair| pair[1] - pair[0] >= Millis(2_000.0))
    );
    assert_eq!(talk.serve("POST", all_well).tried, [0]);
}

#[test]
fn a_failed_trial_costs_no_client_an_error_and_doubles_the_backoff() {
    for pause in [100.0, 60_000.0] {
        let mut talk = ejected(&[]);
        let mut lengths = vec![10_000.0];
        for _ in 0..100_000 {
            talk.wait(pause);
            assert_eq!(talk.serve("GET", first_fails).status, 200);
            lengths.extend(talk.ejections().into_iter().map(|(.., ms)| ms));
            if lengths.len() == 7 {
                break;
            }
        }
        for (length, wanted) in lengths
            .iter()
            .zip([10e3, 20e3, 40e3, 80e3, 160e3, 300e3, 300e3])
        {
            let jitter = (length - wanted).abs() / wanted;
            assert!(jitter <= 0.101, "{lengths:?} at one in {pause} ms");
        }
        assert_eq!(lengths.len(), 7, "at one in {pause} ms");
    }
}

#[test]
fn a_trial_has_its_fallback_in_hand() {
    let with_body = function_fetch_engine::Request {
        has_body: true,
        ..crate::talk::request("GET")
    };
    let mut talk = ejected(&[]);
    talk.wait(12_000.0);
    talk.serve("POST", first_fails);
    for _ in 0..50 {
        assert_eq!(talk.serve("POST", first_fails).tried, [1]);
        assert_eq!(talk.serve_request(&with_body, first_fails).tried, [1]);
    }
    assert_eq!(talk.serve("GET", first_fails).tried, [0, 1]);
}

#[test]
fn a_target_that_its_probes_find_slower_as_well_gets_no_trials() {
    // The other takes 60 ms; three quarters of the probe may be its handshake.
    for (ms, is_tried) in [(5.0, true), (150.0, true), (900.0, false)] {
        let mut talk = ejected(&[]);
        talk.wait(12_000.0);
        assert!(talk.get().round);
        talk.round(&[Some(ms), Some(60.0), Some(300.0)]);
        let step = talk.begin("GET");
        assert_eq!(step.state.trial, is_tried, "{ms} ms");
        assert_eq!(target(&step), usize::from(!is_tried), "{ms} ms");
    }
}

#[test]
fn a_target_that_nobody_can_try_gets_its_requests_back_after_five_minutes() {
    let mut talk = ejected(&[]);
    talk.wait(12_000.0);
    talk.serve("POST", all_well);
    let half_open = talk.now;
    let back = (0..1_000).find(|_| {
        talk.wait(1_000.0);
        talk.serve("POST", all_well).tried == [0]
    });
    assert!(back.is_some(), "it is out for good");
    let after = talk.now - half_open;
    assert!((Millis(300e3)..Millis(310e3)).contains(&after), "{after:?}");
    assert!(talk.notices().contains(&Notice::Recovered {
        target: "http://a.test".to_owned()
    }));
}

#[test]
fn trials_that_are_answered_well_cost_no_retries() {
    let mut talk = back();
    assert_eq!(talk.serve("POST", all_well).tried, [0], "it is back");
    let failing = (0..20).map(|_| talk.serve("GET", |_| status(500)).tried.len() - 1);
    // Of the first ten, three were used before; twenty requests earn four.
    let retries: usize = failing.sum();
    assert!((11..=15).contains(&retries), "{retries}");
}

#[test]
fn a_target_that_is_back_is_judged_afresh() {
    let mut talk = back();
    for failures in 1..=3 {
        assert_eq!(talk.serve("GET", first_fails).tried, [0, 1]);
        let ejections = talk.ejections();
        assert_eq!(ejections.len(), usize::from(failures == 3), "{failures}");
    }
}

#[test]
fn a_request_that_has_but_one_attempt_is_no_trial() {
    for (most, is_tried) in [("1", false), ("2", true)] {
        let mut talk = Talk::warm(&[("FETCH_MAX_ATTEMPTS", most)]);
        while talk.ejections().is_empty() {
            talk.serve("POST", first_fails);
        }
        talk.wait(12_000.0);
        talk.serve("POST", all_well);
        for _ in 0..20 {
            talk.wait(2_000.0);
            let served = talk.serve("GET", all_well);
            assert_eq!(served.trial, is_tried, "{most}");
            if is_tried {
                break;
            }
        }
    }
}

#[test]
fn a_target_that_is_back_and_slower_than_the_one_in_its_place_is_not_the_first() {
    for (ms, is_first) in [(5.0, true), (200.0, false)] {
        let mut talk = ejected(&[]);
        talk.wait(12_000.0);
        talk.get();
        talk.round(&[Some(ms), Some(60.0), Some(300.0)]);
        for _ in 0..12 {
            let step = talk.begin("GET");
            assert!(step.state.trial);
            talk.status(&step, 200);
            talk.wait(2_000.0);
        }
        assert_eq!(talk.first_choice() == 0, is_first, "{ms} ms");
    }
}

#[test]
fn a_request_that_had_no_retry_left_shows_nothing() {
    let hangs = |target| match target {
        0 => Live::Hangs,
        _ => status(200),
    };
    for (method, ejects) in [("GET", false), ("POST", true)] {
        // The time is up before anything is overdue.
        let mut talk = Talk::warm(&[("FETCH_DEADLINE_MS", "300")]);
        for _ in 0..3 {
            talk.wait(1_000.0);
            let served = talk.serve(method, hangs);
            assert_eq!((served.status, served.tried), (504, vec![0]));
            if !talk.ejections().is_empty() {
                assert!(ejects, "{method}");
                break;
            }
        }
        let first = talk.serve("POST", all_well).tried[0];
        assert_eq!(first != 0, ejects, "{method}");
    }
}

#[test]
fn one_client_with_an_endpoint_that_fails_everywhere_ejects_nobody() {
    for broken in [status(500), status(503), Live::Hangs] {
        let mut talk = Talk::warm(&[]);
        for request in 0..2_000 {
            talk.wait(50.0);
            if request % 2 == 0 {
                let served = talk.serve("GET", |_| broken);
                assert!(served.status >= 500);
            } else {
                assert_eq!(talk.serve("GET", all_well).tried, [0]);
            }
        }
        assert_eq!(talk.ejections(), []);
    }
}

#[test]
fn what_fails_alike_elsewhere_is_the_request_s_doing() {
    let mut talk = Talk::warm(&[("FETCH_MAX_ATTEMPTS", "2")]);
    for _ in 0..6 {
        assert_eq!(talk.serve("GET", |_| status(500)).tried, [0, 1]);
    }
    assert_eq!(talk.ejections(), []);
    // And since then a failure that has no pair counts for less.
    let posts = (0..50).take_while(|_| talk.serve("POST", first_fails).tried == [0]);
    assert!(posts.count() >= 20);
}

#[test]
fn posts_alone_take_six() {
    for (method, settings) in [("POST", vec![]), ("GET", vec![("FETCH_MAX_ATTEMPTS", "1")])] {
        let mut talk = Talk::warm(&settings);
        for wanted in [0, 0, 0, 0, 0, 0, 1, 1] {
            let served = talk.serve(method, first_fails);
            assert_eq!(served.tried, [wanted], "{method}");
            assert_eq!(served.status, if wanted == 0 { 500 } else { 200 });
        }
    }
}

#[test]
fn requests_never_eject_the_last_fit_target() {
    let mut talk = Talk::warm(&[]);
    for _ in 0..60 {
        talk.serve("POST", |_| status(500));
    }
    let ejected: Vec<String> = talk.ejections().into_iter().map(|one| one.0).collect();
    assert_eq!(ejected, ["http://a.test", "http://b.test"]);
    assert_eq!(talk.serve("POST", all_well).tried, [2]);
}

#[test]
fn one_failure_in_a_hundred_ejects_nobody() {
    for (method, pause) in [("GET", 10.0), ("GET", 20_000.0), ("POST", 1_000.0)] {
        let mut talk = Talk::warm(&[]);
        for request in 0..5_000 {
            talk.wait(pause);
            let fails = request % 100 == 7;
            let served = talk.serve(method, |target| {
                status(if fails && target == 0 { 500 } else { 200 })
            });
            assert_eq!(served.tried[0], 0, "{method}");
        }
        assert_eq!(talk.ejections(), []);
    }
}

#[test]
fn three_failures_in_ten_eject_within_twenty_requests() {
    for healthy_before in [0, 5, 1_000] {
        for phase in 0..10 {
            let mut talk = Talk::warm(&[]);
            for _ in 0..healthy_before {
                talk.wait(100.0);
                talk.serve("GET", all_well);
            }
            let until = (1..=20).find(|request| {
                talk.wait(100.0);
                let fails = [3, 6, 9].contains(&((request + phase) % 10));
                let served = talk.serve("GET", |target| {
                    status(if fails && target == 0 { 503 } else { 200 })
                });
                assert_eq!(served.status, 200);
                !talk.ejections().is_empty()
            });
            assert!(until.is_some(), "{healthy_before} {phase}");
        }
    }
}

#[test]
fn one_time_out_after_long_health_ejects_nobody_and_two_do() {
    let mut talk = Talk::warm(&[("FETCH_ATTEMPT_TIMEOUT_MS", "300")]);
    for _ in 0..100 {
        talk.serve("GET", all_well);
    }
    let hangs = |target| match target {
        0 => Live::Hangs,
        _ => status(200),
    };
    assert_eq!(talk.serve("GET", hangs).tried, [0, 1]);
    assert_eq!(talk.ejections(), []);
    assert_eq!(talk.serve("GET", hangs).tried, [0, 1]);
    let [(_, reason, _)] = &talk.ejections()[..] else {
        panic!("one ejection");
    };
    assert_eq!(reason, "http_response_timeout");
}

#[test]
fn retry_after_sets_aside_at_once_for_what_may_be_retried_and_up_to_five_minutes() {
    for (status, retry_after, longest) in [
        (429, 60e3, 60e3),
        (503, 60e3, 60e3),
        (429, 1e9, 300e3),
        (500, 60e3, 0.0),
        (200, 60e3, 0.0),
    ] {
        let mut talk = Talk::warm(&[]);
        let step = talk.begin("GET");
        let step = talk.settle(step.state, wish(0, status, retry_after, 5.0));
        if status >= 500 {
            talk.settle(step.state, response(1, 200));
        } else {
            assert_eq!(step.action, Action::Relay, "the status itself is relayed");
        }
        if longest > 0.0 {
            assert_eq!(talk.first_choice(), 1, "{status}");
            talk.wait(longest - 1.0);
            assert_eq!(talk.first_choice(), 1, "{status}");
        }
        assert_eq!(
            talk.serve("POST", all_well).tried,
            [0],
            "a POST has no other"
        );
        assert_eq!(talk.ejections(), [], "it is not ejected");
        talk.wait(if longest > 0.0 { 1.0 } else { 0.0 });
        assert_eq!(talk.first_choice(), 0, "{status}");
    }
}

#[test]
fn when_all_wish_for_peace_all_are_served() {
    let mut talk = Talk::warm(&[]);
    for wanted in [0, 1, 2, 0] {
        let step = talk.begin("GET");
        assert_eq!(target(&step), wanted);
        talk.settle(step.state, wish(wanted, 429, 60e3, 5.0));
    }
}

#[test]
fn with_none_requests_show_nothing() {
    let mut talk = Talk::new(&[("FETCH_CACHE_ADAPTER", "none")]);
    for _ in 0..20 {
        let served = talk.serve("POST", first_fails);
        assert_eq!((served.status, served.trial), (500, false));
        assert_eq!(served.tried, [0]);
        let step = talk.begin("GET");
        talk.settle(step.state, wish(0, 429, 60e3, 5.0));
    }
    let served = talk.serve("GET", |_| Live::Hangs);
    assert_eq!((served.status, served.took), (504, 60_000.0), "one by one");
}

#[test]
fn few_failures_of_a_busy_target_that_reports_but_some_do_not_eject_it() {
    for (fails_each, out) in [(100, false), (1, true)] {
        let mut talk = Talk::with_sampled_reports(&[]);
        talk.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
        for request in 0..30_000 {
            talk.wait(1.0);
            let fails = request % fails_each == 0;
            talk.serve("GET", |target| {
                status(if fails && target == 0 { 500 } else { 200 })
            });
        }
        assert_eq!(!talk.ejections().is_empty(), out, "one in {fails_each}");
    }
}
