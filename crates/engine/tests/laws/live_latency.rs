//! Sections 3 and 6: slowness and silence that live requests meet and probes do not.

use crate::serve::{Live, Served, status};
use crate::talk::Talk;
use function_fetch_engine::{Failure, Request};

/// What live requests to each target usually take, ms.
const USUAL: [f64; 3] = [20.0, 80.0, 320.0];

fn usual(target: usize) -> Live {
    Live::Answers(200, USUAL[target])
}

/// The first target became ten times slower; its probes did not.
fn first_is_slow(target: usize) -> Live {
    Live::Answers(200, if target == 0 { 200.0 } else { USUAL[target] })
}

fn first_hangs(target: usize) -> Live {
    if target == 0 {
        Live::Hangs
    } else {
        usual(target)
    }
}

/// After a while of peace.
fn busy(seed: u64) -> Talk {
    let mut talk = Talk::new(&[]);
    talk.reseed(seed);
    talk.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
    for _ in 0..300 {
        talk.wait(100.0);
        assert_eq!(talk.serve("GET", usual).tried, [0]);
    }
    talk.notices();
    talk
}

#[test]
fn a_target_that_only_requests_find_slow_is_left_for_few_trials() {
    for seed in 0..20 {
        let mut talk = busy(seed);
        let (mut gets, mut trials) = (0, 0);
        while talk.ejections().is_empty() {
            gets += 1;
            assert!(gets < 600, "it is still there");
            talk.wait(100.0);
            let served = talk.serve("GET", first_is_slow);
            trials += usize::from(served.trial);
            assert_eq!(served.tried, [usize::from(served.trial)]);
            if talk.ejections().is_empty() {
                assert_eq!(talk.serve("POST", first_is_slow).tried, [0]);
            } else {
                break;
            }
        }
        // Three were saved up.
        assert!(trials >= 3, "{trials}");
        assert!(trials <= 3 + gets / 50 + 1, "{trials} of {gets}");
        assert_eq!(talk.serve("POST", first_is_slow).tried, [1]);
    }
}

#[test]
fn one_that_was_slow_and_is_so_still_does_not_come_back() {
    let mut talk = busy(1);
    let mut slow = 0;
    for _ in 0..3_000 {
        talk.wait(100.0);
        slow += usize::from(talk.serve("GET", first_is_slow).tried[0] == 0);
    }
    let found = slow;
    assert!(found < 600, "{found}");
    let mut lengths = Vec::new();
    for _ in 0..6_000 {
        talk.wait(100.0);
        slow += usize::from(talk.serve("GET", first_is_slow).tried[0] == 0);
        lengths.extend(talk.ejections().into_iter().map(|(.., ms)| ms));
    }
    assert!(slow - found <= 12, "{}", slow - found);
    let back = (0..20_000).find(|_| {
        talk.wait(100.0);
        let served = talk.serve("GET", usual);
        served.tried == [0] && !served.trial
    });
    assert!(back.is_some(), "it is as fast as ever");
}

#[test]
fn slow_everywhere_is_no_reason_to_leave() {
    let mut talk = busy(2);
    let mut trials = 0;
    for _ in 0..2_000 {
        talk.wait(100.0);
        let Served { tried, trial, .. } = talk.serve("GET", |target| {
            Live::Answers(200, 10.0 * USUAL[target].min(25.0))
        });
        assert_eq!(tried, [usize::from(trial)]);
        trials += usize::from(trial);
    }
    assert!((3..=40).contains(&trials), "asked, and answered: {trials}");
    assert_eq!(talk.ejections(), []);
}

/// The cost of endpoints, of which every client picks one by chance.
fn costs(seed: u64) -> impl FnMut(&[f64]) -> f64 {
    // Knuth's MMIX generator.
    let mut random = seed;
    move |of: &[f64]| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        of[(random >> 33) as usize % of.len()]
    }
}

#[test]
fn a_mixture_of_cheap_and_expensive_endpoints_causes_no_switch() {
    for seed in 0..5 {
        let mut talk = Talk::new(&[]);
        talk.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
        talk.notices();
        let mut cost = costs(seed);
        let mut trials = 0;
        for _ in 0..20_000 {
            talk.wait(50.0);
            let cost = cost(&[3.0, 4.0, 5.0, 8.0, 380.0]);
            let served = talk.serve("GET", |target| Live::Answers(200, cost + USUAL[target]));
            assert!(served.trial || served.tried[0] == 0, "it has moved");
            trials += usize::from(served.trial);
        }
        assert_eq!(talk.notices(), [], "seed {seed}");
        assert!(trials <= 100, "{trials} of 20000");
    }
}

#[test]
fn clients_that_turn_to_the_expensive_endpoints_cause_no_switch() {
    let mut trials = 0;
    for seed in 0..10 {
        let mut talk = busy(seed);
        let mut cost = costs(seed);
        for _ in 0..2_000 {
            talk.wait(50.0);
            let cost = cost(&[3.0, 90.0, 380.0, 700.0]);
            let served = talk.serve("GET", |target| Live::Answers(200, cost + USUAL[target]));
            assert!(served.trial || served.tried[0] == 0, "it has moved");
            trials += usize::from(served.trial);
        }
        assert_eq!(talk.notices(), [], "seed {seed}");
    }
    assert!(
        (30..=400).contains(&trials),
        "asked, and answered: {trials}"
    );
}

#[test]
fn a_slow_answer_is_waited_for_beside_another_once_more_is_known() {
    for known in [false, true] {
        let mut talk = if known { busy(3) } else { Talk::warm(&[]) };
        if !known {
            // It may be an endpoint that is slow.
            let served = talk.serve("GET", |target| Live::Answers(200, 9_000.0 + USUAL[target]));
            assert_eq!((served.status, served.tried), (200, vec![0]));
            let served = talk.serve("GET", first_hangs);
            assert_eq!((served.status, served.tried), (200, vec![0, 1]));
        }
        let served = talk.serve("GET", first_hangs);
        assert_eq!((served.status, served.tried), (200, vec![0, 1]));
        assert!(served.took <= 2_000.0 + USUAL[1], "{}", served.took);
        for (method, has_body) in [("POST", false), ("GET", true)] {
            let request = Request {
                has_body,
                ..crate::talk::request(method)
            };
            let served = talk.serve_request(&request, |target| match target {
                0 => Live::Answers(200, 25_000.0),
                _ => status(200),
            });
            assert_eq!(served.tried, [0], "{method}");
        }
    }
}

#[test]
fn a_trial_that_is_overdue_is_not_given_up_and_tells_what_its_target_is_like() {
    for seed in 0..5 {
        let mut talk = busy(seed);
        while talk.ejections().is_empty() {
            talk.wait(100.0);
            talk.serve("GET", first_hangs);
        }
        // It answers again, later than its answers used to be overdue.
        let mut trials = 0;
        let again = (0..600).find(|_| {
            talk.wait(100.0);
            let served = talk.serve("GET", |target| {
                Live::Answers(200, if target == 0 { 390.0 } else { USUAL[target] })
            });
            trials += usize::from(served.trial);
            !talk.ejections().is_empty()
        });
        assert!(again.is_some(), "half-open for good");
        assert!((1..=3).contains(&trials), "{trials}");
    }
}

#[test]
fn a_drift_that_a_refresh_outlives_is_asked_of_live_requests() {
    // A request in 20 s: the refresh comes before a drift has lasted.
    let mut talk = busy(6);
    let left = (0..1_000).find(|_| {
        talk.wait(20_000.0);
        talk.serve("GET", first_is_slow);
        !talk.ejections().is_empty()
    });
    assert!(left.is_some(), "slow has become what is normal");

    // Nothing can be tried: slower is normal then, and not probed for ever.
    let mut talk = busy(7);
    let mut rounds = 0;
    for _ in 0..6_000 {
        talk.wait(1_000.0);
        let step = talk.begin("POST");
        if step.round {
            rounds += 1;
            talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
        }
        talk.answers_in(&step, 200.0);
    }
    assert!(rounds <= 6_000 / 240 + 10, "{rounds} refreshes");
}

#[test]
fn a_target_that_hangs_for_requests_alone_is_out_after_a_few() {
    let mut talk = busy(4);
    let hung = (0..100)
        .take_while(|_| {
            talk.wait(100.0);
            let served = talk.serve("GET", first_hangs);
            assert_eq!(served.status, 200);
            served.tried[0] == 0
        })
        .count();
    // Each weighs less than a failure, and it was well for long.
    assert!((5..=8).contains(&hung), "{hung}");
    assert_eq!(talk.ejections().len(), 1);
    assert_eq!(talk.serve("POST", first_hangs).tried, [1]);
    talk.wait(12_000.0);
    talk.serve("POST", usual);
    let served = talk.serve("GET", first_hangs);
    assert_eq!((served.status, served.tried), (200, vec![0, 1]), "a trial");
    assert_eq!(talk.ejections().len(), 1, "and out again");
}

#[test]
fn an_overdue_answer_is_evidence_where_another_target_took_two_thirds_of_the_wait() {
    // The first is waited for for 400 ms before another one is asked beside.
    for (ms, is_evidence) in [(250.0, true), (280.0, false), (900.0, false)] {
        let mut talk = busy(8);
        for _ in 0..20 {
            talk.wait(100.0);
            let served = talk.serve("GET", |target| match target {
                0 => Live::Hangs,
                _ => Live::Answers(200, ms),
            });
            assert_eq!(served.status, 200);
            if served.tried[0] == 0 {
                assert_eq!((served.tried, served.took), (vec![0, 1], 400.0 + ms));
            }
        }
        assert_eq!(!talk.ejections().is_empty(), is_evidence, "{ms}");
    }
}

#[test]
fn a_target_that_failed_must_be_less_than_twice_as_slow_as_it_was_to_come_back() {
    for (ms, is_back) in [(20.0, true), (36.0, true), (60.0, false), (200.0, false)] {
        let mut talk = busy(9);
        while talk.ejections().is_empty() {
            talk.wait(100.0);
            talk.serve("GET", |target| match target {
                0 => status(500),
                _ => usual(target),
            });
        }
        talk.wait(12_000.0);
        talk.serve("POST", usual);
        let mut trials = 0;
        for _ in 0..12 {
            talk.wait(2_000.0);
            let served = talk.serve("GET", |target| {
                Live::Answers(200, if target == 0 { ms } else { USUAL[target] })
            });
            trials += usize::from(served.trial);
        }
        assert_eq!(trials == 12, is_back, "{trials} trials of {ms} ms");
        let first = talk.serve("POST", usual).tried[0];
        assert_eq!(first == 0, is_back, "{ms} ms");
    }
}

#[test]
fn no_request_is_compared_with_a_target_that_has_died_meanwhile() {
    let mut talk = busy(10);
    let trial = (0..600).find_map(|_| {
        talk.wait(100.0);
        let step = talk.begin("GET");
        if step.state.trial {
            return Some(step);
        }
        talk.answers_in(&step, 200.0);
        None
    });
    let step = talk.fails(&trial.expect("a trial"), Failure::ConnectionRefused);
    talk.answers_in(&step, 200.0);
    for _ in 0..9 {
        talk.wait(100.0);
        let step = talk.begin("GET");
        assert!(!step.state.trial, "it is ejected");
        talk.answers_in(&step, 200.0);
    }
    for _ in 0..200 {
        let step = talk.begin("GET");
        assert!(!step.state.trial, "it is ejected");
        talk.answers_in(&step, 200.0);
    }
}

#[test]
fn a_request_that_two_targets_had_compares_nothing() {
    for (hedge, is_left) in [("off", true), ("100", false)] {
        let mut talk = Talk::new(&[("FETCH_HEDGE_MS", hedge)]);
        talk.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
        // They save up a hundred retries, which hedges cost.
        for _ in 0..600 {
            talk.wait(100.0);
            talk.serve("GET", usual);
        }
        let mut trials = 0;
        for _ in 0..60 {
            talk.wait(100.0);
            // The second is faster, though not when it is asked beside.
            let served = talk.serve("GET", |target| Live::Answers(200, [200.0, 104.0][target]));
            trials += usize::from(served.trial);
        }
        assert!(trials >= 3, "{trials}");
        assert_eq!(!talk.ejections().is_empty(), is_left, "{hedge}");
    }
}

#[test]
fn an_endpoint_that_is_slow_on_all_targets_ejects_nobody() {
    let mut talk = busy(5);
    for request in 0..1_000 {
        talk.wait(1_000.0);
        let served = talk.serve("GET", |target| match request % 4 {
            0 => Live::Answers(200, 10_000.0),
            _ => usual(target),
        });
        assert_eq!(served.status, 200);
    }
    assert_eq!(talk.ejections(), []);
}
