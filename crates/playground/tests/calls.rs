//! The calls that a page makes, natively.

use function_fetch_playground::Playground;
use function_fetch_playground::wit::{Condition, Fault, Guest, Lifetime, Sample};

const MS: [f64; 5] = [60.0, 90.0, 40.0, 140.0, 75.0];

/// The nearest.
const BEST: u32 = 2;

fn at(round_trip_ms: f64, fault: Fault) -> Condition {
    Condition {
        round_trip_ms,
        fault,
    }
}

fn start(seed: u32, policies: &[&str]) {
    let targets = MS.map(|ms| at(ms, Fault::None)).to_vec();
    let policies = policies.iter().map(|name| (*name).to_owned()).collect();
    Playground::start(seed, policies, targets, Lifetime::Long);
}

fn share(sample: &Sample, target: u32) -> f64 {
    f64::from(sample.sent[target as usize]) / f64::from(sample.sent.iter().sum::<u32>())
}

#[test]
fn a_fault_moves_our_traffic_and_not_that_of_turns() {
    start(1, &["ours", "round-robin"]);
    Playground::advance(30_000.0);
    assert!(share(&Playground::lately(0, 10_000.0), BEST) > 0.9);
    Playground::change(BEST, at(40.0, Fault::Slow));
    Playground::advance(120_000.0);
    let ours = Playground::lately(0, 10_000.0);
    let turns = Playground::lately(1, 10_000.0);
    assert!(share(&ours, BEST) < 0.1, "{ours:?}");
    assert!(share(&turns, BEST) > 0.15, "{turns:?}");
    assert!(ours.p99_ms < turns.p99_ms);
    let told = Playground::take_told(0);
    let line = told.iter().find(|told| told.at_ms > 30_000.0);
    let line = &line.expect("it tells of it").line;
    assert!(line.contains("https://t02"), "{line}");
}

#[test]
fn the_same_seed_and_changes_give_the_same_figures() {
    let play = |seed| {
        start(seed, &["ours"]);
        Playground::advance(20_000.0);
        Playground::change(BEST, at(400.0, Fault::None));
        Playground::advance(50_000.0);
        format!("{:?}", Playground::lately(0, 60_000.0))
    };
    assert_eq!(play(7), play(7));
    assert_ne!(play(7), play(8));
}

#[test]
fn each_fault_shows() {
    for (fault, is_shown) in [
        (Fault::Slow, (|_, p50| p50 > 300.0) as fn(u32, f64) -> bool),
        (Fault::Refuse, |failed, _| failed > 100),
        (Fault::Hang, |failed, _| failed > 100),
        (Fault::FailRequests, |failed, _| failed > 100),
        (Fault::FailFast, |failed, p50| failed > 400 && p50 < 2.0),
        (Fault::Flap, |failed, _| (100..400).contains(&failed)),
        (Fault::HangInRegion, |failed, _| (1..400).contains(&failed)),
    ] {
        // Alone, and without a retry to hide it.
        Playground::start(
            1,
            vec!["static-order".to_owned()],
            vec![at(40.0, Fault::None)],
            Lifetime::Long,
        );
        Playground::advance(20_000.0);
        Playground::change(0, at(40.0, fault));
        Playground::advance(60_000.0);
        let sample = Playground::lately(0, 10_000.0);
        let p50 = sample.p50_ms.unwrap_or_default();
        assert!(is_shown(sample.failed, p50), "{fault:?}: {sample:?}");
    }
    // Requests stall for longer than the sample is: they wait.
    Playground::start(
        1,
        vec!["static-order".to_owned()],
        vec![at(40.0, Fault::StallRequests)],
        Lifetime::Long,
    );
    Playground::advance(20_000.0);
    let sample = Playground::lately(0, 10_000.0);
    assert_eq!(sample.requests, 0, "{sample:?}");
    assert!(sample.waiting > 1_000, "{sample:?}");
}

#[test]
fn no_argument_traps() {
    Playground::advance(1_000.0);
    Playground::change(0, at(1.0, Fault::Hang));
    assert_eq!(Playground::lately(0, 1_000.0).requests, 0);
    assert!(Playground::take_told(3).is_empty());
    let world = Playground::start(
        u32::MAX,
        vec!["nobody".to_owned()],
        Vec::new(),
        Lifetime::Long,
    );
    assert_eq!(world.locations.len(), 12);
    assert_eq!(Playground::lately(0, 1_000.0).sent, Vec::<u32>::new());

    let targets = vec![at(f64::NAN, Fault::Flap); 40];
    let world = Playground::start(0, Playground::policies(), targets, Lifetime::Short);
    assert!(world.locations.contains(&world.bad_region));
    for to in [f64::NAN, -1.0, 500.0, 400.0, 2_000.0] {
        Playground::advance(to);
    }
    Playground::change(u32::MAX, at(f64::INFINITY, Fault::None));
    assert_eq!(Playground::lately(0, f64::NAN).sent.len(), 32);
    assert!(Playground::lately(0, f64::INFINITY).requests > 0);
}
