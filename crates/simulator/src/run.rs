//! Runs scenarios: cells of locations that interact, on as many threads as
//! there are cores.
//!
//! What a cell counts depends on the scenario, the policy and the seed alone,
//! and sums of integers do not depend on their order: so neither do results on
//! the threads.

use crate::cell::Cell;
use crate::clock::{MINUTE, Micros, SECOND};
use crate::metrics::{Metrics, Recorder};
use crate::network::World;
use crate::policy::{Kind, Policy, Site, Visitor};
use crate::scenario::Scenario;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Requests that arrive just before the end get their answers still: longer
/// than any deadline.
const DRAIN: Micros = 65 * SECOND;

/// Told how much virtual time a cell has gone through: from all threads.
pub type Progress<'a> = &'a (dyn Fn(Micros) + Sync);

/// Runs a scenario under each policy; results in the order of `kinds`.
pub fn run(scenario: &Scenario, kinds: &[Kind], seed: u64, progress: Progress<'_>) -> Vec<Metrics> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    run_on(threads, scenario, kinds, seed, progress)
}

/// The same on so many threads.
pub fn run_on(
    threads: usize,
    scenario: &Scenario,
    kinds: &[Kind],
    seed: u64,
    progress: Progress<'_>,
) -> Vec<Metrics> {
    let world = Arc::new(World::new(scenario.clone(), seed));
    let size = if scenario.is_coupled() {
        scenario.locations
    } else {
        1
    };
    let cells: Vec<(usize, usize)> = (0..kinds.len())
        .flat_map(|kind| {
            (0..scenario.locations)
                .step_by(size)
                .map(move |first| (kind, first))
        })
        .collect();
    let results: Vec<Mutex<Metrics>> = kinds
        .iter()
        .map(|_| Mutex::new(Metrics::new(scenario)))
        .collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(cells.len()) {
            scope.spawn(|| {
                while let Some((kind, first)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let batch = Batch {
                        world: &world,
                        first: *first,
                        count: size,
                        progress,
                    };
                    let counted = kinds[*kind].visit(batch);
                    results[*kind]
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .merge(&counted);
                }
            });
        }
    });
    results
        .into_iter()
        .map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

/// How much virtual time [`run`] goes through, all cells together.
#[must_use]
pub fn virtual_time(scenario: &Scenario, kinds: usize) -> Micros {
    let cells = if scenario.is_coupled() {
        1
    } else {
        scenario.locations
    };
    (cells * kinds) as Micros * scenario.length
}

struct Batch<'a> {
    world: &'a Arc<World>,
    first: usize,
    count: usize,
    progress: Progress<'a>,
}

impl Visitor for Batch<'_> {
    type Output = Metrics;

    fn visit<P: Policy>(self, make: impl Fn(Site) -> P) -> Metrics {
        let scenario = &self.world.scenario;
        let recorder = Recorder::new(scenario, self.count);
        let cell = Cell::start(self.world, &recorder, self.first, self.count, make);
        let step = MINUTE.max(scenario.length / 256);
        let mut now = 0;
        while now < scenario.length {
            let to = (now + step).min(scenario.length);
            cell.executor().run_until(to);
            (self.progress)(to - now);
            now = to;
        }
        cell.executor().run_until(scenario.length + DRAIN);
        drop(cell);
        recorder.metrics()
    }
}
