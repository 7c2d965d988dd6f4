//! What an instance has done, in numbers, for monitoring (`FETCH_STATS_SECONDS`).
//!
//! Instances come and go within seconds, so nobody could ask them. Each tells what
//! came since it last told; whoever listens adds it up.

use crate::failure::Failure;
use crate::notice::StoreOperation;
use crate::time::{Millis, Timestamp};
use serde::Serialize;

/// The bounds of the histograms: what OpenTelemetry advises for
/// `http.client.request.duration`.
pub const BOUNDS: [Millis; 14] = [
    Millis(5.0),
    Millis(10.0),
    Millis(25.0),
    Millis(50.0),
    Millis(75.0),
    Millis(100.0),
    Millis(250.0),
    Millis(500.0),
    Millis(750.0),
    Millis(1_000.0),
    Millis(2_500.0),
    Millis(5_000.0),
    Millis(7_500.0),
    Millis(10_000.0),
];

/// The methods that are told apart, which are those that OpenTelemetry knows; any
/// other is the last.
pub const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "_OTHER",
];

/// After so many requests most WASI hosts replace an instance, which tells what it
/// still has before that.
const LIFE: u32 = 128;

/// The most combinations of method and outcome of a target that are told apart: a
/// target chooses its statuses.
const MOST_ANSWERS: usize = 64;

/// What came since the last time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stats {
    /// Over how long.
    pub for_ms: u32,
    /// The requests that came, refused ones included.
    pub requests: u32,
    /// In the order of `FETCH_TARGETS`.
    pub targets: Vec<TargetStats>,
    /// What was done with the store.
    pub store: StoreStats,
    /// The target that is the primary now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// When the decision was measured, ms since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured_at: Option<Timestamp>,
}

/// One target's part.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TargetStats {
    /// The target, as settings name it.
    pub target: String,
    /// Whether it gets its requests now: not ejected, and not on trial.
    pub healthy: bool,
    /// Requests that were sent to it.
    pub attempts: u32,
    /// Of these, after another attempt had failed.
    pub retries: u32,
    /// Of these, beside another attempt.
    pub hedges: u32,
    /// How often it was ejected.
    pub ejections: u32,
    /// Probes that failed.
    pub failed_probes: u32,
    /// How long probes took that found it healthy.
    pub probes: Times,
    /// How attempts ended, by method and outcome. Those that this side gave up
    /// since another was faster are not there.
    pub answers: Vec<Answers>,
}

/// The attempts of one method with one outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answers {
    /// One of [`METHODS`].
    pub method: &'static str,
    /// The status, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was none: an error type of RFC 9209.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// Until the response head, or the failure.
    pub times: Times,
}

/// A histogram.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// How many were no longer than each of [`BOUNDS`], and longer than the one
    /// before; the last one: than all. What is zero to the end is left out.
    pub counts: Vec<u32>,
    /// Their sum.
    pub sum_ms: Millis,
}

/// What was done with the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StoreStats {
    /// Reads that went well.
    pub reads: u32,
    /// Reads that failed.
    pub failed_reads: u32,
    /// Writes that went well.
    pub writes: u32,
    /// Writes that failed.
    pub failed_writes: u32,
}

/// The counts of an instance, while they are on.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    every: Millis,
    /// Since when it counts: the first request, or the last time that it told.
    since: Option<Timestamp>,
    /// Requests in all, and those under way.
    begun: u32,
    open: u32,
    /// Whether there is something to tell.
    fresh: bool,
    requests: u32,
    store: StoreStats,
    targets: Vec<TargetStats>,
}

impl Counts {
    pub(crate) fn new(every: Millis, targets: Vec<String>) -> Self {
        let targets = targets.into_iter().map(|target| TargetStats {
            target,
            ..TargetStats::default()
        });
        Self {
            every,
            since: None,
            begun: 0,
            open: 0,
            fresh: false,
            requests: 0,
            store: StoreStats::default(),
            targets: targets.collect(),
        }
    }

    pub(crate) fn begun(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
        self.fresh = true;
        self.begun = self.begun.saturating_add(1);
        self.open += 1;
        self.requests += 1;
    }

    pub(crate) fn ended(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// A request was sent, after so many attempts of which some may still run.
    pub(crate) fn sent(&mut self, target: usize, earlier: u32, running: u32) {
        let target = &mut self.targets[target];
        target.attempts += 1;
        if running > 0 {
            target.hedges += 1;
        } else if earlier > 0 {
            target.retries += 1;
        }
    }

    pub(crate) fn answered(&mut self, target: usize, method: u8, status: u16, ttfb: Millis) {
        self.targets[target].ended(method, Some(status), None, ttfb);
    }

    pub(crate) fn failed(&mut self, target: usize, method: u8, failure: Failure, took: Millis) {
        self.targets[target].ended(method, None, Some(failure.proxy_error()), took);
    }

    pub(crate) fn ejected(&mut self, target: usize) {
        self.fresh = true;
        self.targets[target].ejections += 1;
    }

    /// A probe came back, after so long if it found its target healthy.
    pub(crate) fn probed(&mut self, target: usize, took: Option<Millis>) {
        self.fresh = true;
        match took {
            Some(took) => self.targets[target].probes.add(took),
            None => self.targets[target].failed_probes += 1,
        }
    }

    pub(crate) fn store(&mut self, operation: StoreOperation, well: bool) {
        self.fresh = true;
        let count = match (operation, well) {
            (StoreOperation::Read, true) => &mut self.store.reads,
            (StoreOperation::Read, false) => &mut self.store.failed_reads,
            (StoreOperation::Write, true) => &mut self.store.writes,
            (StoreOperation::Write, false) => &mut self.store.failed_writes,
        };
        *count += 1;
    }

    /// Whether there is something to tell.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Whether it is time to tell it: often enough for whoever listens, and before the
    /// instance goes.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let waited = self.since.is_none_or(|since| {
            let passed = now - since;
            // The wall clock may have stepped back.
            passed >= self.every || passed < Millis::ZERO
        });
        let goes = self.begun >= LIFE && self.open == 0;
        self.fresh && (waited || goes)
    }

    /// What came since the last time; the counts start anew.
    pub(crate) fn take(&mut self, now: Timestamp) -> Stats {
        // Without a request so far there is no beginning: the store was read for the status page.
        let began = self.since.replace(now).unwrap_or(now);
        let passed = (now - began).max(Millis::ZERO);
        self.fresh = false;
        let targets = self.targets.iter_mut().map(|target| {
            let anew = TargetStats {
                target: target.target.clone(),
                ..TargetStats::default()
            };
            std::mem::replace(target, anew)
        });
        Stats {
            for_ms: passed.whole(),
            requests: std::mem::take(&mut self.requests),
            targets: targets.collect(),
            store: std::mem::take(&mut self.store),
            primary: None,
            measured_at: None,
        }
    }
}

impl TargetStats {
    fn ended(
        &mut self,
        method: u8,
        status: Option<u16>,
        error: Option<&'static str>,
        took: Millis,
    ) {
        let method = METHODS[usize::from(method).min(METHODS.len() - 1)];
        let known =
            |one: &Answers| one.method == method && one.status == status && one.error == error;
        let place = match self.answers.iter().position(known) {
            Some(place) => place,
            // The last one takes what is too much.
            None if self.answers.len() >= MOST_ANSWERS => MOST_ANSWERS - 1,
            None => {
                let is_last = self.answers.len() == MOST_ANSWERS - 1;
                self.answers.push(Answers {
                    method: if is_last {
                        METHODS[METHODS.len() - 1]
                    } else {
                        method
                    },
                    status: status.filter(|_| !is_last),
                    error: if is_last { Some("_OTHER") } else { error },
                    times: Times::default(),
                });
                self.answers.len() - 1
            }
        };
        self.answers[place].times.add(took);
    }
}

impl Times {
    fn add(&mut self, time: Millis) {
        let time = time.max(Millis::ZERO);
        let place = BOUNDS.iter().take_while(|bound| time > **bound).count();
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += 1;
        self.sum_ms = self.sum_ms + time;
    }
}

/// The place of a method in [`METHODS`].
pub(crate) fn method(name: &str) -> u8 {
    let other = METHODS.len() - 1;
    METHODS
        .iter()
        .position(|known| *known == name)
        .unwrap_or(other) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_where_it_is_no_longer_than_the_bound() {
        let mut times = Times::default();
        for ms in [0.0, 5.0, 5.1, 99.0, 10_000.0, 10_000.1, f64::INFINITY, -1.0] {
            times.add(Millis(ms));
        }
        assert_eq!(times.counts, [3, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        let mut short = Times::default();
        short.add(Millis(7.0));
        assert_eq!((short.counts, short.sum_ms), (vec![0, 1], Millis(7.0)));
    }

    #[test]
    fn a_target_that_answers_with_every_status_has_a_bounded_part() {
        let mut counts = Counts::new(Millis(1000.0), vec!["http://a".to_owned()]);
        for status in 200..600 {
            counts.answered(0, method("GET"), status, Millis(1.0));
        }
        let answers = counts.take(Timestamp(0.0)).targets.remove(0).answers;
        assert_eq!(answers.len(), MOST_ANSWERS);
        let all: u32 = answers.iter().flat_map(|one| &one.times.counts).sum();
        assert_eq!(all, 400);
        assert_eq!(answers[0].status, Some(200));
        let rest = answers.last().unwrap();
        assert_eq!(
            (rest.method, rest.status, rest.error),
            ("_OTHER", None, Some("_OTHER"))
        );
    }

    #[test]
    fn what_was_counted_before_any_request_is_not_since_1970() {
        let mut counts = Counts::new(Millis(1000.0), vec!["http://a".to_owned()]);
        counts.store(StoreOperation::Read, true);
        let now = Timestamp(1_790_000_000_000.0);
        assert!(counts.is_due(now));
        let stats = counts.take(now);
        assert_eq!((stats.for_ms, stats.store.reads), (0, 1));

        counts.begun(now + Millis(500.0));
        assert_eq!(counts.take(now + Millis(1500.0)).for_ms, 1500);
    }

    #[test]
    fn methods_that_are_not_known_are_one() {
        assert_eq!(METHODS[usize::from(method("PATCH"))], "PATCH");
        assert_eq!(METHODS[usize::from(method("BREW"))], "_OTHER");
        assert_eq!(METHODS[usize::from(method("get"))], "_OTHER");
        // What a host gives back may be anything.
        let mut counts = Counts::new(Millis(1000.0), vec!["http://a".to_owned()]);
        counts.answered(0, u8::MAX, 200, Millis(1.0));
        for answers in [1, 0] {
            let target = counts.take(Timestamp(0.0)).targets.remove(0);
            assert_eq!(target.target, "http://a");
            assert_eq!(target.answers.len(), answers);
            assert!(target.answers.iter().all(|one| one.method == "_OTHER"));
        }
    }
}
