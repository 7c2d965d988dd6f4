//! Trials: live requests that go to another target to find out what probes cannot
//! tell.
//!
//! *Half-open*: a target that live requests have convicted gets a few of them, one
//! at a time, before it gets the rest (a circuit breaker's half-open state). A
//! *latency trial* compares the chosen target with the runner-up, on requests that
//! were assigned at random: the logarithms of their times to first byte, since the
//! cost of endpoints differs by factors. Only requests with a fallback in hand are
//! tried: no body, and a method that may be retried.

use crate::math;
use crate::settings::Margin;
use crate::time::{Millis, Timestamp};
use serde::Serialize;

/// A half-open target gets no more than one request in this time,
const PAUSE: Millis = Millis(2_000.0);

/// and all of them after so many good answers in a row: one that fails 30 % of
/// them passes in one case of seventy.
pub(crate) const PASSES: f64 = 12.0;

/// A target that was too slow is so still if that shows in so many.
const STILL_SLOW: f64 = 2.0;

/// A half-open target that nobody could try for so long gets its requests back:
/// where there are only POSTs, nothing else could end it.
const UNTRIED: Millis = Millis(300_000.0);

/// The share of the requests that can be tried which latency trials may take,
const SHARE: f64 = 0.02;

/// and of those that it may take, which ones is random.
const CHANCE: f64 = 0.5;

/// The most that is saved up.
const MOST_SAVED: f64 = 3.0;

/// So many answers of each are compared at least,
const LEAST_OWN: f64 = 8.0;
const LEAST_OTHER: f64 = 3.0;

/// up to so many of the runner-up: no difference has shown by then.
const MOST_OTHER: f64 = 8.0;

/// How many standard errors a difference must exceed.
const SIGMAS: f64 = 3.5;

/// The least deviation of a logarithm that is believed of so few.
const LEAST_DEVIATION: f64 = 0.2;

/// Times to first byte, as logarithms of ms: how many, mean and variance (Welford
/// 1962); a triple in the value of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(into = "(f64, f64, f64)")]
pub struct LogTimes {
    /// How many.
    pub count: f64,
    /// The mean of ln ms.
    pub mean: f64,
    /// The sum of squared differences from the mean.
    pub squares: f64,
}

impl From<(f64, f64, f64)> for LogTimes {
    fn from((count, mean, squares): (f64, f64, f64)) -> Self {
        Self {
            count,
            mean,
            squares,
        }
    }
}

impl From<LogTimes> for (f64, f64, f64) {
    fn from(times: LogTimes) -> Self {
        (times.count, times.mean, times.squares)
    }
}

impl LogTimes {
    fn add(&mut self, ttfb: Millis) {
        let x = math::ln(ttfb.0.max(0.1));
        self.count += 1.0;
        let step = x - self.mean;
        self.mean += step / self.count;
        self.squares += step * (x - self.mean);
    }

    fn variance(&self) -> f64 {
        let least = LEAST_DEVIATION * LEAST_DEVIATION;
        (self.squares / (self.count - 1.0).max(1.0)).max(least)
    }

    /// Whether it can be counted with.
    pub(crate) fn is_sound(&self) -> bool {
        (0.0..=1e6).contains(&self.count)
            && self.mean.abs() <= 20.0
            && (0.0..=1e9).contains(&self.squares)
    }
}

/// A target that live requests have convicted, on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HalfOpen {
    /// The trials that it has passed.
    pub passed: LogTimes,
    /// Where it was too slow: the mean of ln ms of the target that was faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// When it may be tried next.
    pub next: Timestamp,
}

/// What trials of a half-open target have shown so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shown {
    Nothing,
    Fit,
    Unfit,
}

impl HalfOpen {
    pub(crate) fn new(limit: Option<f64>, now: Timestamp) -> Self {
        Self {
            passed: LogTimes::default(),
            limit,
            next: now,
        }
    }

    /// Whether a request may try it now; then no other may for a while.
    pub(crate) fn try_now(&mut self, now: Timestamp) -> bool {
        if now < self.next {
            return false;
        }
        self.next = now + PAUSE;
        true
    }

    /// Another instance's: it may not put off the next trial for longer than this
    /// one would.
    pub(crate) fn adopted(self, now: Timestamp) -> Self {
        let next = self.next.min(now + PAUSE);
        Self { next, ..self }
    }

    /// Whether nobody could try it for long.
    pub(crate) fn is_untried(&self, now: Timestamp) -> bool {
        now - self.next > UNTRIED
    }

    /// A trial was answered well.
    pub(crate) fn answered(&mut self, ttfb: Millis, margin: Margin) -> Shown {
        self.passed.add(ttfb);
        let LogTimes { count, mean, .. } = self.passed;
        let error = (self.passed.variance() / count).sqrt();
        let excess = self.limit.map_or(0.0, |limit| mean - limit - lead(margin));
        if count >= STILL_SLOW && excess > 2.0 * error {
            Shown::Unfit
        } else if count < PASSES {
            Shown::Nothing
        } else if excess > error {
            Shown::Unfit
        } else {
            Shown::Fit
        }
    }
}

/// The chosen target and the runner-up, on live requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyTrial {
    /// The runner-up.
    #[serde(rename = "to")]
    pub challenger: u32,
    /// The chosen target's times since the trial began,
    pub own: LogTimes,
    /// and the runner-up's.
    pub other: LogTimes,
}

/// What a latency trial has shown so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Difference {
    Open,
    /// The runner-up is faster, past the margin: the mean of its ln ms.
    Faster(f64),
    None,
}

impl LatencyTrial {
    pub(crate) fn new(challenger: usize) -> Self {
        Self {
            challenger: challenger as u32,
            own: LogTimes::default(),
            other: LogTimes::default(),
        }
    }

    pub(crate) fn own(&mut self, ttfb: Millis) {
        self.own.add(ttfb);
    }

    pub(crate) fn other(&mut self, ttfb: Millis) {
        self.other.add(ttfb);
    }

    pub(crate) fn difference(&self, margin: Margin) -> Difference {
        let Self { own, other, .. } = self;
        if own.count < LEAST_OWN || other.count < LEAST_OTHER {
            return Difference::Open;
        }
        let spread = own.variance().max(other.variance());
        let error = (own.variance() / own.count + spread / other.count).sqrt();
        let faster = math::exp(own.mean) - math::exp(other.mean);
        if own.mean - other.mean > lead(margin) + SIGMAS * error && faster > margin.least.0 {
            Difference::Faster(other.mean)
        } else if other.count >= MOST_OTHER {
            Difference::None
        } else {
            Difference::Open
        }
    }
}

/// The margin of a switch, as a logarithm.
fn lead(margin: Margin) -> f64 {
    math::ln(1.0 + margin.percent / 100.0)
}

/// How many requests latency trials may still take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TrialBudget(f64);

impl TrialBudget {
    /// A request came that could be tried.
    pub(crate) fn request(&mut self) {
        self.0 = (self.0 + SHARE).min(MOST_SAVED);
    }

    /// Whether this one is: `share` is random, from 0 to 1.
    pub(crate) fn take(&mut self, share: f64) -> bool {
        let taken = self.0 >= 1.0 && share < CHANCE;
        if taken {
            self.0 -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARGIN: Margin = Margin {
        percent: 20.0,
        least: Millis(10.0),
    };

    #[test]
    fn a_half_open_target_is_tried_every_two_seconds_and_passes_after_a_dozen() {
        let mut half_open = HalfOpen::new(None, Timestamp(0.0));
        let mut passed = 0;
        for tenth in 0..300 {
            if half_open.try_now(Timestamp(f64::from(tenth) * 100.0)) {
                passed += 1;
                if half_open.answered(Millis(40.0), MARGIN) == Shown::Fit {
                    break;
                }
            }
            assert!(passed <= tenth / 20 + 1);
        }
        assert_eq!(passed, 12);
    }

    #[test]
    fn one_that_was_slow_and_still_is_is_known_after_two() {
        let mut half_open = HalfOpen::new(Some(math::ln(60.0)), Timestamp(0.0));
        assert_eq!(half_open.answered(Millis(410.0), MARGIN), Shown::Nothing);
        assert_eq!(half_open.answered(Millis(400.0), MARGIN), Shown::Unfit);
    }

    #[test]
    fn one_that_was_slow_must_come_within_the_margin_of_the_faster_target() {
        // The faster one takes 100 ms, and the margin is a fifth.
        for (ms, trials, wanted) in [
            (90.0, 12, Shown::Fit),
            (118.0, 12, Shown::Fit),
            (122.0, 12, Shown::Fit),
            (130.0, 12, Shown::Unfit),
            (135.0, 12, Shown::Unfit),
            (170.0, 2, Shown::Unfit),
        ] {
            let mut half_open = HalfOpen::new(Some(math::ln(100.0)), Timestamp(0.0));
            for trial in 1..trials {
                let shown = half_open.answered(Millis(ms), MARGIN);
                assert_eq!(shown, Shown::Nothing, "{ms} ms, trial {trial}");
            }
            assert_eq!(half_open.answered(Millis(ms), MARGIN), wanted, "{ms} ms");
        }
    }

    #[test]
    fn who_could_not_be_tried_for_five_minutes_is_untried() {
        let half_open = HalfOpen::new(None, Timestamp(1e12));
        let later = half_open.next + UNTRIED;
        assert!(!half_open.is_untried(later));
        assert!(half_open.is_untried(later + Millis(1.0)));
        assert!(half_open.is_untried(later + UNTRIED));
    }

    #[test]
    fn the_variance_of_a_few_is_no_less_than_is_believed() {
        let mut times = LogTimes::default();
        for (power, variance) in [(1.0, 0.04), (2.0, 0.5), (3.0, 1.0), (4.0, 5.0 / 3.0)] {
            times.add(Millis(math::exp(power)));
            let found = times.variance();
            assert!((found - variance).abs() < 1e-9, "{power}: {found}");
        }
    }

    #[test]
    fn another_instance_puts_off_the_next_trial_for_no_longer_than_we_would() {
        let now = Timestamp(1e12);
        for (next, adopted) in [(-1.0, -1.0), (1_000.0, 1_000.0), (1e9, 2_000.0)] {
            let theirs = HalfOpen::new(Some(3.0), now + Millis(next));
            let ours = HalfOpen::new(Some(3.0), now + Millis(adopted));
            assert_eq!(theirs.adopted(now), ours, "{next}");
        }
    }

    #[test]
    fn a_difference_is_the_margin_and_three_and_a_half_standard_errors() {
        for (own_ms, own, other_ms, other, wanted) in [
            // A fifth more, and 3.5 times 0.12.
            (186.0, 40, 100.0, 3, true),
            (180.0, 40, 100.0, 3, false),
            // Too few of the one or of the other.
            (999.0, 8, 100.0, 3, true),
            (999.0, 7, 100.0, 3, false),
            (999.0, 40, 100.0, 2, false),
            // Ten times as fast, and by less than 10 ms.
            (9.5, 40, 0.95, 3, false),
            (11.5, 40, 1.15, 3, true),
        ] {
            let mut trial = LatencyTrial::new(1);
            for _ in 0..own {
                trial.own(Millis(own_ms));
            }
            for _ in 0..other {
                trial.other(Millis(other_ms));
            }
            let shown = trial.difference(MARGIN);
            let is_faster = matches!(shown, Difference::Faster(_));
            assert_eq!(is_faster, wanted, "{own_ms} {own} {other_ms} {other}");
        }
    }

    #[test]
    fn a_tenfold_difference_shows_in_three_answers() {
        let mut trial = LatencyTrial::new(1);
        for request in 0..40 {
            trial.own(Millis(380.0 + f64::from(request)));
        }
        for _ in 0..2 {
            trial.other(Millis(60.0));
            assert_eq!(trial.difference(MARGIN), Difference::Open);
        }
        trial.other(Millis(60.0));
        assert!(matches!(trial.difference(MARGIN), Difference::Faster(_)));
    }

    #[test]
    fn a_mixture_of_endpoints_shows_none() {
        // One request in five costs 400 ms; by chance the runner-up gets none of them at first.
        let mut trial = LatencyTrial::new(1);
        for request in 0..200 {
            trial.own(Millis(if request % 5 == 0 { 440.0 } else { 43.0 }));
        }
        for request in 0..16 {
            trial.other(Millis(if request % 5 == 4 { 460.0 } else { 63.0 }));
            assert!(!matches!(trial.difference(MARGIN), Difference::Faster(_)));
        }
        assert_eq!(trial.difference(MARGIN), Difference::None);
    }

    #[test]
    fn trials_take_a_fiftieth_of_the_requests() {
        let mut budget = TrialBudget::default();
        let mut taken = 0;
        for request in 1..=10_000 {
            budget.request();
            taken += u32::from(budget.take(0.0));
            assert!(f64::from(taken) <= 0.02 * f64::from(request) + 1e-9);
        }
        assert!(taken >= 199);
        for _ in 0..50 {
            budget.request();
        }
        assert!(!budget.take(0.5), "which ones is random");
        assert!(budget.take(0.49) && !budget.take(0.49));
    }
}
