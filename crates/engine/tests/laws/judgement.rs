//! Sections 3 and 6: comparisons, drift, suspicion, hedging, races, spread.

use crate::talk::{Talk, failed, probe, request, response, target};
use function_fetch_engine::{
    Action, Event, Failure, Millis, Notice, ProbeOutcome, ReplayState, Request, Round, Step, Stored,
};

const SECOND: f64 = 1000.0;

/// Makes a refresh due, runs its first probes, and returns the first
/// comparison.
fn refresh(talk: &mut Talk, latencies: &[f64]) -> Option<Round> {
    talk.wait(300.0 * SECOND);
    let round = talk.engine.start_round(talk.now).expect("a refresh is due");
    for target in &round.targets {
        let outcome = probe(Some(latencies[*target]));
        talk.engine.probed(round.id, *target, outcome, talk.now);
    }
    talk.engine.finish_round(round.id, talk.now)
}

/// A GET whose first byte takes so long. It goes to the first target, unless it is a
/// trial of the next; whether a round is due.
fn answer(talk: &mut Talk, ms: f64) -> bool {
    let step = talk.begin("GET");
    let wanted = usize::from(step.state.trial);
    assert_eq!(target(&step), wanted, "only a probe moves it");
    talk.answers_in(&step, ms).round
}

#[test]
fn only_comparisons_move_the_primary_and_one_lost_packet_does_not() {
    for (primary_ms, comparisons, wanted) in [
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
        let mut compared = 0;
        while let Some(comparison) = next {
            assert_eq!(
                comparison.targets[0], 0,
                "the primary is measured again too"
            );
            for target in &comparison.targets {
                let ms = [primary_ms[compared], 60.0, 290.0][*target];
                let outcome = probe(Some(ms));
                talk.engine
                    .probed(comparison.id, *target, outcome, talk.now);
            }
            compared += 1;
            next = talk.engine.finish_round(comparison.id, talk.now);
        }
        assert_eq!(compared, comparisons, "{primary_ms:?}");
        assert_eq!(talk.first_choice(), wanted, "{primary_ms:?}");
    }
}

#[test]
fn a_second_probe_takes_the_place_of_the_first_that_paid_a_handshake() {
    let mut talk = Talk::new(&[("FETCH_SPREAD", "true")]);
    talk.round(&[Some(50.0), Some(150.0), Some(900.0)]);
    let comparison = refresh(&mut talk, &[50.0, 150.0, 900.0]).expect("a comparison");
    assert_eq!(comparison.targets, [0, 1]);
    for target in comparison.targets {
        talk.engine
            .probed(comparison.id, target, probe(Some(50.0)), talk.now);
    }
    talk.engine.finish_round(comparison.id, talk.now);
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
fn to_share_the_traffic_a_target_that_may_be_as_good_is_compared() {
    for (spread, ms, compared) in [
        ("false", 220.0, None),
        ("true", 220.0, Some(vec![0, 1])),
        ("true", 250.0, None),
    ] {
        let mut talk = Talk::new(&[("FETCH_SPREAD", spread)]);
        talk.round(&[Some(50.0), None, None]);
        let comparison = refresh(&mut talk, &[50.0, ms, 900.0]);
        let targets = comparison.map(|round| round.targets);
        assert_eq!(targets, compared, "{spread} {ms}");
    }
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
    assert!(answer(&mut talk, 200.0), "within ten seconds");
}

#[test]
fn a_slow_upload_is_no_drift() {
    let mut talk = Talk::warm(&[]);
    for upload in 0..300 {
        let step = talk.begin_with(&Request {
            has_body: true,
            ..request("POST")
        });
        let event = Event::Response {
            target: target(&step),
            status: 200,
            retry_after: None,
            ttfb: Millis(if upload < 150 { 20.0 } else { 9000.0 }),
            replay: ReplayState::Consumed,
        };
        talk.settle(step.state, event);
    }
    talk.wait(60.0 * SECOND);
    assert!(!talk.begin("GET").round);
}

#[test]
fn a_target_that_hangs_is_skipped_before_the_first_request_times_out() {
    // No answer yet, and too early for another attempt beside it.
    const OVERDUE: f64 = 700.0;
    let mut talk = Talk::warm(&[]);
    let stuck = talk.begin("GET");
    assert_eq!((target(&stuck), stuck.wake_after), (0, Millis(500.0)));
    talk.begin("GET");
    talk.wait(OVERDUE);
    let stuck = talk.waited(&stuck, &[(0, OVERDUE)]);
    assert!(stuck.round, "a probe asks");
    assert!(stuck.action == Action::Wait && stuck.wake_on_round);
    let step = talk.begin("POST");
    assert_eq!(target(&step), 1, "meanwhile others go elsewhere");
    talk.status(&step, 200);
    let round = talk.engine.start_round(talk.now).unwrap();
    assert_eq!(round.targets, [0]);
    let stuck = talk.waited(&stuck, &[(0, OVERDUE)]);
    assert_eq!(stuck.action, Action::Wait);
    talk.engine.probed(round.id, 0, probe(None), talk.now);
    let lost = talk.waited(&stuck, &[(0, OVERDUE)]);
    let failure = Failure::TargetLost;
    let cancel = Action::Cancel { target: 0, failure };
    assert_eq!(lost.action, cancel, "it need not wait");
    talk.engine.finish_round(round.id, talk.now);
    let step = talk.fails(&lost, failure);
    assert_eq!(target(&step), 1);
}

#[test]
fn a_request_that_may_go_nowhere_else_is_not_given_up_though_its_target_is_dead() {
    for (most, is_given_up) in [("1", false), ("2", true)] {
        let mut talk = Talk::warm(&[("FETCH_MAX_ATTEMPTS", most)]);
        let stuck = talk.begin("GET");
        talk.wait(700.0);
        let stuck = talk.waited(&stuck, &[(0, 700.0)]);
        let round = talk.engine.start_round(talk.now).expect("a probe asks");
        talk.engine.probed(round.id, 0, probe(None), talk.now);
        talk.engine.finish_round(round.id, talk.now);
        let stuck = talk.waited(&stuck, &[(0, 700.0)]);
        let given_up = matches!(stuck.action, Action::Cancel { .. });
        assert_eq!(given_up, is_given_up, "{most} attempts");
    }
}

#[test]
fn probes_that_disprove_a_suspicion_compare_nothing() {
    let mut talk = Talk::warm(&[]);
    for wanted in [0, 0] {
        assert_eq!(target(&talk.begin("GET")), wanted);
    }
    talk.wait(500.0);
    assert_eq!(target(&talk.begin("GET")), 1);
    talk.wait(500.0);
    let round = talk.engine.start_round(talk.now).expect("both are overdue");
    assert_eq!(round.targets, [0, 1]);
    for (target, ms) in [(0, 200.0), (1, 5.0)] {
        let outcome = probe(Some(ms));
        talk.engine.probed(round.id, target, outcome, talk.now);
    }
    assert_eq!(talk.engine.finish_round(round.id, talk.now), None);
    assert_eq!(talk.first_choice(), 0);
    assert_eq!(talk.notices(), []);
}

#[test]
fn a_probe_without_an_answer_is_a_lost_packet_and_a_second_one_is_not() {
    let silent = || ProbeOutcome {
        result: Err(Failure::AttemptTimeout),
        took: Millis(2.0 * SECOND),
        cached: false,
    };
    // Measured within the TTL, or longer ago.
    for (age, lost) in [(10.0 * SECOND, 1), (301.0 * SECOND, 0)] {
        let mut talk = Talk::warm(&[]);
        talk.wait(age);
        talk.begin("GET");
        talk.wait(SECOND);
        for nth in 0..=lost {
            assert_eq!(talk.notices(), [], "{age} {nth}");
            let round = talk.engine.start_round(talk.now).unwrap();
            talk.wait(2.0 * SECOND);
            talk.engine.probed(round.id, 0, silent(), talk.now);
            for other in round.targets.iter().filter(|other| **other != 0) {
                talk.engine
                    .probed(round.id, *other, probe(Some(50.0)), talk.now);
            }
            talk.engine.finish_round(round.id, talk.now);
        }
        let ejected = |notice: &Notice| matches!(notice, Notice::Ejected { .. });
        assert!(talk.notices().iter().any(ejected), "{age}");
    }
}

#[test]
fn a_post_that_waits_is_not_given_up() {
    let mut talk = Talk::warm(&[]);
    let stuck = talk.begin("POST");
    talk.wait(SECOND);
    let stuck = talk.waited(&stuck, &[(0, SECOND)]);
    let round = talk.engine.start_round(talk.now).unwrap();
    talk.engine.probed(round.id, 0, probe(None), talk.now);
    let stuck = talk.waited(&stuck, &[(0, SECOND)]);
    assert_eq!(stuck.action, Action::Wait, "it may have been received");
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

/// The timer of a hedge: the attempt beside the one at the first target.
fn hedge(talk: &mut Talk, first: &Step) -> Option<Step> {
    talk.wait(100.0);
    let step = talk.waited(first, &[(0, 100.0)]);
    matches!(step.action, Action::Send(_)).then_some(step)
}

#[test]
fn a_loser_is_not_missed_and_who_was_overtaken_since_it_was_overdue_is() {
    // A hedge has won.
    let mut talk = Talk::warm(&[("FETCH_HEDGE_MS", "100")]);
    let first = talk.begin("GET");
    let both = hedge(&mut talk, &first).expect("a hedge");
    talk.settle(both.state, response(1, 200));
    talk.wait(SECOND);
    let step = talk.begin("GET");
    assert_eq!((target(&step), step.round), (0, false));

    // Another request waits for a third target meanwhile.
    let mut talk = Talk::warm(&[("FETCH_HEDGE_MS", "100")]);
    let first = talk.begin("GET");
    let both = hedge(&mut talk, &first).expect("a hedge");
    let mut other = talk.begin("POST");
    for wanted in [0, 1] {
        assert_eq!(target(&other), wanted);
        other = talk.fails(&other, Failure::ConnectionRefused);
    }
    assert_eq!(target(&other), 2);
    talk.settle(both.state, response(1, 200));
    talk.wait(600.0);
    assert!(talk.begin("GET").round, "its answer is overdue");

    // One that was asked beside, since the first was overdue, has answered.
    let mut talk = Talk::warm(&[]);
    let failed = talk.begin("GET");
    let failed = talk.status(&failed, 500);
    talk.status(&failed, 200);
    let first = talk.begin("GET");
    assert_eq!(target(&first), 0);
    talk.wait(500.0);
    let first = talk.waited(&first, &[(0, 500.0)]);
    talk.wait(500.0);
    let both = talk.waited(&first, &[(0, SECOND)]);
    assert_eq!(target(&both), 1);
    let done = talk.settle(both.state, response(1, 200));
    assert_eq!(done.action, Action::Relay);
    assert!(done.round, "a probe is to ask");
    assert!(talk.get().round);
}

#[test]
fn a_hedge_goes_to_the_next_target_once_and_only_for_what_may_run_twice() {
    let mut talk = Talk::warm(&[("FETCH_HEDGE_MS", "100")]);
    let first = talk.begin("GET");
    assert_eq!(first.wake_after, Millis(100.0));
    let second = hedge(&mut talk, &first).expect("a hedge");
    assert_eq!(target(&second), 1);
    let both = talk.waited(&second, &[(0, 100.0), (1, 0.0)]);
    assert_eq!(
        (&both.action, both.wake_after),
        (&Action::Wait, Millis(100.0))
    );
    // The hedge wins; that the first was cancelled is no evidence against it.
    let done = talk.settle(both.state, response(1, 200));
    assert_eq!(done.action, Action::Relay);
    talk.wait(SECOND);
    assert_eq!(talk.first_choice(), 0);

    let with_body = Request {
        has_body: true,
        ..request("GET")
    };
    for request in [request("POST"), with_body] {
        let step = talk.begin_with(&request);
        assert_eq!((target(&step), step.wake_after), (0, Millis(500.0)));
        talk.wait(29.0 * SECOND);
        for ms in [100.0, SECOND, 29.0 * SECOND] {
            assert_eq!(talk.waited(&step, &[(0, ms)]).action, Action::Wait);
        }
        talk.status(&step, 200);
    }
}

#[test]
fn a_clock_that_steps_back_an_hour_postpones_a_hedge_by_no_more_than_its_delay() {
    let mut talk = Talk::warm(&[("FETCH_HEDGE_MS", "100")]);
    let mut step = talk.begin("GET");
    talk.wait(-3_600.0 * SECOND);
    for ms in [100.0, 200.0] {
        talk.wait(100.0);
        step = talk.waited(&step, &[(0, ms)]);
        if step.action != Action::Wait {
            break;
        }
    }
    assert_eq!(target(&step), 1);
}

#[test]
fn hedges_are_paid_from_the_retry_budget() {
    let mut talk = Talk::warm(&[("FETCH_HEDGE_MS", "100")]);
    let hedges = (0..200)
        .filter(|_| {
            let step = talk.begin("GET");
            let hedge = hedge(&mut talk, &step);
            let state = hedge.as_ref().map_or(step.state, |hedge| hedge.state);
            talk.settle(state, response(0, 200));
            hedge.is_some()
        })
        .count();
    assert!((10..=50).contains(&hedges), "{hedges}");
}

#[test]
fn a_loser_that_fails_is_noted_while_the_other_runs() {
    let mut talk = Talk::warm(&[("FETCH_HEDGE_MS", "100")]);
    let first = talk.begin("GET");
    let second = hedge(&mut talk, &first).expect("a hedge");
    let one = talk.settle(second.state, failed(0, Failure::ConnectionRefused));
    assert_eq!((&one.action, one.wake_after), (&Action::Wait, Millis::ZERO));
    assert!(
        talk.notices()
            .iter()
            .any(|notice| matches!(notice, Notice::Ejected { .. }))
    );
    let done = talk.settle(one.state, response(1, 200));
    assert_eq!(done.action, Action::Relay);
}

#[test]
fn a_raced_cold_start_goes_to_all_at_once_and_measures_beside_it() {
    let mut talk = Talk::new(&[("FETCH_COLD_START", "race")]);
    let mut step = talk.begin("GET");
    assert!(step.round, "the decision still comes from probes");
    talk.engine.start_round(talk.now).unwrap();
    let mut raced = Vec::new();
    while let Action::Send(attempt) = step.action {
        assert_eq!(step.wake_after, Millis::ZERO);
        raced.push((attempt.target, 0.0));
        step = talk.waited(&step, &raced);
    }
    assert_eq!(raced, [(0, 0.0), (1, 0.0), (2, 0.0)]);
    assert!(step.action == Action::Wait && step.wake_after > Millis::ZERO);
    assert_eq!(
        talk.begin("GET").action,
        Action::AwaitRound,
        "a race is run once; others wait for the first probe"
    );
    let done = talk.settle(step.state, response(1, 200));
    assert_eq!(done.action, Action::Relay);
}

#[test]
fn a_post_is_never_raced() {
    let mut talk = Talk::new(&[("FETCH_COLD_START", "race")]);
    assert_eq!(talk.begin("POST").action, Action::AwaitRound);
}

#[test]
fn an_instance_keeps_its_choice_for_a_decision_s_life() {
    let choices: Vec<usize> = (0..30)
        .map(|seed| {
            let mut talk = Talk::new(&[("FETCH_SPREAD", "true")]);
            talk.reseed(seed);
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
        step.state,
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
