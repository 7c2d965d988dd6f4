//! Runs scenarios: cells of locations that interact, on as many threads as
//! there are cores.
//!
//! What a cell counts depends on the scenario, the policy and the seed alone,
//! and sums of integers do not depend on their order: so neither do results on
//! the threads.

use crate::clock::{MINUTE, Micros, SECOND, from_ms};
use crate::executor::Executor;
use crate::metrics::{Metrics, Recorder};
use crate::network::{Network, World};
use crate::policy::{Kind, Policy, Site, Visitor};
use crate::random::{Purpose, Stream};
use crate::scenario::Scenario;
use crate::traffic::Traffic;
use std::cell;
use std::rc::Rc;
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
                    let cell = Cell {
                        world: &world,
                        first: *first,
                        count: size,
                        progress,
                    };
                    let counted = kinds[*kind].visit(cell);
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

struct Cell<'a> {
    world: &'a Arc<World>,
    first: usize,
    count: usize,
    progress: Progress<'a>,
}

impl Visitor for Cell<'_> {
    type Output = Metrics;

    fn visit<P: Policy>(self, make: impl Fn(Site) -> P) -> Metrics {
        let scenario = &self.world.scenario;
        let executor = Executor::default();
        let recorder = Recorder::new(scenario, self.count);
        let network = Network::new(&executor, self.world, &recorder, self.first, self.count);
        for location in 0..self.count {
            let site = Site {
                network: network.clone(),
                location,
                number: self.first + location,
                seed: self.world.seed,
            };
            let policy = Rc::new(make(site.clone()));
            for clients in clients(&site) {
                executor.spawn(arrivals(site.clone(), Rc::clone(&policy), clients));
            }
        }
        let step = MINUTE.max(scenario.length / 256);
        let mut now = 0;
        while now < scenario.length {
            let to = (now + step).min(scenario.length);
            executor.run_until(to);
            (self.progress)(to - now);
            now = to;
        }
        executor.run_until(scenario.length + DRAIN);
        executor.clear();
        recorder.metrics()
    }
}

/// Some clients of a location.
struct Clients {
    traffic: Traffic,
    from: Micros,
    to: Micros,
    /// How many requests the location has had, of all its clients.
    count: Rc<cell::Cell<u64>>,
}

/// A location's clients: the usual ones, and its guests.
fn clients(site: &Site) -> Vec<Clients> {
    let scenario = site.network.scenario();
    let stream = |purpose| Stream::new(site.seed, purpose, site.number as u64);
    let count = Rc::new(cell::Cell::new(0));
    let usual = Clients {
        traffic: Traffic::new(
            stream(Purpose::Traffic),
            scenario.rate,
            scenario.posts,
            scenario.endpoints,
        ),
        from: 0,
        to: scenario.length,
        count: Rc::clone(&count),
    };
    let guests = scenario.guests.map(|guests| {
        let traffic = Traffic::new(stream(Purpose::Guests), guests.rate, 0.0, guests.endpoints);
        Clients {
            traffic: if guests.count {
                traffic
            } else {
                traffic.uncounted()
            },
            from: guests.from,
            to: guests.to.min(scenario.length),
            count,
        }
    });
    std::iter::once(usual).chain(guests).collect()
}

/// Some clients' requests, each in a task of its own, as they come.
async fn arrivals<P: Policy>(site: Site, policy: Rc<P>, mut clients: Clients) {
    let executor = site.network.executor();
    let mut last = clients.from;
    loop {
        let (gap_ms, mut ask) = clients.traffic.draw();
        let at = last + from_ms(gap_ms);
        if at >= clients.to {
            return;
        }
        executor.sleep_until(at).await;
        last = at;
        clients.count.set(clients.count.get() + 1);
        ask.number = clients.count.get();
        let (site, policy) = (site.clone(), Rc::clone(&policy));
        executor.spawn(async move {
            let answer = policy.serve(ask).await;
            let (recorder, now) = (site.network.recorder(), site.network.executor().now());
            if ask.counts {
                recorder.request(site.location, &ask, at, now, &answer);
            }
        });
    }
}
