//! Metrics, whatever they are exported as.

use super::report::Times;
use function_fetch_engine::stats::BOUNDS;

/// A metric with its points.
#[derive(Debug)]
pub(super) struct Metric {
    /// Its name without prefix, unit and `total`.
    pub(super) name: &'static str,
    /// The name by OpenTelemetry's conventions, where they have one.
    pub(super) convention: Option<&'static str>,
    pub(super) help: &'static str,
    /// As OpenTelemetry writes it: `s`, `{attempt}`.
    pub(super) unit: &'static str,
    pub(super) points: Points,
}

#[derive(Debug)]
pub(super) enum Points {
    Counter(Vec<(Attributes, u64)>),
    Gauge(Vec<(Attributes, f64)>),
    Histogram(Vec<(Attributes, Histogram)>),
}

/// By OpenTelemetry's names, such as `server.address`.
pub(super) type Attributes = Vec<(&'static str, String)>;

/// Times, added up.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Histogram {
    /// In each bucket: one more than there are bounds.
    counts: [u64; BOUNDS.len() + 1],
    sum_ms: f64,
}

impl Histogram {
    /// The upper bounds, seconds.
    pub(super) fn bounds() -> impl Iterator<Item = f64> {
        BOUNDS.iter().map(|bound| bound.0 / 1e3)
    }

    pub(super) fn add(&mut self, times: &Times) {
        // A component with more buckets than this host knows: the last one takes them.
        let last = self.counts.len() - 1;
        for (place, count) in times.counts.iter().enumerate() {
            let bucket = &mut self.counts[place.min(last)];
            *bucket = bucket.saturating_add(*count);
        }
        if times.sum_ms.is_finite() {
            self.sum_ms += times.sum_ms;
        }
    }

    pub(super) fn counts(&self) -> &[u64] {
        &self.counts
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Seconds.
    pub(super) fn sum(&self) -> f64 {
        self.sum_ms / 1e3
    }
}
