//! Where a call into the engine is expensive, most good answers go unreported.

use crate::talk::{Talk, attempt, target};
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{Capabilities, Failure, Stored};

/// A minute of requests, one each millisecond, each relayed unasked where that
/// is allowed. Says how many were reported.
fn a_minute(talk: &mut Talk) -> usize {
    let mut reported = 0;
    for _ in 0..60_000 {
        talk.wait(1.0);
        let step = talk.begin("GET");
        assert_eq!(target(&step), 0);
        assert!(!step.round, "nothing is wrong");
        if attempt(&step).report {
            reported += 1;
            talk.status(&step, 200);
        }
    }
    reported
}

fn warm() -> Talk {
    let mut talk = Talk::with_sampled_reports(&[("FETCH_CACHE_TTL_SECONDS", "3600")]);
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    talk.wait(1_000_000.0);
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    talk
}

#[test]
fn a_busy_instance_reports_twenty_a_second_and_suspects_nobody() {
    let reported = a_minute(&mut warm());
    assert!((1_000..=1_300).contains(&reported), "{reported}");
}

#[test]
fn a_quiet_instance_reports_each() {
    let mut talk = warm();
    for _ in 0..20 {
        talk.wait(100.0);
        let step = talk.begin("GET");
        assert!(attempt(&step).report);
        talk.status(&step, 200);
    }
}

#[test]
fn a_target_that_failed_is_reported_until_it_has_lived_it_down() {
    let mut talk = warm();
    talk.get();
    let step = talk.begin("GET");
    assert!(!attempt(&step).report);
    talk.status(&step, 503);
    let step = talk.begin("GET");
    assert!(attempt(&step).report, "a 503 is to be lived down");
    talk.status(&step, 200);
    assert!(!attempt(&talk.begin("GET")).report);
}

#[test]
fn a_failure_is_heard_of_whatever_was_to_be_reported() {
    let mut talk = warm();
    talk.get();
    let step = talk.begin("GET");
    assert!(!attempt(&step).report);
    let step = talk.fails(&step, Failure::ConnectionRefused);
    assert_eq!(target(&step), 1);
    assert!(attempt(&step).report);
    assert_eq!(target(&talk.begin("GET")), 1, "ejected");
}

#[test]
fn a_target_that_hangs_is_suspected_all_the_same() {
    let mut talk = warm();
    a_minute(&mut talk);
    let mut asked = false;
    for _ in 0..2_000 {
        talk.wait(1.0);
        asked |= talk.begin("GET").round;
    }
    assert!(asked, "no probe asks after the target");
}

#[test]
fn elsewhere_all_are_reported() {
    let mut talk = Talk::warm(&[]);
    for _ in 0..10 {
        assert!(attempt(&talk.get()).report);
    }
}

#[test]
fn after_a_pause_no_answer_is_missed_that_was_not_to_be_reported() {
    let mut talk = warm();
    talk.get();
    for _ in 0..2 {
        assert!(!attempt(&talk.begin("GET")).report);
    }
    talk.wait(2_000.0);
    let step = talk.begin("GET");
    assert_eq!((target(&step), step.round), (0, false));
}

#[test]
fn every_trial_is_reported_however_busy_the_instance_is() {
    let mut talk = warm();
    for _ in 0..3 {
        let step = talk.begin("GET");
        let step = talk.status(&step, 500);
        talk.status(&step, 200);
    }
    talk.wait(12_000.0);
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    let mut trials = 0;
    for _ in 0..4_000 {
        talk.wait(10.0);
        let step = talk.begin("GET");
        if step.state.trial {
            trials += 1;
            assert!(attempt(&step).report, "trial {trials}");
        } else if target(&step) == 0 {
            break;
        }
        if attempt(&step).report {
            talk.status(&step, 200);
        }
    }
    assert_eq!(trials, 12);
}

#[test]
fn every_answer_is_reported_while_two_targets_are_compared() {
    let sampled = Capabilities {
        store: Some(StoreKind::Spin),
        sampled_reports: true,
        ..Capabilities::default()
    };
    let mut talk = Talk::on(sampled, &[]);
    talk.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
    let both_reported = |talk: &mut Talk, ms: f64| {
        talk.wait(100.0);
        let steps = [talk.begin("GET"), talk.begin("GET")];
        for step in &steps {
            if attempt(step).report {
                talk.answers_in(step, ms);
            }
        }
        steps.iter().all(|step| attempt(step).report)
    };
    for _ in 0..50 {
        assert!(!both_reported(&mut talk, 20.0));
    }
    let is_compared = |talk: &mut Talk| match talk.write() {
        Some(Stored::Record(record)) => record.trial.is_some(),
        _ => false,
    };
    let begins = (0..100).find(|_| {
        both_reported(&mut talk, 200.0);
        is_compared(&mut talk)
    });
    assert!(begins.is_some(), "a drift that lasts");
    for _ in 0..3 {
        assert!(both_reported(&mut talk, 200.0));
    }
}
