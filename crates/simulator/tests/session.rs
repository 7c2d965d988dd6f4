//! Sessions: driven step by step, and changed while they run.

use function_fetch_simulator::clock::{MILLISECOND, MINUTE, Micros, SECOND};
use function_fetch_simulator::metrics::{Metrics, Sample};
use function_fetch_simulator::network::Condition;
use function_fetch_simulator::network::fault::{Fault, FaultKind};
use function_fetch_simulator::policy::{ALL, Kind, Variant};
use function_fetch_simulator::scenario::{Scenario, TargetModel};
use function_fetch_simulator::session::Session;
use hdrhistogram::Histogram;

const OURS: Kind = Kind::Ours(Variant::Default);

/// The best of three targets.
const BEST: usize = 2;

fn scenario() -> Scenario {
    Scenario {
        length: 5 * MINUTE,
        locations: 4,
        ..Scenario::default()
    }
}

fn session(kinds: &[Kind]) -> Session {
    Session::new(scenario(), kinds, 1, MINUTE)
}

fn broken(kind: FaultKind, now: Micros) -> Condition {
    Condition {
        stretch: 1.0,
        faults: vec![Fault::new(kind, now, Micros::MAX)],
    }
}

fn well() -> Condition {
    Condition::of(&TargetModel::at_ms(0.0))
}

fn share(sample: &Sample, target: usize) -> f64 {
    f64::from(sample.sent[target]) / f64::from(sample.sent.iter().sum::<u32>())
}

fn last_ten_seconds(session: &Session, policy: usize) -> Sample {
    let sample = session.sample(policy, 10 * SECOND);
    sample.expect("there is such a policy")
}

/// All that is counted, to the digit: the latencies, and the rest.
fn counts(metrics: &Metrics) -> (Vec<(u64, u64)>, String) {
    let latencies = metrics.latency.iter_recorded();
    let latencies = latencies.map(|step| (step.value_iterated_to(), step.count_at_value()));
    let rest = Metrics {
        latency: Histogram::new(1).expect("a sound precision"),
        ..metrics.clone()
    };
    (latencies.collect(), format!("{rest:?}"))
}

#[test]
fn a_session_that_nobody_touches_counts_what_a_batch_run_counts() {
    let batch = function_fetch_simulator::run::run(&scenario(), &ALL, 1, &|_| {});
    let mut session = session(&ALL);
    session.advance(scenario().length + 65 * SECOND);
    for (policy, kind) in ALL.into_iter().enumerate() {
        let own = session.metrics(policy).expect("it runs");
        // Locations that share nothing are a cell each in a batch run.
        assert!(own.requests > 10_000, "{}", kind.name());
        assert!(counts(&own) == counts(&batch[policy]), "{}", kind.name());
    }
}

#[test]
fn how_far_a_step_goes_changes_nothing() {
    let play = |step: Micros| {
        let mut session = session(&[OURS, Kind::RoundRobin]);
        let go_to = |session: &mut Session, to: Micros| {
            while session.now() < to {
                session.advance((session.now() + step).min(to));
            }
        };
        go_to(&mut session, 70 * SECOND);
        session.change(BEST, &broken(FaultKind::Slow(10.0), session.now()));
        go_to(&mut session, 130 * SECOND);
        session.change(BEST, &well());
        go_to(&mut session, 200 * SECOND);
        let told = session.take_told(0);
        assert!(told.iter().any(|told| told.at > 70 * SECOND), "{told:?}");
        let metrics = session.metrics(0).expect("it runs");
        (counts(&metrics), last_ten_seconds(&session, 1), told)
    };
    assert!(play(100 * MILLISECOND) == play(MINUTE));
}

#[test]
fn a_target_that_hangs_loses_our_traffic_and_keeps_that_of_a_fixed_order() {
    let mut session = session(&[OURS, Kind::StaticOrder]);
    // The first of the list, so that a fixed order uses it; made the best.
    let near = |faults| Condition {
        stretch: 0.2,
        faults,
    };
    session.change(0, &near(Vec::new()));
    session.advance(MINUTE);
    assert!(share(&last_ten_seconds(&session, 0), 0) > 0.9);
    assert_eq!(last_ten_seconds(&session, 1).sent[1..], [0, 0]);

    let hang = Fault::new(FaultKind::Hang, session.now(), Micros::MAX);
    session.change(0, &near(vec![hang]));
    session.advance(MINUTE + 30 * SECOND);
    let (ours, fixed) = (last_ten_seconds(&session, 0), last_ten_seconds(&session, 1));
    assert_eq!(ours.sent[0], 0, "{ours:?}");
    assert_eq!(ours.failed, 0, "{ours:?}");
    assert!(ours.p99.expect("requests ended") < 500 * MILLISECOND);
    assert!(share(&fixed, 0) > 0.4, "{fixed:?}");
    assert!(
        fixed.p50.expect("requests ended") >= 3 * SECOND,
        "{fixed:?}"
    );
    assert!(fixed.waiting > ours.waiting);
    assert!(ours.probes.iter().sum::<u32>() > 0);

    session.change(0, &near(Vec::new()));
    session.advance(4 * MINUTE);
    assert!(share(&last_ten_seconds(&session, 0), 0) > 0.9);
}

#[test]
fn a_target_that_moves_away_takes_as_much_longer() {
    let mut session = session(&[Kind::StaticOrder]);
    session.advance(30 * SECOND);
    let before = last_ten_seconds(&session, 0).p50.expect("requests ended");
    session.change(
        0,
        &Condition {
            stretch: 3.0,
            faults: Vec::new(),
        },
    );
    session.advance(60 * SECOND);
    let after = last_ten_seconds(&session, 0).p50.expect("requests ended");
    // 60 ms there and back became 180.
    let more = (after - before) as f64 / MILLISECOND as f64;
    assert!((100.0..140.0).contains(&more), "{more} ms more");
}

#[test]
fn what_is_not_there_changes_nothing() {
    let mut session = session(&[OURS]);
    session.change(7, &broken(FaultKind::Refuse, 0));
    session.advance(10 * SECOND);
    session.advance(SECOND);
    assert_eq!(session.now(), 10 * SECOND);
    assert!(session.sample(1, SECOND).is_none());
    assert!(session.metrics(1).is_none());
    assert!(session.take_told(1).is_empty());
    assert!(last_ten_seconds(&session, 0).requests > 300);
}
