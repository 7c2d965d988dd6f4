//! The decision: which target comes first, and how long that holds.

use crate::random::Random;
use crate::time::{Millis, Timestamp};

/// A background refresh may start at this share of the TTL, and has started by
/// the TTL; where between is random, so that instances that learned of a
/// decision together do not refresh it together.
pub(crate) const REFRESH_FROM: f64 = 0.8;

/// A decision based on a single probe of each target, as after a cold start, is
/// refreshed between this share of the TTL and twice it: one lost packet must not
/// choose the target for a whole TTL, and the load that the choice itself brings
/// must not go unseen.
const YOUNG_REFRESH_FROM: f64 = 0.1;

/// A drift brings the refresh forward to some moment within this time: many
/// locations may see the same target slow down, and if all left it at once,
/// the next target would be the next to slow down.
const DRIFT_SPREAD: Millis = Millis(10_000.0);

/// How soon after a refresh a drift may bring the next one forward.
const DRIFT_PAUSE: Millis = Millis(30_000.0);

/// After a slow primary was replaced the others are measured within this time.
const REPLACED_SPREAD: Millis = Millis(2_000.0);

/// Which target comes first, since when, and by what.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// The best target: what the record in the store says.
    pub(crate) primary: usize,
    /// The target of this instance's requests: the primary, or with
    /// `FETCH_SPREAD` one that is as fast.
    pub(crate) choice: usize,
    /// When the targets were measured: the age that matters.
    pub(crate) measured_at: Timestamp,
    pub(crate) refresh_at: Timestamp,
    /// Whether a drift has brought the refresh forward.
    pub(crate) drifted: bool,
    /// The target that lost its place by failing, or by suddenly being slow: once
    /// it is back and as fast, it is the primary again without having to be
    /// faster.
    pub(crate) stands_in_for: Option<usize>,
    pub(crate) source: DecisionSource,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DecisionSource {
    Probes,
    Store,
}

/// How long after the measurement a decision is refreshed. `young`: it is based
/// on a single probe of each target.
pub(crate) fn refresh_after(young: bool, ttl: Millis, random: &mut Random) -> Millis {
    let (from, to) = if young {
        (YOUNG_REFRESH_FROM, 2.0 * YOUNG_REFRESH_FROM)
    } else {
        (REFRESH_FROM, 1.0)
    };
    ttl * (from + (to - from) * random.next())
}

impl Decision {
    /// The chosen target has become much slower than it was: brings the refresh
    /// forward. `share` is random, from 0 to 1.
    pub(crate) fn refresh_soon(&mut self, share: f64, now: Timestamp) {
        if self.drifted {
            return;
        }
        self.drifted = true;
        let soon = now.max(self.measured_at + DRIFT_PAUSE) + DRIFT_SPREAD * share;
        self.refresh_at = self.refresh_at.min(soon);
    }

    /// A slow primary was left for the next best, of which little may be known: a single
    /// probe with its handshake, up to a TTL ago. All are measured soon.
    pub(crate) fn replaced(&mut self, share: f64, now: Timestamp) {
        self.refresh_at = self.refresh_at.min(now + REPLACED_SPREAD * share);
    }

    /// The target that a new `primary` stands in for, if any.
    pub(crate) fn replaced_by(&self, primary: usize) -> Option<usize> {
        if self.primary == primary {
            self.stands_in_for
        } else {
            Some(self.primary).filter(|_| self.drifted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Millis = Millis(300_000.0);
    const NOW: Timestamp = Timestamp(1e12);

    fn measured_at(at: Timestamp) -> Decision {
        Decision {
            primary: 1,
            choice: 1,
            measured_at: at,
            refresh_at: at + TTL,
            drifted: false,
            stands_in_for: Some(2),
            source: DecisionSource::Probes,
        }
    }

    #[test]
    fn refreshes_are_spread_over_the_last_fifth_of_the_ttl_and_early_after_single_probes() {
        for (young, from, to) in [(false, 0.8, 1.0), (true, 0.1, 0.2)] {
            let mut random = Random::new(7);
            let shares: Vec<f64> = (0..1_000)
                .map(|_| refresh_after(young, TTL, &mut random).0 / TTL.0)
                .collect();
            let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
            let most = shares.iter().copied().fold(0.0, f64::max);
            let whole = to - from;
            assert!(
                least >= from && least < from + 0.05 * whole,
                "{young}: {least}"
            );
            assert!(most < to && most > to - 0.05 * whole, "{young}: {most}");
        }
    }

    #[test]
    fn a_drift_brings_the_refresh_forward_once_and_not_within_half_a_minute() {
        let mut decision = measured_at(NOW - Millis(100_000.0));
        decision.refresh_soon(0.25, NOW);
        assert_eq!(decision.refresh_at, NOW + Millis(2_500.0));
        decision.refresh_soon(0.0, NOW);
        assert_eq!(decision.refresh_at, NOW + Millis(2_500.0), "once");

        let mut just_measured = measured_at(NOW - Millis(1_000.0));
        just_measured.refresh_soon(0.0, NOW);
        assert_eq!(just_measured.refresh_at, NOW + Millis(29_000.0));

        let mut due = measured_at(NOW - TTL);
        due.refresh_soon(0.5, NOW);
        assert_eq!(due.refresh_at, NOW, "it does not put a refresh off");
    }

    #[test]
    fn after_a_slow_primary_all_are_measured_within_two_seconds() {
        let mut decision = measured_at(NOW);
        decision.replaced(0.5, NOW);
        assert_eq!(decision.refresh_at, NOW + Millis(1_000.0));
        decision.replaced(1.0, NOW);
        assert_eq!(decision.refresh_at, NOW + Millis(1_000.0));
    }

    #[test]
    fn only_a_target_that_drifted_is_stood_in_for_by_the_next() {
        let mut decision = measured_at(NOW);
        assert_eq!(decision.replaced_by(1), Some(2), "nothing changed");
        assert_eq!(decision.replaced_by(0), None, "it was beaten");
        decision.drifted = true;
        assert_eq!(decision.replaced_by(0), Some(1));
    }
}
