//! What is known of one target: how fast its probes came back, whether it
//! fails, and until when it gets no traffic.

use crate::drift::Drift;
use crate::latency::Latency;
use crate::record::{TargetRecord, rounded};

/// Gateway failures in a row that put a target aside.
const FAILURES_TO_EJECT: u32 = 3;

/// The first ejection; each one that follows upon it lasts twice as long.
const BACKOFF_MS: f64 = 1_000.0;

/// The longest ejection, and the most that a `Retry-After` is honoured.
pub(crate) const MAX_EJECTION_MS: f64 = 300_000.0;

/// An answer is overdue after this long, ms, where nothing is known of the
/// target's live traffic, and at least and at most after these. A suspicion
/// costs a probe and sends some requests to the next best for as long as that
/// takes; a dead target that is not suspected costs each request a time-out.
const OVERDUE_MS: f64 = 500.0;
const OVERDUE_LEAST_MS: f64 = 200.0;
const OVERDUE_MOST_MS: f64 = 5_000.0;

/// A target's state in this instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    pub(crate) latency: Option<Latency>,
    pub(crate) drift: Drift,
    /// Consecutive failures, of probes and of requests.
    pub(crate) failures: u32,
    /// While it is set the target gets no request, unless nothing else is left;
    /// once it has passed, one probe decides.
    pub(crate) ejected_until: Option<f64>,
    /// The last ejection: when it ended (by plan), and how long it was.
    last_ejection: Option<(f64, f64)>,
    /// Since when requests go to it and none is answered: the first of them and
    /// the second. Any answer clears it, so a client that goes away leaves
    /// nothing wrong behind.
    unanswered: Option<(f64, Option<f64>)>,
    /// How often a suspicion has proved wrong: each time the next one waits
    /// twice as long.
    false_alarms: i32,
    /// Whether the host's policy was already said to forbid it.
    pub(crate) denial_told: bool,
}

impl Health {
    pub(crate) fn is_ejected(&self) -> bool {
        self.ejected_until.is_some()
    }

    /// Whether only a probe can tell if it gets traffic again: its ejection has
    /// run out, or its answers are overdue.
    pub(crate) fn awaits_probe(&self, now: f64) -> bool {
        match self.ejected_until {
            Some(until) => until <= now,
            None => self.is_overdue(now),
        }
    }

    /// How long an answer may take before it is overdue, ms.
    pub(crate) fn overdue_ms(&self) -> f64 {
        let usual = match self.drift.baseline() {
            Some(baseline) => baseline.slow_ms().clamp(OVERDUE_LEAST_MS, OVERDUE_MOST_MS),
            None => OVERDUE_MS,
        };
        usual * f64::from(1 << self.false_alarms)
    }

    /// Whether a request has waited for too long without any answer to it or to
    /// another: a probe is to ask.
    fn is_overdue(&self, now: f64) -> bool {
        self.unanswered
            .is_some_and(|(since, _)| now - since >= self.overdue_ms())
    }

    /// Whether a second one waits too, for half as long, so that others had
    /// better go elsewhere meanwhile; one alone may be a slow endpoint.
    pub(crate) fn is_suspect(&self, now: f64) -> bool {
        self.is_overdue(now)
            && self
                .unanswered
                .and_then(|(_, second)| second)
                .is_some_and(|since| now - since >= self.overdue_ms() / 2.0)
    }

    pub(crate) fn request_sent(&mut self, now: f64) {
        match &mut self.unanswered {
            None => self.unanswered = Some((now, None)),
            Some((_, second)) => {
                second.get_or_insert(now);
            }
        }
    }

    /// A probe came back healthy. Says whether that ended an ejection.
    pub(crate) fn probe_passed(&mut self, elapsed_ms: f64, now: f64, fade_ms: f64) -> bool {
        if self.is_overdue(now) {
            self.false_alarms = (self.false_alarms + 1).min(8);
        }
        self.unanswered = None;
        self.latency = Some(Latency::add(self.latency, elapsed_ms, now, fade_ms));
        self.failures = 0;
        self.ejected_until.take().is_some()
    }

    /// A request was answered, whatever the status.
    pub(crate) fn request_answered(&mut self) {
        self.unanswered = None;
        self.false_alarms = 0;
    }

    /// An attempt that began at `since` or later was dropped by this side.
    pub(crate) fn attempt_dropped(&mut self, since: f64) {
        self.unanswered = self.unanswered.filter(|(first, _)| *first < since);
    }

    /// A request was answered by the target itself, not by a gateway that has
    /// lost it.
    pub(crate) fn request_passed(&mut self) {
        self.failures = 0;
    }

    /// What another instance has measured, in a record made at `at`.
    pub(crate) fn told(&mut self, known: &TargetRecord, at: f64, now: f64) {
        self.latency = known
            .ms
            .map(|ms| Latency::told(ms, known.n, known.at.unwrap_or(at).min(now)));
        self.failures = known.fail;
        if let (None, Some((mean, variance))) = (self.drift.baseline(), known.live) {
            self.drift = Drift::told(mean, variance);
        }
    }

    /// Whether it is put aside by a later failure than another instance knows
    /// of. (When it is back, the one that found it so still tells its last
    /// ejection.)
    pub(crate) fn is_ejected_since(&self, last: Option<(f64, f64)>) -> bool {
        let theirs = last.map_or(f64::MIN, |(ended, _)| ended);
        // Theirs was rounded to whole milliseconds.
        self.is_ejected()
            && self
                .last_ejection
                .is_some_and(|(ended, _)| ended > theirs + 1.0)
    }

    /// What another instance has learned: until when it is ejected, and when its
    /// last ejection ended and how long it was.
    pub(crate) fn told_ejection(&mut self, until: Option<f64>, last: Option<(f64, f64)>, now: f64) {
        // No other instance may put a target aside for longer than we would.
        self.ejected_until = until.map(|until| until.min(now + MAX_EJECTION_MS));
        self.last_ejection = last.map(|(ended, length)| {
            let length = length.clamp(BACKOFF_MS, MAX_EJECTION_MS);
            (ended.min(now + length), length)
        });
    }

    /// For other instances: when the last ejection ended and how long it was, as
    /// long as that matters for the next one.
    pub(crate) fn last_ejection(&self, now: f64) -> Option<(f64, f64)> {
        self.last_ejection
            .filter(|(ended, length)| self.is_ejected() || now < ended + 2.0 * length)
            .map(|(ended, length)| (rounded(ended), rounded(length)))
    }

    /// A failure that says little alone. Says whether it was one too many.
    pub(crate) fn failed_softly(&mut self) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.failures >= FAILURES_TO_EJECT
    }

    /// Puts the target aside, for longer each time it comes soon after the
    /// last. `jitter` is from 0 to 1; `at_least_ms` is the target's own wish
    /// (`Retry-After`). Returns for how long, or `None` when it was aside
    /// already.
    pub(crate) fn eject(&mut self, now: f64, jitter: f64, at_least_ms: f64) -> Option<f64> {
        self.failures = self.failures.max(1);
        self.unanswered = None;
        if self.ejected_until.is_some_and(|until| until > now) {
            return None;
        }
        let backoff = match self.last_ejection {
            // A target that held up for twice its last ejection starts anew;
            // one that its probe found failing has not held up at all.
            Some((ended, length)) if self.is_ejected() || now < ended + 2.0 * length => {
                2.0 * length
            }
            _ => BACKOFF_MS,
        };
        let length = backoff.max(at_least_ms).min(MAX_EJECTION_MS);
        self.last_ejection = Some((now + length, length));
        // Instances that saw the same failure must not probe in one moment.
        let jittered = length * (0.9 + 0.2 * jitter);
        self.ejected_until = Some(now + jittered);
        Some(jittered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_five_minutes_and_starts_anew_after_peace() {
        let mut health = Health::default();
        let mut now = 0.0;
        let mut lengths = Vec::new();
        for _ in 0..12 {
            let length = health.eject(now, 0.5, 0.0).unwrap();
            lengths.push(length);
            now += length;
        }
        assert_eq!(lengths[..4], [1e3, 2e3, 4e3, 8e3]);
        assert_eq!(lengths[11], MAX_EJECTION_MS);
        health.probe_passed(5.0, now, 1.0);
        now += 2.0 * MAX_EJECTION_MS + 1.0;
        assert_eq!(health.eject(now, 0.5, 0.0), Some(1e3));
    }

    #[test]
    fn a_second_failure_does_not_lengthen_a_running_ejection() {
        let mut health = Health::default();
        assert_eq!(health.eject(0.0, 0.5, 0.0), Some(1e3));
        assert_eq!(health.eject(500.0, 0.5, 0.0), None);
        assert_eq!(health.ejected_until, Some(1e3));
    }

    #[test]
    fn retry_after_is_honoured_up_to_five_minutes() {
        assert_eq!(Health::default().eject(0.0, 0.5, 30e3), Some(30e3));
        assert_eq!(Health::default().eject(0.0, 0.5, 1e9), Some(300e3));
    }

    #[test]
    fn unanswered_requests_make_a_target_suspect_and_any_answer_clears_it() {
        let mut health = Health::default();
        health.request_sent(0.0);
        health.request_sent(100.0);
        health.request_sent(OVERDUE_MS - 1.0);
        assert!(!health.is_suspect(OVERDUE_MS - 1.0));
        assert!(health.is_suspect(OVERDUE_MS) && health.awaits_probe(OVERDUE_MS));
        health.request_answered();
        assert!(!health.is_suspect(10_000.0));
    }

    #[test]
    fn a_suspicion_that_a_probe_disproves_waits_longer_next_time() {
        let mut health = Health::default();
        for alarm in 0..3 {
            health.request_sent(0.0);
            health.request_sent(0.0);
            let due = OVERDUE_MS * f64::from(1 << alarm);
            assert!(!health.is_suspect(due - 1.0) && health.is_suspect(due));
            health.probe_passed(5.0, due, 1.0);
        }
    }

    #[test]
    fn three_soft_failures_in_a_row_and_only_in_a_row() {
        let mut health = Health::default();
        assert!(!health.failed_softly());
        assert!(!health.failed_softly());
        health.request_passed();
        assert!(!health.failed_softly());
        assert!(!health.failed_softly());
        assert!(health.failed_softly());
    }
}
