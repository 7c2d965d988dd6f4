//! The latency of a target's probes: a mean in which older samples fade.
//!
//! Each sample starts with the weight 1, and every weight falls by the same
//! share in the same time, so two samples taken together count alike and one
//! of an hour ago hardly at all. It is the exponentially weighted moving
//! average over irregular intervals, in the form that also knows how much it
//! stands on.

use crate::curve;

/// A fading mean, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    mean_ms: f64,
    weight: f64,
    /// How many samples it has seen.
    pub(crate) samples: u32,
    /// When it was last measured, ms since the Unix epoch.
    pub(crate) at: f64,
}

impl Latency {
    /// What another instance told: `samples` probes, the last one at `at`.
    pub(crate) fn told(mean_ms: f64, samples: u32, at: f64) -> Self {
        Self {
            mean_ms,
            // At one sample per fading time the weights add up to 1/(1 - 1/e).
            weight: f64::from(samples).clamp(1.0, 1.58),
            samples,
            at,
        }
    }

    pub(crate) fn ms(&self) -> f64 {
        self.mean_ms
    }

    /// Adds a sample to what is known so far. In `fade_ms` a weight falls to
    /// 1/e.
    pub(crate) fn add(known: Option<Self>, sample_ms: f64, now: f64, fade_ms: f64) -> Self {
        let Some(known) = known else {
            return Self {
                mean_ms: sample_ms,
                weight: 1.0,
                samples: 1,
                at: now,
            };
        };
        let old = known.weight * curve::exp(-(now - known.at).max(0.0) / fade_ms);
        let weight = old + 1.0;
        Self {
            mean_ms: (known.mean_ms * old + sample_ms) / weight,
            weight,
            samples: known.samples.saturating_add(1),
            at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FADE: f64 = 300_000.0;

    fn mean(samples: &[(f64, f64)]) -> f64 {
        samples
            .iter()
            .fold(None, |known, (at, ms)| {
                Some(Latency::add(known, *ms, *at, FADE))
            })
            .map_or(0.0, |known| known.ms())
    }

    #[test]
    fn samples_taken_together_count_alike() {
        assert_eq!(mean(&[(0.0, 10.0), (0.0, 20.0), (0.0, 30.0)]), 20.0);
    }

    #[test]
    fn an_old_sample_fades() {
        let one_fade_later = mean(&[(0.0, 100.0), (FADE, 10.0)]);
        assert!((one_fade_later - (100.0 / std::f64::consts::E + 10.0) / 1.3679).abs() < 0.01);
        assert!(mean(&[(0.0, 100.0), (20.0 * FADE, 10.0)]) < 10.001);
    }

    #[test]
    fn a_clock_that_steps_back_does_no_harm() {
        let mean = mean(&[(FADE, 10.0), (0.0, 20.0)]);
        assert_eq!(mean, 15.0);
    }
}
