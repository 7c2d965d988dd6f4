//! The figures of a time of trouble.

use crate::metrics::trouble::{Counts, Phase, Trouble};
use crate::metrics::{Bucket, Metrics};
use crate::report::Results;
use crate::report::summary::{SETTLED, SETTLED_FOR, after_steps, round};
use serde::Serialize;

/// What it was like, and what the policy did.
#[derive(Debug, Serialize)]
pub struct TroubleFigures {
    /// GETs whose client saw an error, by phase: the first ten seconds, the rest
    /// of the first minute, later, and after the end.
    pub get_errors: Vec<u64>,
    /// POSTs, likewise.
    pub post_errors: Vec<u64>,
    /// Of the POSTs from ten seconds after the beginning up to the end, percent.
    pub post_errors_after_10_s_percent: f64,
    /// The 99th percentile of GETs, ms: before, in the first minute, later, after.
    pub get_p99_ms: Vec<f64>,
    /// How long after the beginning half, and all, of what requests lost against
    /// the oracle's was gone, seconds; `null` when it never was. Empty without
    /// an oracle.
    pub excess_gone_s: Vec<Option<f64>>,
    /// Changes of a location's primary.
    pub switches: u64,
    /// Those to a target that was not the best.
    pub wrong_switches: u64,
    /// Requests that were first sent to another target than the primary, percent.
    pub trials_percent: f64,
    /// Ejections while something was wrong.
    pub ejections: u64,
    /// Ejections before and after: the noise's.
    pub other_ejections: u64,
}

impl TroubleFigures {
    /// The figures of a policy's run, where the scenario has a time of trouble.
    #[must_use]
    pub fn new(results: &Results, metrics: &Metrics, oracle: Option<&Metrics>) -> Option<Self> {
        let trouble = metrics.trouble.as_ref()?;
        let told = [
            Phase::FirstSeconds,
            Phase::FirstMinute,
            Phase::Later,
            Phase::After,
        ];
        let each = |count: fn(&Counts) -> u64| told.map(|phase| count(trouble.phase(phase)));
        let late = merged(trouble, &[Phase::FirstMinute, Phase::Later]);
        let p99 = |phases: &[Phase]| {
            let counts = merged(trouble, phases);
            round(counts.get_latency.value_at_quantile(0.99) as f64 / 1e3, 1)
        };
        Some(Self {
            get_errors: each(|counts| counts.failed_gets).to_vec(),
            post_errors: each(|counts| counts.failed_posts).to_vec(),
            post_errors_after_10_s_percent: percent(late.failed_posts, late.posts),
            get_p99_ms: vec![
                p99(&[Phase::Before]),
                p99(&[Phase::FirstSeconds, Phase::FirstMinute]),
                p99(&[Phase::Later]),
                p99(&[Phase::After]),
            ],
            excess_gone_s: oracle
                .map_or_else(Vec::new, |oracle| excess_gone(results, metrics, oracle)),
            switches: trouble.switches,
            wrong_switches: trouble.wrong_switches,
            trials_percent: percent(trouble.trials, trouble.first_choices),
            ejections: trouble.ejections,
            other_ejections: trouble.other_ejections,
        })
    }
}

fn merged(trouble: &Trouble, phases: &[Phase]) -> Counts {
    let mut all = trouble.phase(phases[0]).clone();
    for phase in &phases[1..] {
        all.merge(trouble.phase(*phase));
    }
    all
}

fn percent(of: u64, all: u64) -> f64 {
    round(of as f64 / all.max(1) as f64 * 100.0, 2)
}

/// How long it takes until half, and all, of the excess over the oracle is
/// gone, seconds.
fn excess_gone(results: &Results, metrics: &Metrics, oracle: &Metrics) -> Vec<Option<f64>> {
    let scenario = &results.scenario;
    let Some((from, to)) = scenario.trouble else {
        return Vec::new();
    };
    let steps = (from / scenario.bucket) as usize
        ..((to / scenario.bucket) as usize).min(metrics.buckets.len());
    let (ours, best) = (
        &metrics.buckets[steps.clone()],
        &oracle.buckets[steps.clone()],
    );
    let step_s = scenario.bucket as f64 / 1e6;
    let half = half_gone(ours, best, (60.0 / step_s) as usize);
    let all = after_steps(ours, best);
    [half, all]
        .map(|steps| steps.map(|steps| steps as f64 * step_s))
        .to_vec()
}

/// How many steps it takes until the first of some in which the excess is no
/// more than half of the most that it was in the `first` steps, or as small as
/// that of a policy that has settled.
fn half_gone(series: &[Bucket], oracle: &[Bucket], first: usize) -> Option<usize> {
    let excess = || {
        let steps = series.iter().zip(oracle);
        steps.map(|(ours, best)| ours.mean_ms() - best.mean_ms())
    };
    let most = excess().take(first).fold(0.0, f64::max);
    let gone: Vec<bool> = excess()
        .zip(oracle)
        .map(|(excess, best)| excess <= (most / 2.0).max(best.mean_ms() * SETTLED))
        .collect();
    gone.windows(SETTLED_FOR)
        .position(|window| window.iter().all(|gone| *gone))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(means_ms: &[u64]) -> Vec<Bucket> {
        let bucket = |ms: &u64| Bucket {
            requests: 1,
            latency: ms * 1000,
            ..Bucket::default()
        };
        means_ms.iter().map(bucket).collect()
    }

    #[test]
    fn half_and_all_of_an_excess_are_gone_when_they_stay_gone() {
        let oracle = series(&[60; 12]);
        let left = series(&[460, 460, 200, 460, 200, 200, 200, 62, 62, 62, 62, 62]);
        assert_eq!(half_gone(&left, &oracle, 12), Some(4));
        assert_eq!(after_steps(&left, &oracle), Some(7));
    }

    #[test]
    fn who_never_leaves_never_loses_half_and_who_is_near_has_nothing_to_lose() {
        let oracle = series(&[60; 12]);
        assert_eq!(half_gone(&series(&[460; 12]), &oracle, 12), None);
        assert_eq!(half_gone(&series(&[63; 12]), &oracle, 12), Some(0));
    }
}
