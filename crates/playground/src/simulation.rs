//! The simulation that a page plays with: twelve edge locations somewhere in the
//! world, and their traffic.

use crate::conditions::{self, condition, round_trip_ms};
use crate::wit;
use function_fetch_component::notice;
use function_fetch_simulator::clock::{HOUR, MINUTE, Micros, from_ms, to_ms};
use function_fetch_simulator::metrics::Sample;
use function_fetch_simulator::network::geography::Region;
use function_fetch_simulator::policy::{ALL, Kind};
use function_fetch_simulator::scenario::{Lifetime, Scenario, TargetModel};
use function_fetch_simulator::session::Session;

/// Enough for a region that is bad and others that are not.
const LOCATIONS: usize = 12;

/// Requests per second and location: sixty in all, so that the 99th percentile
/// of ten seconds stands on some requests.
const RATE: f64 = 5.0;

/// More than anyone watches.
const LENGTH: Micros = 10_000 * HOUR;

/// How far one call goes, so that none takes for ever.
const FARTHEST: Micros = HOUR;

/// How long what happens is kept, for samples.
const KEEP: Micros = MINUTE;

/// As many as the engine takes.
const MOST_TARGETS: usize = 32;

/// Where the targets of a list that is empty are, ms.
const ANYWHERE_MS: f64 = 60.0;

/// The names of all policies.
pub fn policies() -> Vec<String> {
    ALL.iter().map(|kind| kind.name().to_owned()).collect()
}

/// A session, and what its targets were at the start.
pub struct Simulation {
    session: Session,
    /// Each target's round trip in the scenario, ms.
    bases: Vec<f64>,
    /// What is wrong with each target, and since when.
    faults: Vec<(wit::Fault, Micros)>,
    bad_region: Region,
}

impl Simulation {
    /// See `start` in `wit/playground.wit`.
    pub fn new(
        seed: u32,
        policies: &[String],
        targets: &[wit::Condition],
        instances: wit::Lifetime,
    ) -> Self {
        let known = |name: &String| Kind::named(name);
        let kinds: Vec<Kind> = policies.iter().filter_map(known).collect();
        let targets = &targets[..targets.len().min(MOST_TARGETS)];
        let mut bases: Vec<f64> = targets.iter().map(round_trip_ms).collect();
        if bases.is_empty() {
            bases.push(ANYWHERE_MS);
        }
        let scenario = Scenario {
            name: "playground",
            about: "what a person makes of it",
            length: LENGTH,
            locations: LOCATIONS,
            rate: RATE,
            targets: bases.iter().copied().map(TargetModel::at_ms).collect(),
            instances: match instances {
                wit::Lifetime::Short => Lifetime::Short,
                wit::Lifetime::Long => Lifetime::Long,
            },
            // The series are not shown: a few steps for all of the time.
            bucket: LENGTH / 100,
            ..Scenario::default()
        };
        let session = Session::new(scenario, &kinds, u64::from(seed), KEEP);
        let bad_region = conditions::largest(session.regions());
        let mut simulation = Self {
            session,
            faults: vec![(wit::Fault::None, 0); bases.len()],
            bases,
            bad_region,
        };
        for (target, asked) in targets.iter().enumerate() {
            simulation.change(target, *asked);
        }
        simulation
    }

    /// What the seed has drawn.
    pub fn drawn(&self) -> wit::Drawn {
        let regions = self.session.regions().iter().copied();
        wit::Drawn {
            locations: regions.map(conditions::region).collect(),
            bad_region: conditions::region(self.bad_region),
            requests_per_second: RATE * LOCATIONS as f64,
        }
    }

    /// Goes on to a time. What is no number becomes 0, and has passed.
    pub fn advance(&mut self, to_ms: f64) {
        let farthest = (self.session.now() + FARTHEST).min(LENGTH);
        self.session.advance(from_ms(to_ms).min(farthest));
    }

    /// From now on a target is like this.
    pub fn change(&mut self, target: usize, asked: wit::Condition) {
        let now = self.session.now();
        let known = self.bases.get(target).zip(self.faults.get_mut(target));
        let Some((base_ms, fault)) = known else {
            return;
        };
        // A target that flaps keeps its beat while it moves.
        if fault.0 != asked.fault {
            *fault = (asked.fault, now);
        }
        let condition = condition(&asked, *base_ms, fault.1, self.bad_region);
        self.session.change(target, &condition);
    }

    /// What happened under a policy in the last while.
    pub fn sample(&self, policy: usize, span_ms: f64) -> Option<wit::Sample> {
        let sample = self.session.sample(policy, from_ms(span_ms))?;
        Some(to_page(sample))
    }

    /// What a policy's engines have told.
    pub fn take_told(&mut self, policy: usize) -> Vec<wit::Told> {
        let told = self.session.take_told(policy).into_iter();
        told.map(|told| wit::Told {
            at_ms: to_ms(told.at),
            location: told.location as u32,
            line: notice::line(&told.notice),
        })
        .collect()
    }
}

fn to_page(sample: Sample) -> wit::Sample {
    wit::Sample {
        requests: sample.requests as u32,
        failed: sample.failed as u32,
        p50_ms: sample.p50.map(to_ms),
        p99_ms: sample.p99.map(to_ms),
        sent: sample.sent,
        probes: sample.probes,
        waiting: sample.waiting as u32,
    }
}
