//! Sections 3 and 6: second looks, drift, suspicion, hedging, races, spread.

use crate::talk::{Talk, forward, probe, target};
use function_fetch_engine::attempt::Body;
use function_fetch_engine::{Action, Event, Failure, Notice, Stored};

const SECOND: f64 = 1000.0;

/// Makes a refresh due, runs its first probes, and says which targets get a
/// second look.
fn refresh(talk: &mut Talk, latencies: &[f64]) -> Option<function_fetch_engine::Round> {
    talk.wait(300.0 * SECOND);
    let round = talk.engine.start_round(talk.now).expect("a refresh is due");
    for target in &round.targets {
        let outcome = probe(Some(latencies[*target]));
        talk.engine.probed(round.id, *target, outcome, talk.now);
    }
    talk.engine.finish_round(round.id, talk.now)
}

/// A GET to the first target whose head takes so long; whether a round is due.
fn answer(talk: &mut Talk, ms: f64) -> bool {
    let step = talk.begin("GET");
    assert_eq!(target(&step), 0, "only a probe moves it");
    let event = Event::Response {
        status: 200,
        retry_after_ms: None,
        head_ms: ms,
        body: Body::Untouched,
    };
    talk.settle(step.exchange, event).round
}

#[test]
fn only_further_looks_move_the_primary_and_one_lost_packet_does_not() {
    for (primary_ms, looks, wanted) in [
        // It really is slow now.
        (vec![200.0, 200.0, 200.0], 3, 1),
        (vec![200.0, 70.0, 200.0], 3, 1),
        // The first slow answer was a lost packet; or another one is lost.
        (vec![55.0], 1, 0),
        (vec![200.0, 50.0, 50.0], 3, 0),
        // Slower than the challenger, but within the margin.
        (vec![68.0, 70.0, 69.0], 3, 0),
    ] {
        let mut talk = Talk::new(&[]);
        talk.round(&[Some(50.0), Some(60.0), Some(300.0)]);
        let mut next = refresh(&mut talk, &[900.0, 60.0, 290.0]);
        let mut looked = 0;
        while let Some(look) = next {
            assert_eq!(look.targets[0], 0, "the primary is measured again too");
            for target in &look.targets {
                let ms = [primary_ms[looked], 60.0, 290.0][*target];
                talk.engine
                    .probed(look.id, *target, probe(Some(ms)), talk.now);
            }
            looked += 1;
            next = talk.engine.finish_round(look.id, talk.now);
        }
        assert_eq!(looked, looks, "{primary_ms:?}");
        assert_eq!(talk.first_choice(), wanted, "{primary_ms:?}");
    }
}

#[test]
fn a_second_look_takes_the_place_of_the_first_that_paid_a_handshake() {
    let mut talk = Talk::new(&[("FETCH_SPREAD", "true")]);
    talk.round(&[Some(50.0), Some(150.0), Some(900.0)]);
    let look = refresh(&mut talk, &[50.0, 150.0, 900.0]).expect("a second look");
    assert_eq!(look.targets, [0, 1]);
    for target in look.targets {
        talk.engine
            .probed(look.id, target, probe(Some(50.0)), talk.now);
    }
    talk.engine.finish_round(look.id, talk.now);
    // 150 ms was the handshake; what counts now is near enough to share.
    let stored: Vec<usize> = (0..40)
        .map(|_| {
            talk.wait(300.0 * SECOND);
            talk.round(&[Some(50.0), Some(52.0), Some(900.0)]);
            talk.first_choice()
        })
        .collect();
    assert!(stored.contains(&0) && stored.contains(&1), "{stored:?}");
}

#[test]
fn many_targets_are_not_all_probed_each_time_but_all_in_turn() {
    let list: Vec<String> = (0..16).map(|i| format!("http://t{i}.test")).collect();
    let mut talk = Talk::new(&[("FETCH_TARGETS", &list.join(","))]);
    let latencies: Vec<f64> = (0..16).map(|i| 20.0 + 40.0 * f64::from(i)).collect();
    talk.round(&latencies.iter().map(|ms| Some(*ms)).collect::<Vec<_>>());
    let mut seen = vec![0; 16];
    for _ in 0..6 {
        talk.wait(300.0 * SECOND);
        let mut next = talk.engine.start_round(talk.now);
        let mut probes = 0;
        while let Some(round) = next {
            for target in round.targets {
                probes += 1;
                seen[target] += 1;
                let outcome = probe(Some(latencies[target]));
                talk.engine.probed(round.id, target, outcome, talk.now);
            }
            next = talk.engine.finish_round(round.id, talk.now);
        }
        assert!(probes <= 10, "{probes}");
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn a_drift_brings_the_refresh_forward_and_never_ranks() {
    let mut talk = Talk::warm(&[]);
    for _ in 0..200 {
        talk.wait(SECOND);
        assert!(!answer(&mut talk, 20.0));
    }
    for _ in 0..20 {
        answer(&mut talk, 200.0);
    }
    talk.wait(11.0 * SECOND);
    assert!(talk.begin("GET").round, "within ten seconds");
}

#[test]
fn a_slow_upload_is_no_drift() {
    let mut talk = Talk::warm(&[]);
    for request in 0..300 {
        let about = function_fetch_engine::Request {
            method: "POST",
            path: "/",
            hops: 0,
            has_body: true,
        };
        let step = talk.engine.begin(&about, talk.now);
        let event = Event::Response {
            status: 200,
            retry_after_ms: None,
            head_ms: if request < 150 { 20.0 } else { 9000.0 },
            body: Body::Gone,
        };
        talk.settle(step.exchange, event);
    }
    talk.wait(60.0 * SECOND);
    assert!(!talk.begin("GET").round);
}

#[test]
fn a_target_that_hangs_is_skipped_before_the_first_request_times_out() {
    let mut talk = Talk::warm(&[]);
    let stuck = talk.begin("GET");
    assert_eq!((target(&stuck), forward(&stuck).overdue_ms), (0, 500.0));
    talk.begin("GET");
    talk.wait(SECOND);
    assert!(talk.engine.overdue(talk.now), "a probe asks");
    let step = talk.begin("POST");
    assert_eq!(target(&step), 1, "meanwhile others go elsewhere");
    talk.status(&step, 200);
    let round = talk.engine.start_round(talk.now).unwrap();
    assert_eq!(round.targets, [0]);
    assert!(!talk.engine.is_lost(&stuck.exchange));
    talk.engine.probed(round.id, 0, probe(None), talk.now);
    assert!(talk.engine.is_lost(&stuck.exchange), "so it need not wait");
    talk.engine.finish_round(round.id, talk.now);
    let lost = Event::Lost {
        body: Body::Untouched,
    };
    let step = talk.settle(stuck.exchange, lost);
    assert_eq!(target(&step), 1);
}

#[test]
fn a_post_that_waits_is_not_given_up() {
    let mut talk = Talk::warm(&[]);
    let stuck = talk.begin("POST");
    talk.wait(SECOND);
    let round = talk.engine.start_round(talk.now).unwrap();
    talk.engine.probed(round.id, 0, probe(None), talk.now);
    assert!(
        !talk.engine.is_lost(&stuck.exchange),
        "it may have been received"
    );
}

#[test]
fn a_slow_endpoint_of_a_living_target_is_no_outage() {
    let mut talk = Talk::warm(&[]);
    talk.begin("GET");
    talk.wait(SECOND);
    let round = talk.engine.start_round(talk.now).unwrap();
    talk.engine.probed(round.id, 0, probe(Some(5.0)), talk.now);
    talk.engine.finish_round(round.id, talk.now);
    assert_eq!(talk.first_choice(), 0);
    assert!(
        !talk
            .notices()
            .iter()
            .any(|notice| matches!(notice, Notice::Ejected { .. }))
    );
}

#[test]
fn a_hedge_goes_to_the_next_target_once_and_only_for_what_may_run_twice() {
    let mut talk = Talk::warm(&[("FETCH_HEDGE_MS", "100")]);
    let first = talk.begin("GET");
    assert_eq!(forward(&first).widen_ms, 100.0);
    let second = talk.engine.widen(first.exchange, talk.now).unwrap();
    assert_eq!(target(&second), 1);
    // The hedge wins; that the first was dropped says nothing against it.
    let done = talk.status(&second, 200);
    assert_eq!(done.action, Action::Relay);
    talk.wait(SECOND);
    assert_eq!(talk.first_choice(), 0);

    let post = talk.begin("POST");
    assert!(forward(&post).widen_ms.is_infinite());
    let with_body = function_fetch_engine::Request {
        method: "GET",
        path: "/",
        hops: 0,
        has_body: true,
    };
    let step = talk.engine.begin(&with_body, talk.now);
    assert!(forward(&step).widen_ms.is_infinite());
}

#[test]
fn hedges_are_paid_from_the_retry_budget() {
    let mut talk = Talk::warm(&[("FETCH_HEDGE_MS", "100")]);
    let hedges = (0..200)
        .filter(|_| {
            let step = talk.begin("GET");
            let hedged = talk.engine.widen(step.exchange, talk.now).is_some();
            talk.status(&step, 200);
            hedged
        })
        .count();
    assert!((10..=50).contains(&hedges), "{hedges}");
}

#[test]
fn a_loser_that_fails_is_noted_while_the_other_runs() {
    let mut talk = Talk::warm(&[("FETCH_HEDGE_MS", "100")]);
    let first = talk.begin("GET");
    let second = talk.engine.widen(first.exchange, talk.now).unwrap();
    let mut lost = second.exchange.at(0);
    let event = Event::Failed {
        failure: Failure::ConnectionRefused,
        body: Body::Untouched,
    };
    talk.engine.note(&mut lost, &event, talk.now);
    assert!(
        talk.notices()
            .iter()
            .any(|notice| matches!(notice, Notice::Ejected { .. }))
    );
    let done = talk.status(&second, 200);
    assert_eq!(done.action, Action::Relay);
}

#[test]
fn a_raced_cold_start_goes_to_all_at_once_and_measures_beside_it() {
    let mut talk = Talk::new(&[("FETCH_COLD_START", "race")]);
    let mut step = talk.begin("GET");
    assert!(step.round, "the decision still comes from probes");
    talk.engine.start_round(talk.now).unwrap();
    let mut raced = vec![target(&step)];
    while forward(&step).widen_ms == 0.0 {
        match talk.engine.widen(step.exchange, talk.now) {
            Some(next) => {
                raced.push(target(&next));
                step = next;
            }
            None => break,
        }
    }
    assert_eq!(raced, [0, 1, 2]);
    assert!(
        matches!(talk.begin("GET").action, Action::AwaitRound { .. }),
        "a race is run once; others wait for the first probe"
    );
    let done = talk.settle(
        step.exchange.at(1),
        Event::Response {
            status: 200,
            retry_after_ms: None,
            head_ms: 9.0,
            body: Body::Untouched,
        },
    );
    assert_eq!(done.action, Action::Relay);
}

#[test]
fn a_post_is_never_raced() {
    let mut talk = Talk::new(&[("FETCH_COLD_START", "race")]);
    assert!(matches!(
        talk.begin("POST").action,
        Action::AwaitRound { .. }
    ));
}

#[test]
fn an_instance_keeps_its_choice_for_a_decision_s_life() {
    let choices: Vec<usize> = (0..30)
        .map(|seed| {
            let mut talk = Talk::new(&[("FETCH_SPREAD", "true")]);
            let settings = talk.engine.settings().clone();
            talk.engine = function_fetch_engine::Engine::new(settings, seed);
            talk.round(&[Some(50.0), Some(55.0), Some(300.0)]);
            let first = talk.first_choice();
            assert!((0..50).all(|_| talk.first_choice() == first));
            first
        })
        .collect();
    assert!(choices.contains(&0) && choices.contains(&1) && !choices.contains(&2));
}

#[test]
fn a_restarted_ejection_goes_on_where_another_instance_left_it() {
    let mut one = Talk::with_store(&[]);
    one.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
    for _ in 0..4 {
        one.wait(20.0 * SECOND);
        let step = one.begin("GET");
        if target(&step) == 0 {
            one.fails(&step, Failure::ConnectionRefused);
        } else if let Some(round) = one.engine.start_round(one.now) {
            one.engine.probed(round.id, 0, probe(None), one.now);
            one.engine.finish_round(round.id, one.now);
        }
    }
    let write = one
        .engine
        .take_write(one.now)
        .expect("failures are shared at once");
    let mut other = Talk::with_store(&[]);
    other.now = one.now;
    let step = other.begin("GET");
    let step = other.settle(
        step.exchange,
        Event::StoreRead(Some(Stored::Record(write.record))),
    );
    assert_eq!(
        (target(&step), step.round),
        (1, false),
        "it does not try it"
    );
    other.status(&step, 200);
    other.wait(30.0 * SECOND);
    let round = other.engine.start_round(other.now).expect("a probe is due");
    other.engine.probed(round.id, 0, probe(None), other.now);
    let lengths: Vec<u32> = other
        .notices()
        .iter()
        .filter_map(|notice| match notice {
            Notice::Ejected { for_ms, .. } => Some(*for_ms),
            _ => None,
        })
        .collect();
    assert!(lengths[0] > 1500, "not from the beginning: {lengths:?}");
}

#[test]
fn who_lost_its_place_by_failing_need_only_be_as_good_to_have_it_back() {
    for (back_at, wanted) in [(50.0, 0), (58.0, 0), (75.0, 1)] {
        let mut talk = Talk::new(&[]);
        talk.measure(&[Some(50.0), Some(60.0), Some(300.0)]);
        let step = talk.begin("GET");
        let step = talk.fails(&step, Failure::ConnectionRefused);
        talk.status(&step, 200);
        talk.wait(2.0 * SECOND);
        talk.round(&[Some(back_at), Some(60.0), Some(300.0)]);
        assert_eq!(talk.first_choice(), wanted, "back at {back_at} ms");
    }
}
