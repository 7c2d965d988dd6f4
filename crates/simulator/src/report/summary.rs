//! The figures of one policy in one scenario.

use crate::clock::{HOUR, Micros, SECOND};
use crate::metrics::{Bucket, Metrics};
use crate::network::fault::Scope;
use crate::policy::Kind;
use crate::report::Results;
use crate::report::trouble::TroubleFigures;
use serde::Serialize;
use std::collections::BTreeMap;

/// Half the default TTL: the unit of store writes that the contract speaks of.
const HALF_TTL: f64 = 150.0;

/// A policy has settled when its mean latency stays within this share of the
/// oracle's,
pub(super) const SETTLED: f64 = 0.10;

/// for so many steps of the series.
pub(super) const SETTLED_FOR: usize = 3;

/// The figures, rounded to what they can mean.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "see the fields of `Metrics`")]
pub struct Summary {
    pub policy: &'static str,
    pub requests: u64,
    pub failed_gets: u64,
    pub failed_posts: u64,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    pub slowest_get_ms: f64,
    /// Latency over the oracle's, percent.
    pub excess_percent: Option<f64>,
    pub attempts_per_request: f64,
    pub switches_per_location_hour: f64,
    pub first_choice_changes_per_location_hour: f64,
    pub first_by_target: Vec<u64>,
    pub probes: u64,
    pub probes_percent_of_requests: f64,
    pub store_reads_per_location_half_ttl: f64,
    pub store_writes_per_location_half_ttl: f64,
    pub instances: u64,
    pub dead_attempts: u64,
    pub dead_attempts_of_an_instance: u64,
    /// From the first beginning of a fault until the last attempt that met it,
    /// seconds: how long the last one took to learn of it.
    pub last_dead_attempt_after_s: Option<f64>,
    /// From each change of a fault (its beginning, its end) until the policy
    /// has settled, seconds; `null` when it never did before the next.
    pub settled_s: Vec<(f64, Option<f64>)>,
    pub notices: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<TroubleFigures>,
}

impl Summary {
    /// The figures of the policy at `place` of the results.
    #[must_use]
    pub fn new(results: &Results, place: usize) -> Self {
        let metrics = &results.metrics[place];
        let scenario = &results.scenario;
        let oracle = results.of(Kind::Oracle);
        let location_hours = scenario.locations as f64 * scenario.length as f64 / HOUR as f64;
        let half_ttls = location_hours * 3600.0 / HALF_TTL;
        let per_request = |count: u64| count as f64 / metrics.requests.max(1) as f64;
        Self {
            policy: results.kinds[place].name(),
            requests: metrics.requests,
            failed_gets: metrics.failed_gets,
            failed_posts: metrics.failed_posts,
            mean_ms: round(metrics.mean_ms(), 2),
            p50_ms: round(metrics.quantile_ms(0.5), 1),
            p90_ms: round(metrics.quantile_ms(0.9), 1),
            p99_ms: round(metrics.quantile_ms(0.99), 1),
            max_ms: round(metrics.latency.max() as f64 / 1e3, 0),
            slowest_get_ms: round(metrics.slowest_get as f64 / 1e3, 0),
            excess_percent: oracle
                .map(|oracle| round((metrics.mean_ms() / oracle.mean_ms() - 1.0) * 100.0, 1)),
            attempts_per_request: round(per_request(metrics.attempts), 4),
            switches_per_location_hour: round(metrics.switches as f64 / location_hours, 2),
            first_choice_changes_per_location_hour: round(
                metrics.first_choice_changes as f64 / location_hours,
                2,
            ),
            first_by_target: metrics.first_by_target.clone(),
            probes: metrics.probes,
            probes_percent_of_requests: round(per_request(metrics.probes) * 100.0, 3),
            store_reads_per_location_half_ttl: round(metrics.store_reads as f64 / half_ttls, 2),
            store_writes_per_location_half_ttl: round(metrics.store_writes as f64 / half_ttls, 2),
            instances: metrics.instances,
            dead_attempts: metrics.dead_attempts,
            dead_attempts_of_an_instance: metrics.dead_attempts_of_an_instance,
            last_dead_attempt_after_s: edges(results)
                .first()
                .filter(|from| metrics.last_dead_attempt >= **from)
                .map(|from| round((metrics.last_dead_attempt - from) as f64 / 1e6, 1)),
            settled_s: oracle.map_or_else(Vec::new, |oracle| settled(results, metrics, oracle)),
            notices: metrics.notices.clone(),
            trouble: TroubleFigures::new(results, metrics, oracle),
        }
    }
}

/// The steps in which any fault begins or ends, without those that flap, and
/// without those of a single path, which most requests never meet.
fn edges(results: &Results) -> Vec<Micros> {
    let targets = &results.scenario.targets;
    let faults = targets.iter().flat_map(|target| &target.faults);
    let mut edges: Vec<Micros> = faults
        .filter(|fault| fault.flaps.is_none() && !matches!(fault.scope, Scope::Path(_)))
        .flat_map(|fault| [fault.from, fault.to])
        .filter(|edge| *edge > 0 && *edge < results.scenario.length)
        .collect();
    edges.sort_unstable();
    edges
}

fn settled(results: &Results, metrics: &Metrics, oracle: &Metrics) -> Vec<(f64, Option<f64>)> {
    let step = results.scenario.bucket;
    let edges = edges(results);
    let seconds = |micros: Micros| micros as f64 / SECOND as f64;
    edges
        .iter()
        .enumerate()
        .map(|(index, edge)| {
            let from = (edge / step) as usize;
            let to = edges
                .get(index + 1)
                .map_or(metrics.buckets.len(), |next| (next / step) as usize);
            let after = after_steps(&metrics.buckets[from..to], &oracle.buckets[from..to]);
            let took = after.map(|steps| seconds(steps as Micros * step));
            (seconds(*edge), took)
        })
        .collect()
}

/// How many steps it takes until the first of some that are all near the
/// oracle's.
pub(super) fn after_steps(series: &[Bucket], oracle: &[Bucket]) -> Option<usize> {
    let near: Vec<bool> = series
        .iter()
        .zip(oracle)
        .map(|(ours, best)| ours.mean_ms() <= best.mean_ms() * (1.0 + SETTLED))
        .collect();
    near.windows(SETTLED_FOR)
        .position(|window| window.iter().all(|near| *near))
}

pub(super) fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}
