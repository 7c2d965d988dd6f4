//! Whether a run meets the targets.

mod targets;

use serde::Serialize;

use crate::results::{Results, Spread};
use targets::{Bound, Measure, Target, targets};

/// Whether a target is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is.
    Met,
    /// It is not.
    NotMet,
    /// What it needs was not measured.
    NotRun,
}

/// One line of the table of targets.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// What is judged.
    pub figure: &'static str,
    /// The target in words.
    pub target: String,
    /// What was measured: the outcome is of its median.
    pub measured: Option<Spread>,
    /// Of the numbers, where they have one.
    pub unit: &'static str,
    /// Whether it is met.
    pub outcome: Outcome,
}

/// Every target, judged.
pub fn judge(results: &Results) -> Vec<Verdict> {
    targets()
        .into_iter()
        .map(|target| target.judge(results))
        .collect()
}

impl Target {
    fn judge(&self, results: &Results) -> Verdict {
        let measured = match self.measure {
            Measure::Ratio {
                case,
                metric,
                of,
                to,
            } => results.ratio(case, metric, of, to),
            Measure::Median {
                case,
                subject,
                metric,
            } => results.spread(case, subject, metric),
            Measure::Worst {
                case,
                subject,
                metric,
            } => results.spread(case, subject, metric).map(|spread| Spread {
                median: spread.max,
                ..spread
            }),
        };
        let (sign, bound) = match self.bound {
            Bound::AtLeast(bound) => ("≥", bound),
            Bound::AtMost(bound) => ("≤", bound),
        };
        Verdict {
            figure: self.figure,
            target: format!("{sign} {bound} {}", self.unit)
                .trim_end()
                .to_owned(),
            measured,
            unit: self.unit,
            outcome: match measured {
                None => Outcome::NotRun,
                Some(spread) if self.bound.holds(spread.median) => Outcome::Met,
                Some(_) => Outcome::NotMet,
            },
        }
    }
}

impl Bound {
    fn holds(&self, value: f64) -> bool {
        match *self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::targets::OURS;
    use super::*;
    use crate::part::cold;
    use crate::proxy::Proxy;
    use crate::results::Metric;

    const CADDY: &str = Proxy::Caddy.name();

    fn outcome_of(results: &Results, figure: &str) -> Outcome {
        let verdicts = judge(results);
        let verdict = verdicts.iter().find(|verdict| verdict.figure == figure);
        verdict.expect("a target").outcome
    }

    #[test]
    fn a_target_is_judged_by_the_median_of_the_rounds() {
        let figure = "vs Caddy, 13 B, 64 connections";
        let mut results = Results::default();
        assert_eq!(outcome_of(&results, figure), Outcome::NotRun);
        for (ours, caddy) in [(200.0, 100.0), (170.0, 100.0), (190.0, 100.0)] {
            results.add("small-64", OURS, Metric::Rate, ours);
            results.add("small-64", CADDY, Metric::Rate, caddy);
        }
        assert_eq!(outcome_of(&results, figure), Outcome::Met);
        for _ in 0..3 {
            results.add("small-64", OURS, Metric::Rate, 170.0);
            results.add("small-64", CADDY, Metric::Rate, 100.0);
        }
        assert_eq!(outcome_of(&results, figure), Outcome::NotMet);
    }

    #[test]
    fn the_worst_sample_counts_where_the_worst_is_promised() {
        let mut results = Results::default();
        for sample in [20.0, 20.0, 90.0] {
            results.add(cold::CASE, cold::FRESH, Metric::Time, sample);
        }
        assert_eq!(
            outcome_of(&results, "cold start, one hangs: p50"),
            Outcome::Met
        );
        assert_eq!(
            outcome_of(&results, "cold start, one hangs: worst"),
            Outcome::NotMet
        );
    }

    #[test]
    fn a_bound_includes_itself() {
        assert!(Bound::AtLeast(1.8).holds(1.8));
        assert!(Bound::AtMost(0.0).holds(0.0));
        assert!(!Bound::AtMost(0.0).holds(0.1));
    }

    #[test]
    fn every_target_has_a_name_of_its_own() {
        let mut figures: Vec<&str> = targets().iter().map(|target| target.figure).collect();
        let all = figures.len();
        figures.sort_unstable();
        figures.dedup();
        assert_eq!(figures.len(), all);
    }
}
