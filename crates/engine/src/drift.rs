//! Passive drift detection: whether a target's answers to live requests take
//! much longer than they used to.
//!
//! Live traffic never enters the ranking, since every endpoint has its own
//! cost and only the primary sees it. It only says that *something changed*:
//! the logarithm of the time to the response head is compared with its own
//! baseline, so that a mixture of cheap and expensive endpoints is a matter of its
//! spread and not a false alarm.

use crate::math;
use crate::record::Live;
use crate::time::Millis;

/// Requests that the baseline is learned from before anything is compared.
const LEARN: f64 = 16.0;

/// How slowly the baseline follows afterwards: one part in so many.
const BASELINE_MEMORY: f64 = 256.0;

/// What a baseline from a record counts for: it stands on that many at least when
/// instances have shared it for a while, and the first answers of an instance that
/// starts in the middle of a drift must not become what is normal.
const RECORDED: f64 = 128.0;

/// How fast the recent mean follows: it spans about so many requests.
const RECENT_MEMORY: f64 = 8.0;

/// The least that counts as drift: twice as slow.
const LEAST: f64 = std::f64::consts::LN_2;

/// How many standard errors of the recent mean a drift must exceed.
const SIGMAS: f64 = 4.0;

/// The live time-to-head of one target, as natural logarithms of ms.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Drift {
    baseline: Baseline,
    recent: f64,
    recent_count: f64,
}

/// What is normal for a target, and how many requests that stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Baseline {
    live: Live,
    count: f64,
}

impl Drift {
    /// What another instance has learned.
    pub(crate) fn learned(live: Live) -> Self {
        Self {
            baseline: Baseline {
                live,
                count: RECORDED,
            },
            ..Self::default()
        }
    }

    /// The baseline, once it is learned.
    pub(crate) fn baseline(&self) -> Option<Live> {
        (self.baseline.count >= LEARN).then_some(self.baseline.live)
    }

    /// Adds a request's time to head. True when the recent ones have drifted.
    pub(crate) fn observe(&mut self, ttfb: Millis) -> bool {
        let x = math::ln(ttfb.0.max(0.1));
        let learned = self.baseline.count >= LEARN;
        if learned {
            self.recent_count = (self.recent_count + 1.0).min(RECENT_MEMORY);
            self.recent += (x - self.recent) / self.recent_count;
            let full = self.recent_count >= RECENT_MEMORY;
            let rise = self.recent - self.baseline.live.mean;
            if full && rise > self.tolerance() {
                return true;
            }
        }
        self.baseline.learn(x);
        false
    }

    /// After a refresh: comparing starts afresh. Where the target has proved to
    /// be slower and still the best, slower is what is normal now.
    pub(crate) fn restart(&mut self, accept: bool) {
        if accept && self.recent_count > 0.0 {
            self.baseline.live.mean = self.recent;
        }
        self.recent = 0.0;
        self.recent_count = 0.0;
    }

    /// The standard error of an exponential mean over m samples is that of
    /// 2m - 1 plain ones.
    fn tolerance(&self) -> f64 {
        let error = (self.baseline.live.variance / (2.0 * RECENT_MEMORY - 1.0)).sqrt();
        LEAST.max(SIGMAS * error)
    }
}

/// What one healthy answer in a thousand exceeds, if their logarithms were
/// normally distributed.
pub(crate) fn slow(live: Live) -> Millis {
    Millis(math::exp(live.mean + 3.0 * live.variance.sqrt()))
}

impl Baseline {
    fn learn(&mut self, x: f64) {
        self.count = (self.count + 1.0).min(BASELINE_MEMORY);
        let live = &mut self.live;
        let step = x - live.mean;
        live.mean += step / self.count;
        live.variance += (step * (x - live.mean) - live.variance) / self.count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten endpoints of very different cost, in a fixed order.
    fn cost(request: u32) -> f64 {
        [20.0, 25.0, 22.0, 80.0, 30.0, 21.0, 150.0, 24.0, 26.0, 40.0][request as usize % 10]
    }

    #[test]
    fn a_mixture_of_endpoints_is_no_drift() {
        let mut drift = Drift::default();
        assert!((0..5000).all(|request| !drift.observe(Millis(cost(request)))));
    }

    #[test]
    fn a_tenfold_brown_out_is_seen_within_a_dozen_requests() {
        let mut drift = Drift::default();
        for request in 0..200 {
            drift.observe(Millis(cost(request)));
        }
        let seen = (0..50).position(|request| drift.observe(Millis(10.0 * cost(request))));
        assert!(seen.is_some_and(|at| at <= 12), "{seen:?}");
    }

    #[test]
    fn a_drift_does_not_become_normal_by_itself() {
        let mut drift = Drift::default();
        for _ in 0..100 {
            drift.observe(Millis(20.0));
        }
        for _ in 0..1000 {
            drift.observe(Millis(200.0));
        }
        assert!(drift.observe(Millis(200.0)));
        drift.restart(true);
        assert!((0..200).all(|_| !drift.observe(Millis(200.0))), "relearned");
    }

    #[test]
    fn a_drift_is_twice_as_long_and_four_standard_errors_of_the_last_eight() {
        for (variance, times, is_drift) in [
            (0.05, 2.0, false),
            (0.05, 2.1, true),
            (0.6, 2.28, false),
            (0.6, 2.38, true),
        ] {
            let mean = 20f64.ln();
            let mut drift = Drift::learned(Live { mean, variance });
            let seen = (0..8).any(|_| drift.observe(Millis(20.0 * times)));
            assert_eq!(seen, is_drift, "{times} times, of {variance}");
        }
    }

    #[test]
    fn only_recent_answers_that_are_accepted_become_what_is_normal() {
        let normal = |drift: &Drift| slow(drift.baseline().expect("it is learned")).0;
        let mut drift = Drift::default();
        for _ in 0..100 {
            drift.observe(Millis(20.0));
        }
        for _ in 0..8 {
            drift.observe(Millis(200.0));
        }
        let before = normal(&drift);
        assert!(before < 100.0, "{before}");
        drift.restart(false);
        assert_eq!(normal(&drift), before);
        assert!((0..7).all(|_| !drift.observe(Millis(200.0))), "afresh");
        assert!(drift.observe(Millis(200.0)));
        drift.restart(true);
        let after = normal(&drift);
        assert!(after > 200.0, "{after}");
        drift.restart(true);
        assert_eq!(normal(&drift), after, "nothing came since");
    }

    #[test]
    fn a_baseline_from_a_record_serves_at_once() {
        let mut drift = Drift::learned(Live {
            mean: 20f64.ln(),
            variance: 0.01,
        });
        let seen = (0..50).position(|_| drift.observe(Millis(200.0)));
        assert!(seen.is_some_and(|at| at <= 8), "{seen:?}");
    }
}
