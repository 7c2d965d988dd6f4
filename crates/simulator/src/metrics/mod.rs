//! What is counted: never a log of all requests, so that memory stays flat.

mod recent;
pub mod trouble;

pub use recent::{Sample, Told};

use crate::clock::{Micros, SECOND};
use crate::scenario::Scenario;
use crate::traffic::Ask;
use function_fetch_engine::{Failure, Notice};
use hdrhistogram::Histogram;
use recent::Recent;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use trouble::{Primary, Trouble};

/// What a client got.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The status; the proxy's own 502 and 504 included.
    pub status: u16,
    /// The target whose answer it is.
    pub target: Option<usize>,
    /// The target that was tried first.
    pub first: Option<usize>,
}

impl Answer {
    /// Whether it tells the client of a failure that another target may not have
    /// had: 5xx or 429. Simulated clients deserve neither.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.status >= 500 || self.status == 429
    }

    /// An attempt has ended: its response, or its failure where no response has come before.
    pub fn hear(&mut self, target: usize, outcome: Result<u16, Failure>) {
        match outcome {
            Ok(status) => {
                self.status = status;
                self.target = Some(target);
            }
            Err(failure) if self.target.is_none() => self.status = failure.status(),
            Err(_) => {}
        }
    }
}

/// One step of the series over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bucket {
    /// Requests that arrived in it.
    pub requests: u64,
    /// The sum of their latencies, µs.
    pub latency: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Attempts sent in it.
    pub attempts: u64,
    /// Probes sent in it.
    pub probes: u64,
    /// Its requests by the target that answered.
    pub by_target: Vec<u32>,
}

/// All counts of one policy in one scenario. Integers only: sums of cells then
/// do not depend on the order in which threads finish.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Requests.
    pub requests: u64,
    /// The GETs among them.
    pub gets: u64,
    /// GETs that were not answered, or with 5xx or 429.
    pub failed_gets: u64,
    /// Likewise for POST.
    pub failed_posts: u64,
    /// Latencies of all requests, until the head or the failure, µs.
    pub latency: Histogram<u64>,
    /// Their sum, µs.
    pub latency_sum: u64,
    /// The slowest GET, µs: a POST may have to wait for what it cannot send
    /// again.
    pub slowest_get: u64,
    /// Requests sent to targets.
    pub attempts: u64,
    /// Probes sent.
    pub probes: u64,
    /// Reads of the shared store.
    pub store_reads: u64,
    /// Writes to it.
    pub store_writes: u64,
    /// Requests of a location whose answer came from another target than that
    /// of the one before; stragglers left out.
    pub switches: u64,
    /// Requests that were first sent to another target than the one before.
    pub first_choice_changes: u64,
    /// Requests by the target that was tried first.
    pub first_by_target: Vec<u64>,
    /// Instances started.
    pub instances: u64,
    /// Attempts sent to a target that refused or hung.
    pub dead_attempts: u64,
    /// The most of these that one instance sent.
    pub dead_attempts_of_an_instance: u64,
    /// When the last of them was sent: by then all had learned of the fault.
    pub last_dead_attempt: Micros,
    /// What the engines told their operators, by kind.
    pub notices: BTreeMap<String, u64>,
    /// The series.
    pub buckets: Vec<Bucket>,
    /// More of a time of trouble, where the scenario has one.
    pub trouble: Option<Trouble>,
}

/// From 10 µs to 2 minutes, more than the deadline, to three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(10, 120 * SECOND, 3).expect("sound bounds")
}

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let bucket = Bucket {
            by_target: vec![0; scenario.targets.len()],
            ..Bucket::default()
        };
        Self {
            requests: 0,
            gets: 0,
            failed_gets: 0,
            failed_posts: 0,
            latency: histogram(),
            latency_sum: 0,
            slowest_get: 0,
            attempts: 0,
            probes: 0,
            store_reads: 0,
            store_writes: 0,
            switches: 0,
            first_choice_changes: 0,
            first_by_target: vec![0; scenario.targets.len()],
            instances: 0,
            dead_attempts: 0,
            dead_attempts_of_an_instance: 0,
            last_dead_attempt: 0,
            notices: BTreeMap::new(),
            buckets: vec![bucket; scenario.buckets()],
            trouble: scenario.trouble.map(Trouble::new),
        }
    }

    /// Adds what other locations counted.
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.gets += other.gets;
        self.failed_gets += other.failed_gets;
        self.failed_posts += other.failed_posts;
        self.latency.add(&other.latency).expect("equal bounds");
        self.latency_sum += other.latency_sum;
        self.slowest_get = self.slowest_get.max(other.slowest_get);
        self.attempts += other.attempts;
        self.probes += other.probes;
        self.store_reads += other.store_reads;
        self.store_writes += other.store_writes;
        self.switches += other.switches;
        self.first_choice_changes += other.first_choice_changes;
        for (ours, theirs) in self.first_by_target.iter_mut().zip(&other.first_by_target) {
            *ours += theirs;
        }
        self.instances += other.instances;
        self.dead_attempts += other.dead_attempts;
        self.dead_attempts_of_an_instance = self
            .dead_attempts_of_an_instance
            .max(other.dead_attempts_of_an_instance);
        self.last_dead_attempt = self.last_dead_attempt.max(other.last_dead_attempt);
        for (kind, count) in &other.notices {
            *self.notices.entry(kind.clone()).or_default() += count;
        }
        for (ours, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            ours.merge(theirs);
        }
        if let (Some(ours), Some(theirs)) = (&mut self.trouble, &other.trouble) {
            ours.merge(theirs);
        }
    }

    /// The mean latency, ms.
    #[must_use]
    pub fn mean_ms(&self) -> f64 {
        self.latency_sum as f64 / 1e3 / self.requests.max(1) as f64
    }

    /// A quantile of the latency, ms.
    #[must_use]
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }
}

impl Bucket {
    /// Adds another step's counts.
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.latency += other.latency;
        self.failed += other.failed;
        self.attempts += other.attempts;
        self.probes += other.probes;
        for (ours, theirs) in self.by_target.iter_mut().zip(&other.by_target) {
            *ours += theirs;
        }
    }

    /// The mean latency, ms.
    #[must_use]
    pub fn mean_ms(&self) -> f64 {
        self.latency as f64 / 1e3 / self.requests.max(1) as f64
    }

    /// The share of its requests that a target answered.
    #[must_use]
    pub fn share(&self, target: usize) -> f64 {
        f64::from(self.by_target[target]) / self.requests.max(1) as f64
    }
}

/// Counts, for all locations of a cell. Clones share the counts.
#[derive(Clone)]
pub struct Recorder(Rc<RefCell<Recording>>);

struct Recording {
    metrics: Metrics,
    bucket: Micros,
    /// Each location's latest request, by arrival: its number, who answered.
    last: Vec<(u64, usize)>,
    last_first: Vec<(u64, usize)>,
    primaries: Vec<Primary>,
    /// Where somebody watches.
    recent: Option<Recent>,
}

impl Recorder {
    /// For `locations` locations.
    #[must_use]
    pub fn new(scenario: &Scenario, locations: usize) -> Self {
        Self::with(scenario, locations, None)
    }

    /// The same, which also keeps for so long what happens, for
    /// [`Self::sample`].
    #[must_use]
    pub fn watching(scenario: &Scenario, locations: usize, keep: Micros) -> Self {
        let recent = Recent::new(scenario.targets.len(), keep);
        Self::with(scenario, locations, Some(recent))
    }

    fn with(scenario: &Scenario, locations: usize, recent: Option<Recent>) -> Self {
        Self(Rc::new(RefCell::new(Recording {
            metrics: Metrics::new(scenario),
            bucket: scenario.bucket,
            last: vec![(0, usize::MAX); locations],
            last_first: vec![(0, usize::MAX); locations],
            primaries: vec![Primary::default(); locations],
            recent,
        })))
    }

    /// What happened after `since`, or since the start; `None` where nobody
    /// watches.
    #[must_use]
    pub fn sample(&self, since: Option<Micros>) -> Option<Sample> {
        let recording = self.0.borrow();
        Some(recording.recent.as_ref()?.after(since))
    }

    /// What engines have told since this was asked last.
    #[must_use]
    pub fn take_told(&self) -> Vec<Told> {
        let recent = &mut self.0.borrow_mut().recent;
        recent.as_mut().map_or_else(Vec::new, Recent::take_told)
    }

    /// The counts so far.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.0.borrow().metrics.clone()
    }

    /// A request arrives.
    pub fn arrival(&self) {
        if let Some(recent) = &mut self.0.borrow_mut().recent {
            recent.arrived();
        }
    }

    /// A request has its answer.
    pub fn request(&self, location: usize, ask: &Ask, from: Micros, to: Micros, answer: &Answer) {
        let mut recording = self.0.borrow_mut();
        let recording = &mut *recording;
        let metrics = &mut recording.metrics;
        let took = to - from;
        let failed = answer.is_error();
        if let Some(recent) = &mut recording.recent {
            recent.ended(to, took, failed);
        }
        metrics.requests += 1;
        metrics.gets += u64::from(!ask.post);
        metrics.failed_gets += u64::from(failed && !ask.post);
        metrics.failed_posts += u64::from(failed && ask.post);
        metrics.latency.saturating_record(took);
        metrics.latency_sum += took;
        if !ask.post {
            metrics.slowest_get = metrics.slowest_get.max(took);
        }
        if let Some(bucket) = metrics.buckets.get_mut((from / recording.bucket) as usize) {
            bucket.requests += 1;
            bucket.latency += took;
            bucket.failed += u64::from(failed);
            if let Some(target) = answer.target {
                bucket.by_target[target] += 1;
            }
        }
        if let Some(trouble) = &mut metrics.trouble {
            trouble.request(ask, from, took, answer);
        }
        if let Some(first) = answer.first {
            metrics.first_by_target[first] += 1;
        }
        let last = &mut recording.last[location];
        metrics.switches += changed(last, ask.number, answer.target);
        let last = &mut recording.last_first[location];
        metrics.first_choice_changes += changed(last, ask.number, answer.first);
    }

    /// A request goes to a target; `is_wrong` tells whether another one is
    /// clearly better.
    pub fn attempt(
        &self,
        location: usize,
        ask: &Ask,
        target: usize,
        now: Micros,
        is_wrong: impl FnOnce() -> bool,
    ) {
        let mut recording = self.0.borrow_mut();
        recording.metrics.attempts += 1;
        if let Some(bucket) = recording.bucket_at(now) {
            bucket.attempts += 1;
        }
        let Recording {
            metrics,
            primaries,
            recent,
            ..
        } = &mut *recording;
        if let Some(recent) = recent {
            recent.sent(now, target);
        }
        if let Some(trouble) = &mut metrics.trouble {
            primaries[location].chosen(trouble, ask.number, target, is_wrong);
        }
    }

    /// A policy ejects a target.
    pub fn ejection(&self, now: Micros) {
        if let Some(trouble) = &mut self.0.borrow_mut().metrics.trouble {
            trouble.ejection(now);
        }
    }

    /// A probe goes to a target.
    pub fn probe(&self, target: usize, now: Micros) {
        let mut recording = self.0.borrow_mut();
        recording.metrics.probes += 1;
        if let Some(recent) = &mut recording.recent {
            recent.probed(now, target);
        }
        if let Some(bucket) = recording.bucket_at(now) {
            bucket.probes += 1;
        }
    }

    /// The shared store is asked.
    pub fn store_read(&self) {
        self.0.borrow_mut().metrics.store_reads += 1;
    }

    /// The shared store is told.
    pub fn store_write(&self) {
        self.0.borrow_mut().metrics.store_writes += 1;
    }

    /// An instance starts.
    pub fn instance(&self) {
        self.0.borrow_mut().metrics.instances += 1;
    }

    /// An engine tells its operator something, of this kind.
    pub fn notice(&self, kind: String) {
        *self.0.borrow_mut().metrics.notices.entry(kind).or_default() += 1;
    }

    /// What exactly it tells.
    pub fn told(&self, location: usize, now: Micros, notice: &Notice) {
        if let Some(recent) = &mut self.0.borrow_mut().recent {
            recent.told(Told {
                at: now,
                location,
                notice: notice.clone(),
            });
        }
    }

    /// An instance sends an attempt to a dead target, its `count`-th.
    pub fn dead_attempt(&self, count: u64, now: Micros) {
        let metrics = &mut self.0.borrow_mut().metrics;
        metrics.dead_attempts += 1;
        metrics.dead_attempts_of_an_instance = metrics.dead_attempts_of_an_instance.max(count);
        metrics.last_dead_attempt = metrics.last_dead_attempt.max(now);
    }
}

impl Recording {
    fn bucket_at(&mut self, now: Micros) -> Option<&mut Bucket> {
        self.metrics.buckets.get_mut((now / self.bucket) as usize)
    }
}

/// Whether a request that is later than the last one went elsewhere.
fn changed(last: &mut (u64, usize), number: u64, target: Option<usize>) -> u64 {
    let Some(target) = target else { return 0 };
    let (latest, known) = *last;
    if number < latest {
        return 0;
    }
    *last = (number, target);
    u64::from(known != target && known != usize::MAX)
}
