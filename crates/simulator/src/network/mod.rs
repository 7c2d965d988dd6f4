//! The networks between some locations and all targets, and the targets
//! themselves: what every policy sends its requests and probes into.

mod condition;
pub mod fault;
pub mod geography;
mod pool;
mod queue;
mod sending;
pub mod store;
mod world;

pub use condition::Condition;
pub use sending::Sending;
pub use world::World;

use crate::clock::{HOUR, MINUTE, Micros, SECOND, from_ms, to_ms};
use crate::executor::Executor;
use crate::metrics::Recorder;
use crate::random::{Purpose, Stream};
use crate::scenario::Scenario;
use crate::traffic::{Ask, PROBE_COST_MS, mean_cost_ms};
use fault::{Fault, FaultKind};
use pool::Pool;
use queue::Queue;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use store::Store;

/// Who would wait longer than this in a target's queue gets a 503 instead.
const LONGEST_WAIT: Micros = 5 * SECOND;

/// How much worse than it is the oracle takes a wait in a queue to be. Who joins
/// a queue makes those behind wait, too: a greedy oracle fills the nearest
/// target to the brim, and P2C beats it.
const COURTESY: f64 = 20.0;

/// By how much another target must be better for a choice to be wrong: the
/// default of `FETCH_SWITCH_MARGIN`.
const CLEARLY: f64 = 1.2;

/// How many times the median a round trip in the heavy tail takes, at least.
const TAIL_FROM: f64 = 2.0;

/// No round trip takes more than this many times its median: packets that are
/// lost more often than that are a fault.
const TAIL_MOST: f64 = 60.0;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// A request.
    Request(Ask),
    /// A probe.
    Probe,
}

impl Message {
    /// Whether it shares the location's connections. Requests that are left out
    /// of the figures have standing ones of their own: one that hangs takes its
    /// connection with it, and what others lose then, or a target for a handshake
    /// that takes too long, is to be the policy's doing alone.
    fn is_pooled(self) -> bool {
        match self {
            Self::Request(ask) => ask.counts,
            Self::Probe => true,
        }
    }
}

/// The networks of one cell: some locations that are simulated together. A
/// handle; clones share it.
#[derive(Clone)]
pub struct Network(Rc<Shared>);

struct Shared {
    executor: Executor,
    world: Arc<World>,
    recorder: Recorder,
    /// The first location of the cell; the cell's own are counted from 0.
    first: usize,
    /// Of each target.
    conditions: RefCell<Vec<Condition>>,
    noise: RefCell<Vec<Stream>>,
    /// Location by location, a pool for each target.
    pools: RefCell<Vec<Pool>>,
    /// A queue for each target of limited capacity, with its pace.
    queues: RefCell<Vec<Option<(Queue, f64)>>>,
    /// The same queues with what is still under way to them: the oracle's.
    foreseen: RefCell<Vec<Option<(Queue, f64)>>>,
    /// One, or one for each location.
    stores: RefCell<Vec<Store>>,
    /// Diurnal factors of each link, for the minute that they hold for.
    drift: RefCell<Vec<f64>>,
    drift_minute: Cell<Micros>,
}

impl Network {
    /// The networks of `count` locations from `first` on.
    #[must_use]
    pub fn new(
        executor: &Executor,
        world: &Arc<World>,
        recorder: &Recorder,
        first: usize,
        count: usize,
    ) -> Self {
        let scenario = &world.scenario;
        let links = count * scenario.targets.len();
        let stream = |index| Stream::new(world.seed, Purpose::Network, (first + index) as u64);
        Self(Rc::new(Shared {
            executor: executor.clone(),
            world: Arc::clone(world),
            recorder: recorder.clone(),
            first,
            conditions: RefCell::new(scenario.targets.iter().map(Condition::of).collect()),
            noise: RefCell::new((0..count).map(stream).collect()),
            pools: RefCell::new(vec![Pool::default(); links]),
            queues: RefCell::new(queues(scenario)),
            foreseen: RefCell::new(queues(scenario)),
            stores: RefCell::new(vec![
                Store::default();
                if scenario.store.global { 1 } else { count }
            ]),
            drift: RefCell::new(vec![1.0; links]),
            drift_minute: Cell::new(Micros::MAX),
        }))
    }

    /// The executor that it lives in.
    #[must_use]
    pub fn executor(&self) -> &Executor {
        &self.0.executor
    }

    /// Where what happens is counted.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.0.recorder
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.0.world.scenario
    }

    /// How many targets there are.
    #[must_use]
    pub fn targets(&self) -> usize {
        self.scenario().targets.len()
    }

    /// From now on a target is like this; one that is not there changes nothing.
    pub fn change(&self, target: usize, condition: Condition) {
        if let Some(known) = self.0.conditions.borrow_mut().get_mut(target) {
            *known = condition;
        }
    }

    /// Tells what happens at the location that is traced.
    pub fn trace(&self, location: usize, what: impl FnOnce() -> String) {
        if self.scenario().trace == Some(self.0.first + location) {
            let seconds = to_ms(self.0.executor.now()) / 1e3;
            eprintln!("{seconds:10.3} s  {}", what());
        }
    }

    /// Sends something from a location to a target. With `connect_ms` a
    /// connection that does not stand by then is a failure.
    #[must_use]
    pub fn send(
        &self,
        location: usize,
        target: usize,
        message: Message,
        connect_ms: f64,
    ) -> Sending {
        let now = self.0.executor.now();
        match message {
            Message::Request(ask) if ask.counts => {
                let is_wrong = || self.is_wrong(location, target, &ask);
                let recorder = &self.0.recorder;
                recorder.attempt(location, &ask, target, now, is_wrong);
            }
            Message::Request(_) => {}
            Message::Probe => self.0.recorder.probe(target, now),
        }
        Sending::start(self, location, target, message, connect_ms)
    }

    /// What a message from a location meets at a target now, if anything is
    /// wrong.
    #[must_use]
    pub fn fault(&self, location: usize, target: usize, message: Message) -> Option<Fault> {
        let region = self.0.world.regions[self.0.first + location];
        let now = self.0.executor.now();
        self.0.conditions.borrow()[target]
            .faults
            .iter()
            .find(|fault| fault.strikes(region, now, message))
            .copied()
    }

    /// What the next request to a target would take on the average, ms: what
    /// only an oracle can know. Infinite where it would fail.
    #[must_use]
    pub fn expected_ms(&self, location: usize, target: usize, ask: &Ask) -> f64 {
        let fault = self.fault(location, target, Message::Request(*ask));
        let slow = match fault.map(|fault| fault.kind) {
            None => 1.0,
            Some(FaultKind::Slow(factor)) => factor,
            Some(_) => return f64::INFINITY,
        };
        let round_trip = self.round_trip_ms(location, target);
        let (wait, pace) = match &self.0.foreseen.borrow()[target] {
            None => (0.0, 1.0),
            Some((queue, pace)) => {
                let there = self.0.executor.now() + from_ms(round_trip * slow / 2.0);
                (to_ms(queue.wait(there)), *pace)
            }
        };
        if wait > to_ms(LONGEST_WAIT) {
            return f64::INFINITY;
        }
        (round_trip + ask.cost_ms * pace) * slow + COURTESY * wait
    }

    /// Whether another target is clearly better than this one now, whatever an
    /// endpoint costs.
    fn is_wrong(&self, location: usize, target: usize, ask: &Ask) -> bool {
        let free = Ask {
            cost_ms: 0.0,
            ..*ask
        };
        let ms = |target| self.expected_ms(location, target, &free);
        let best = (0..self.targets()).map(ms).fold(f64::INFINITY, f64::min);
        ms(target) > best * CLEARLY
    }

    /// What [`Self::expected_ms`] tells from now on counts this request in.
    pub fn foresee(&self, location: usize, target: usize, cost_ms: f64) {
        let there = from_ms(self.round_trip_ms(location, target) / 2.0);
        if let Some((queue, pace)) = &mut self.0.foreseen.borrow_mut()[target] {
            let arrival = self.0.executor.now() + there;
            queue.enter(arrival, from_ms(cost_ms * *pace));
        }
    }

    /// Reads the shared record.
    pub async fn store_get(&self, location: usize) -> Result<Option<Vec<u8>>, ()> {
        self.0.recorder.store_read();
        if !self.store_answers(location).await {
            return Err(());
        }
        let lag = self.scenario().store.lag;
        let now = self.0.executor.now();
        let stores = self.0.stores.borrow();
        Ok(stores[location % stores.len()].read(location, lag, now))
    }

    /// Writes the shared record.
    pub async fn store_put(&self, location: usize, value: Vec<u8>) -> Result<(), ()> {
        self.0.recorder.store_write();
        if !self.store_answers(location).await {
            return Err(());
        }
        let lag = self.scenario().store.lag;
        let now = self.0.executor.now();
        let mut stores = self.0.stores.borrow_mut();
        let count = stores.len();
        stores[location % count].write(location, value, lag, now);
        Ok(())
    }

    async fn store_answers(&self, location: usize) -> bool {
        let model = &self.scenario().store;
        let took = model.takes_ms * self.0.noise.borrow_mut()[location].lognormal(0.3);
        store::answer(&self.0.executor, model, took).await
    }

    fn link(&self, location: usize, target: usize) -> usize {
        location * self.targets() + target
    }

    /// The median round trip now, without any fault.
    fn round_trip_ms(&self, location: usize, target: usize) -> f64 {
        let world = &self.0.world;
        let stretch = self.0.conditions.borrow()[target].stretch;
        let base = world.round_trip_ms(self.0.first + location, target) * stretch;
        if world.scenario.diurnal == 0.0 {
            return base;
        }
        self.follow_the_day();
        base * self.0.drift.borrow()[self.link(location, target)]
    }

    /// Brings the diurnal factors up to date, once a minute.
    fn follow_the_day(&self) {
        let minute = self.0.executor.now() / MINUTE;
        if self.0.drift_minute.replace(minute) == minute {
            return;
        }
        let time_of_day = (minute * MINUTE) as f64 / (24 * HOUR) as f64;
        let targets = self.targets();
        for (link, factor) in self.0.drift.borrow_mut().iter_mut().enumerate() {
            let location = self.0.first + link / targets;
            *factor = self.0.world.diurnal(location, link % targets, time_of_day);
        }
    }

    /// A round trip of the median `ms`, with jitter and, at times, a tail.
    fn jittered(&self, location: usize, ms: f64) -> f64 {
        let noise = self.scenario().noise;
        let stream = &mut self.0.noise.borrow_mut()[location];
        let mut factor = stream.lognormal(noise.sigma);
        if stream.uniform() < noise.tail {
            factor *= TAIL_FROM * stream.pareto(noise.tail_index, TAIL_MOST);
        }
        ms * factor
    }

    /// The status of an answer, by the target's fault.
    fn status(&self, location: usize, fault: Option<FaultKind>) -> u16 {
        match fault {
            Some(FaultKind::Answer(status, share))
                if self.0.noise.borrow_mut()[location].uniform() < share =>
            {
                status
            }
            _ => 200,
        }
    }

    fn cost_ms(&self, location: usize, message: Message) -> f64 {
        match message {
            Message::Request(ask) => ask.cost_ms,
            Message::Probe => PROBE_COST_MS * self.0.noise.borrow_mut()[location].lognormal(0.25),
        }
    }
}

/// The queues of targets of limited capacity: as many servers as the load
/// needs at the cost of requests, and then their pace so that capacity is
/// exactly what was asked for.
fn queues(scenario: &Scenario) -> Vec<Option<(Queue, f64)>> {
    let total = scenario.rate * scenario.locations as f64;
    let cost_ms = mean_cost_ms(scenario.endpoints);
    let queue = |share: f64| {
        let per_second = total * share;
        let servers = (per_second * cost_ms / 1e3).round().max(1.0);
        let pace = servers / (per_second * cost_ms / 1e3);
        (Queue::new(servers as usize, LONGEST_WAIT), pace)
    };
    scenario
        .targets
        .iter()
        .map(|target| target.capacity.map(|capacity| queue(capacity.share)))
        .collect()
}
