//! What live requests show of a target: the share that failed, in a memory that
//! fades with time and with the requests that follow.
//!
//! A streak would miss a target that fails one request in three, and a plain count
//! would convict one that fails once in a thousand. So both kinds of answers are
//! weighed, and it takes some of them: an instance may live for a hundred requests,
//! and at a request in 20 s the evidence of several instances must add up.

use crate::math;
use crate::time::{Millis, Timestamp};
use serde::Serialize;

/// In this time the weight of an answer falls to 1/e.
const FADE: Millis = Millis(600_000.0);

/// Each answer leaves this share of the weight of those before: about so many as
/// the inverse are remembered.
const KEEP: f64 = 1.0 - 1.0 / 20.0;

/// The natural logarithm of [`KEEP`].
const LN_KEEP: f64 = -0.051_293_294_387_550_58;

/// So much weight of failures convicts a target: three of them in short order,
/// each with its retry answered well elsewhere,
const LEAST_BAD: f64 = 2.5;

/// where they are this share of all.
const LEAST_SHARE: f64 = 0.15;

/// Failures in the store that weigh so much are worth a write to refute them: a few
/// more would convict.
const UNREFUTED: f64 = 1.2;

/// Weighed answers; a triple in the value of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(into = "(f64, f64, Timestamp)")]
pub struct Tally {
    /// The weight of good answers.
    pub good: f64,
    /// The weight of failures.
    pub bad: f64,
    /// When the last one came.
    pub at: Timestamp,
}

impl From<(f64, f64, Timestamp)> for Tally {
    fn from((good, bad, at): (f64, f64, Timestamp)) -> Self {
        Self { good, bad, at }
    }
}

impl From<Tally> for (f64, f64, Timestamp) {
    fn from(tally: Tally) -> Self {
        (tally.good, tally.bad, tally.at)
    }
}

impl Tally {
    fn add(&mut self, good: f64, bad: f64, now: Timestamp) {
        self.followed_by(good + bad, now);
        // Of many good answers at once, none is remembered beyond the memory.
        let all = 1.0 / (1.0 - KEEP);
        self.good = (self.good + good).min(all);
        self.bad = (self.bad + bad).min(all);
    }

    /// Others' answers fade by the requests that follow here, too.
    fn followed_by(&mut self, answers: f64, now: Timestamp) {
        *self = self.after(answers, now);
    }

    fn faded(&self, now: Timestamp) -> Self {
        self.after(0.0, now)
    }

    /// What is left of it by now, so many answers later.
    fn after(&self, answers: f64, now: Timestamp) -> Self {
        let age = (now - self.at).max(Millis::ZERO).0 / FADE.0;
        let at = self.at.max(now);
        // Of most targets no others have told anything, and each answer asks.
        if self.good == 0.0 && self.bad == 0.0 {
            return Self { at, ..*self };
        }
        let keep = math::exp(LN_KEEP * answers - age);
        Self {
            good: self.good * keep,
            bad: self.bad * keep,
            at,
        }
    }

    /// Whether it can be counted with.
    pub(crate) fn is_sound(&self) -> bool {
        is_modest(self.good) && is_modest(self.bad)
    }

    /// Whether there is anything in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.good < 0.001 && self.bad < 0.001
    }
}

/// Whether it can be the weight of answers: others' values may be anything.
fn is_modest(weight: f64) -> bool {
    (0.0..=1_000.0).contains(&weight)
}

/// The evidence of this instance, and what others have shared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Evidence {
    /// What the store held last, or was given: it may have been written by this
    /// instance.
    shared: Tally,
    /// What came in since, so that nothing counts twice.
    own: Tally,
}

impl Evidence {
    pub(crate) fn good(&mut self, weight: f64, now: Timestamp) {
        self.own.add(weight, 0.0, now);
        self.shared.followed_by(weight, now);
    }

    pub(crate) fn bad(&mut self, weight: f64, now: Timestamp) {
        self.own.add(0.0, weight, now);
        self.shared.followed_by(weight, now);
    }

    /// Whether the failures are too many.
    pub(crate) fn convicts(&self, now: Timestamp) -> bool {
        let Tally { good, bad, .. } = self.total(now);
        bad >= LEAST_BAD && bad >= LEAST_SHARE * (good + bad)
    }

    /// All of it.
    pub(crate) fn total(&self, now: Timestamp) -> Tally {
        let (shared, own) = (self.shared.faded(now), self.own.faded(now));
        Tally {
            good: shared.good + own.good,
            bad: shared.bad + own.bad,
            at: now,
        }
    }

    /// Whether others believe worse of it than they should after the good answers
    /// that came in since: instances that see no failure would tell nobody.
    pub(crate) fn refutes(&self, now: Timestamp) -> bool {
        // It only fades, so what is too little before that need not be faded: most answers ask in vain.
        self.own.good > 0.0
            && self.shared.bad >= UNREFUTED
            && self.shared.faded(now).bad >= UNREFUTED
    }

    /// Takes what the store holds in the place of what it held.
    pub(crate) fn adopt(&mut self, shared: Tally) {
        self.shared = shared;
    }

    /// All of it is in the store from now.
    pub(crate) fn share(&mut self, now: Timestamp) -> Tally {
        self.shared = self.total(now);
        self.own = Tally::default();
        self.shared
    }

    /// The failures are answered for: the target has proved itself since.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// How long the outcome of a pair is remembered: about so many pairs.
const PAIRS_KEPT: f64 = 1.0 - 1.0 / 20.0;

/// Of the requests that failed and were sent to another target: what that showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(into = "(f64, f64)")]
pub struct Pairs {
    /// The other answered well: the first was to blame.
    pub blamed: f64,
    /// The other failed alike: the request was.
    pub shared: f64,
}

impl From<(f64, f64)> for Pairs {
    fn from((blamed, shared): (f64, f64)) -> Self {
        Self { blamed, shared }
    }
}

impl From<Pairs> for (f64, f64) {
    fn from(pairs: Pairs) -> Self {
        (pairs.blamed, pairs.shared)
    }
}

impl Pairs {
    pub(crate) fn add(&mut self, shared: bool) {
        self.blamed = self.blamed * PAIRS_KEPT + f64::from(u8::from(!shared));
        self.shared = self.shared * PAIRS_KEPT + f64::from(u8::from(shared));
    }

    /// Whether it can be counted with.
    pub(crate) fn is_sound(&self) -> bool {
        is_modest(self.blamed) && is_modest(self.shared)
    }

    /// How likely the target is to blame for a failure that has no pair.
    pub(crate) fn likelihood(&self) -> f64 {
        (1.0 + self.blamed) / (1.0 + self.blamed + self.shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: f64 = 1_000.0;

    /// How many answers it takes, of which `bad` says which fail.
    fn convicted_after(pause: f64, weight: f64, bad: impl Fn(u32) -> bool) -> Option<u32> {
        let mut evidence = Evidence::default();
        for request in 0..50_000 {
            let now = Timestamp(f64::from(request) * pause);
            if bad(request) {
                evidence.bad(weight, now);
            } else {
                evidence.good(1.0, now);
            }
            if evidence.convicts(now) {
                return Some(request + 1);
            }
        }
        None
    }

    #[test]
    fn an_answer_leaves_what_the_memory_keeps() {
        assert!((math::exp(LN_KEEP) - KEEP).abs() < 1e-12);
    }

    #[test]
    fn a_target_that_always_fails_is_out_after_a_handful() {
        assert_eq!(convicted_after(100.0, 1.0, |_| true), Some(3));
        assert_eq!(convicted_after(60.0 * SECOND, 1.0, |_| true), Some(3));
        assert_eq!(convicted_after(100.0, 0.5, |_| true), Some(6), "unpaired");
    }

    #[test]
    fn one_that_fails_after_long_health_is_out_soon() {
        let after = convicted_after(100.0, 1.0, |request| request >= 1_000);
        assert!(after.is_some_and(|after| after <= 1_004), "{after:?}");
    }

    #[test]
    fn three_in_ten_are_too_many() {
        let after = convicted_after(100.0, 1.0, |request| [3, 6, 9].contains(&(request % 10)));
        assert!(after.is_some_and(|after| after <= 20), "{after:?}");
    }

    #[test]
    fn one_in_a_hundred_convicts_nobody() {
        for pause in [10.0, 1_000.0, 20.0 * SECOND] {
            assert_eq!(
                convicted_after(pause, 1.0, |request| request % 100 == 7),
                None
            );
        }
    }

    #[test]
    fn instances_add_their_evidence_up_and_count_nothing_twice() {
        let mut stored = Tally::default();
        for instance in 0..3 {
            let now = Timestamp(f64::from(instance) * SECOND);
            let mut evidence = Evidence::default();
            evidence.adopt(stored);
            evidence.bad(1.0, now);
            assert_eq!(evidence.convicts(now), instance == 2);
            stored = evidence.share(now);
            // Its own write comes back.
            evidence.adopt(stored);
            assert!((evidence.total(now).bad - stored.bad).abs() < 1e-9);
        }
    }

    #[test]
    fn old_failures_fade() {
        let mut evidence = Evidence::default();
        for _ in 0..3 {
            evidence.bad(1.0, Timestamp(0.0));
        }
        assert!(evidence.convicts(Timestamp(0.0)));
        assert!(!evidence.convicts(Timestamp(300.0 * SECOND)));
    }

    #[test]
    fn what_others_believe_is_refuted_by_good_answers_while_a_few_more_failures_would_convict() {
        for (bad, good, seconds, refutes) in [
            (1.5, false, 0.0, false),
            (1.5, true, 0.0, true),
            (1.5, true, 60.0, true),
            // Time has refuted it.
            (1.5, true, 600.0, false),
            (1.1, true, 0.0, false),
            (0.0, true, 0.0, false),
        ] {
            let mut evidence = Evidence::default();
            let start = Timestamp(0.0);
            evidence.adopt((0.0, bad, start).into());
            if good {
                evidence.good(1.0, start);
            }
            let now = Timestamp(seconds * SECOND);
            assert_eq!(evidence.refutes(now), refutes, "{bad} {good} {seconds}");
        }
    }

    #[test]
    fn good_answers_of_an_hour_ago_excuse_nothing() {
        let mut evidence = Evidence::default();
        for request in 0..1_000 {
            evidence.good(1.0, Timestamp(f64::from(request) * 100.0));
        }
        let later = Timestamp(3_600.0 * SECOND);
        for failure in 1..=3 {
            evidence.bad(1.0, later);
            assert_eq!(evidence.convicts(later), failure == 3, "{failure}");
        }
    }

    #[test]
    fn requests_that_fail_everywhere_take_the_weight_from_those_without_a_pair() {
        let mut pairs = Pairs::default();
        assert!((pairs.likelihood() - 1.0).abs() < f64::EPSILON);
        for _ in 0..10 {
            pairs.add(true);
        }
        let low = pairs.likelihood();
        assert!((0.08..0.15).contains(&low), "{low}");
        for _ in 0..20 {
            pairs.add(false);
        }
        let high = pairs.likelihood();
        assert!((0.80..0.86).contains(&high), "{high}");
    }
}
