//! A target that becomes slow where instances are short-lived and requests few: each
//! instance meets the slow answers first.

use function_fetch_simulator::clock::{Micros, SECOND};
use function_fetch_simulator::network::Condition;
use function_fetch_simulator::network::fault::{Fault, FaultKind};
use function_fetch_simulator::policy::{Kind, Variant};
use function_fetch_simulator::scenario::{Lifetime, Scenario, TargetModel};
use function_fetch_simulator::session::Session;

const SEEDS: std::ops::Range<u64> = 1..6;

/// The fastest of [`TARGETS_MS`].
const BEST: usize = 2;
const TARGETS_MS: [f64; 5] = [60.0, 90.0, 40.0, 140.0, 75.0];

/// After the first refresh, which comes within a minute.
const BEGINS: Micros = 40 * SECOND;

/// The share of the requests of the ten seconds before `at` that went to the best.
fn share_of_best(session: &mut Session, at: Micros) -> f64 {
    session.advance(at);
    let sample = session.sample(0, 10 * SECOND).expect("a policy");
    f64::from(sample.sent[BEST]) / f64::from(sample.sent.iter().sum::<u32>())
}

#[test]
fn no_location_stays_with_a_target_that_has_become_ten_times_as_slow() {
    for instances in [Lifetime::Short, Lifetime::Long] {
        for seed in SEEDS {
            let scenario = Scenario {
                locations: 12,
                rate: 5.0,
                targets: TARGETS_MS.map(TargetModel::at_ms).to_vec(),
                instances,
                ..Scenario::default()
            };
            let ours = Kind::Ours(Variant::Default);
            let mut session = Session::new(scenario, &[ours], seed, 10 * SECOND);
            let before = share_of_best(&mut session, BEGINS);
            assert!(before > 0.7, "{instances:?}, seed {seed}: {before}");
            let slow = Condition {
                stretch: 1.0,
                faults: vec![Fault::new(FaultKind::Slow(10.0), BEGINS, Micros::MAX)],
            };
            session.change(BEST, &slow);
            let later = share_of_best(&mut session, BEGINS + 60 * SECOND);
            assert!(later < 0.03, "{instances:?}, seed {seed}: {later}");
        }
    }
}
