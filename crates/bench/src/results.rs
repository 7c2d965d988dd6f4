//! What was measured: a series of samples for each figure of each subject.

use serde::Serialize;

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Requests per second.
    Rate,
    /// CPU time of the proxy's process per request, µs.
    Cpu,
    /// Median latency, ms.
    P50,
    /// 99th percentile of latency, ms.
    P99,
    /// Responses that are no success, and broken connections, of a turn.
    Failed,
    /// Bytes per second of one body, MiB/s.
    Throughput,
    /// The most memory that the process has had, MiB.
    PeakRss,
    /// How much more memory the process had in the second half of a transfer than in the first, MiB.
    RssGrowth,
    /// Memory for each of several, KiB.
    MemoryEach,
    /// A span of time, ms.
    Time,
    /// How many there were.
    Count,
    /// Time of one operation, ns.
    OperationTime,
    /// Allocations of one operation.
    Allocations,
    /// Instructions of one operation.
    Instructions,
    /// Bytes of a file.
    Size,
    /// A part of the whole, in percent.
    Share,
}

impl Metric {
    /// Its name and unit, as a table's column.
    pub fn label(self) -> &'static str {
        match self {
            Self::Rate => "requests/s",
            Self::Cpu => "CPU/request, µs",
            Self::P50 => "p50, ms",
            Self::P99 => "p99, ms",
            Self::Failed => "failed",
            Self::Throughput => "MiB/s",
            Self::PeakRss => "peak RSS, MiB",
            Self::RssGrowth => "RSS growth, MiB",
            Self::MemoryEach => "memory each, KiB",
            Self::Time => "time, ms",
            Self::Count => "count",
            Self::OperationTime => "time, ns",
            Self::Allocations => "allocations",
            Self::Instructions => "instructions",
            Self::Size => "bytes",
            Self::Share => "share, %",
        }
    }

    /// How many decimals are worth showing.
    pub fn decimals(self) -> usize {
        match self {
            Self::Rate | Self::Failed | Self::Throughput | Self::Count => 0,
            Self::OperationTime | Self::Instructions | Self::Size => 0,
            Self::Cpu | Self::PeakRss | Self::RssGrowth | Self::MemoryEach | Self::Share => 1,
            Self::P50 | Self::P99 | Self::Time | Self::Allocations => 2,
        }
    }
}

/// The samples of one figure.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// The work, such as `small-64`.
    pub case: String,
    /// Who did it, such as a proxy.
    pub subject: String,
    /// The figure.
    pub metric: Metric,
    /// One for each round or repetition.
    pub samples: Vec<f64>,
}

/// The middle and the ends of some samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of no samples there is none.
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self { median, min, max })
    }
}

/// What could not be measured, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotRun {
    /// The work.
    pub case: String,
    /// Who would have done it.
    pub subject: String,
    /// Why not.
    pub reason: String,
}

/// The output of another benchmark, as it is.
#[derive(Clone, Debug, Serialize)]
pub struct Quote {
    /// The command.
    pub title: String,
    /// What it printed.
    pub text: String,
}

/// Everything that a run has found.
#[derive(Debug, Default, Serialize)]
pub struct Results {
    /// In the order in which they were measured.
    pub series: Vec<Series>,
    /// What is missing.
    pub not_run: Vec<NotRun>,
    /// Other benchmarks.
    pub quotes: Vec<Quote>,
}

impl Results {
    /// Notes one sample.
    pub fn add(&mut self, case: &str, subject: &str, metric: Metric, sample: f64) {
        let known = self.series.iter_mut().find(|series| {
            series.case == case && series.subject == subject && series.metric == metric
        });
        match known {
            Some(series) => series.samples.push(sample),
            None => self.series.push(Series {
                case: case.to_owned(),
                subject: subject.to_owned(),
                metric,
                samples: vec![sample],
            }),
        }
    }

    /// Notes that a subject has no figures, or none that can be compared: what it has so far is dropped, since ratios
    /// are of the same rounds.
    pub fn not_run(&mut self, case: &str, subject: &str, reason: String) {
        self.series
            .retain(|series| series.case != case || series.subject != subject);
        self.not_run.push(NotRun {
            case: case.to_owned(),
            subject: subject.to_owned(),
            reason,
        });
    }

    /// The cases, in order.
    pub fn cases(&self) -> Vec<&str> {
        let mut cases = Vec::new();
        for series in &self.series {
            if !cases.contains(&series.case.as_str()) {
                cases.push(&series.case);
            }
        }
        cases
    }

    /// The subjects of a case, in order.
    pub fn subjects(&self, case: &str) -> Vec<&str> {
        let mut subjects = Vec::new();
        for series in self.series.iter().filter(|series| series.case == case) {
            if !subjects.contains(&series.subject.as_str()) {
                subjects.push(&series.subject);
            }
        }
        subjects
    }

    /// The samples of a figure.
    pub fn samples(&self, case: &str, subject: &str, metric: Metric) -> &[f64] {
        let found = self.series.iter().find(|series| {
            series.case == case && series.subject == subject && series.metric == metric
        });
        found.map_or(&[], |series| &series.samples)
    }

    /// The spread of a figure.
    pub fn spread(&self, case: &str, subject: &str, metric: Metric) -> Option<Spread> {
        Spread::of(self.samples(case, subject, metric))
    }

    /// One subject's figure by another's, in each round.
    pub fn ratio(&self, case: &str, metric: Metric, of: &str, to: &str) -> Option<Spread> {
        let (of, to) = (
            self.samples(case, of, metric),
            self.samples(case, to, metric),
        );
        if of.len() != to.len() {
            return None;
        }
        let ratios: Vec<f64> = of.iter().zip(to).map(|(of, to)| of / to).collect();
        Spread::of(&ratios)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_middle_and_the_ends() {
        let spread = |median, min, max| Some(Spread { median, min, max });
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), spread(2.0, 1.0, 3.0));
        assert_eq!(Spread::of(&[4.0, 1.0]), spread(2.5, 1.0, 4.0));
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let mut results = Results::default();
        // The machine is half as fast in the second round.
        for (subject, samples) in [("ours", [200.0, 100.0]), ("theirs", [100.0, 50.0])] {
            for sample in samples {
                results.add("case", subject, Metric::Rate, sample);
            }
        }
        let ratio = results.ratio("case", Metric::Rate, "ours", "theirs");
        assert_eq!(ratio, Spread::of(&[2.0, 2.0]));
        results.add("case", "ours", Metric::Rate, 100.0);
        assert_eq!(results.ratio("case", Metric::Rate, "ours", "theirs"), None);
    }

    #[test]
    fn what_failed_in_one_round_has_no_figures() {
        let mut results = Results::default();
        results.add("case", "ours", Metric::Rate, 1.0);
        results.not_run("case", "ours", "it ended".to_owned());
        assert!(results.cases().is_empty());
        assert_eq!(results.not_run[0].reason, "it ended");
    }
}
