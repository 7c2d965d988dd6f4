//! Whether a response was right.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How many violations are kept in full.
const KEPT: usize = 20;

/// Counts of what clients got.
#[derive(Default)]
pub struct Verdicts(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Good responses, by kind of request.
    good: BTreeMap<&'static str, u64>,
    /// What the promises allow while a target is in trouble, by kind.
    excused: BTreeMap<String, u64>,
    violations: u64,
    kept: Vec<String>,
    /// Latencies of the good clients, while they are measured.
    latencies: Vec<Duration>,
}

impl Verdicts {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn good(&self, kind: &'static str) {
        *self.inner().good.entry(kind).or_default() += 1;
    }

    /// Not good, but no promise says that it would be.
    pub fn excused(&self, kind: &'static str, what: &str) {
        let key = format!("{kind}: {what}");
        *self.inner().excused.entry(key).or_default() += 1;
    }

    /// A promise was broken.
    pub fn violation(&self, what: String) {
        let mut inner = self.inner();
        inner.violations += 1;
        if inner.kept.len() < KEPT {
            inner.kept.push(what);
        }
    }

    pub fn latency(&self, since: Instant) {
        self.inner().latencies.push(since.elapsed());
    }

    /// The 99th percentile of the latencies since the last call, and how many there were.
    pub fn take_p99(&self) -> (Duration, usize) {
        let mut latencies = std::mem::take(&mut self.inner().latencies);
        latencies.sort_unstable();
        let count = latencies.len();
        let at = (count * 99 / 100).min(count.saturating_sub(1));
        (latencies.get(at).copied().unwrap_or_default(), count)
    }

    pub fn violations(&self) -> u64 {
        self.inner().violations
    }

    pub fn good_in_all(&self) -> u64 {
        self.inner().good.values().sum()
    }

    pub fn json(&self) -> Value {
        let inner = self.inner();
        json!({
            "good": inner.good,
            "excused": inner.excused,
            "violations": inner.violations,
            "first_violations": inner.kept,
        })
    }
}
