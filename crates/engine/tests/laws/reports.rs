//! Where a call into the engine is expensive, most good answers go unreported.

use crate::talk::{Talk, attempt, target};
use function_fetch_engine::Failure;

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
