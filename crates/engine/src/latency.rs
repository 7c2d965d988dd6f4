//! The latency of a target's probes: a mean in which older samples decay.
//!
//! Each sample starts with the weight 1, and every weight falls by the same
//! share in the same time, so two samples taken together count the same and one
//! of an hour ago hardly at all. It is the exponentially weighted moving
//! average over irregular intervals, in the form that keeps the sum of the
//! weights.

use crate::math;
use crate::time::{Millis, Timestamp};

/// An exponentially decaying mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    mean: Millis,
    weight: f64,
    /// How many samples it has seen.
    pub(crate) samples: u32,
    /// When it was last measured.
    pub(crate) at: Timestamp,
}

impl Latency {
    /// What another instance, or a comparison, has measured: `samples` probes, the
    /// last one at `at`.
    pub(crate) fn known(mean: Millis, samples: u32, at: Timestamp) -> Self {
        Self {
            mean,
            // At one sample per fading time the weights add up to 1/(1 - 1/e).
            weight: f64::from(samples).clamp(1.0, 1.58),
            samples,
            at,
        }
    }

    pub(crate) fn mean(&self) -> Millis {
        self.mean
    }

    /// Adds a sample to what is known so far. In `fade` a weight falls to 1/e.
    pub(crate) fn add(known: Option<Self>, sample: Millis, now: Timestamp, fade: Millis) -> Self {
        let Some(known) = known else {
            return Self {
                mean: sample,
                weight: 1.0,
                samples: 1,
                at: now,
            };
        };
        let old = known.weight * math::exp(-(now - known.at).max(Millis::ZERO).0 / fade.0);
        let weight = old + 1.0;
        Self {
            mean: (known.mean * old + sample) / weight,
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
                let (sample, at) = (Millis(*ms), Timestamp(*at));
                Some(Latency::add(known, sample, at, Millis(FADE)))
            })
            .map_or(0.0, |known| known.mean().0)
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
