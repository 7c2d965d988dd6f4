//! What is known of one target: how fast its probes came back, what live
//! requests found, and until when it gets no traffic.

use crate::drift::{self, Drift};
use crate::failure::{Failure, RetrySafety};
use crate::latency::Latency;
use crate::record::{Ejection, TargetRecord};
use crate::target::Preference;
use crate::time::{Millis, Timestamp, rounded};

/// Gateway failures in a row that eject a target.
const FAILURES_TO_EJECT: u32 = 3;

/// The first ejection; each one that follows upon it lasts twice as long.
const BACKOFF: Millis = Millis(1_000.0);

/// The longest ejection, and the most that a `Retry-After` is honoured.
const LONGEST_EJECTION: Millis = Millis(300_000.0);

/// An answer is overdue after this long where nothing is known of the target's
/// live traffic, and at least and at most after these. A suspicion costs a probe
/// and sends some requests to the next best for as long as that takes; a dead
/// target that is not suspected costs each request a time-out.
const OVERDUE: Millis = Millis(500.0);
const OVERDUE_LEAST: Millis = Millis(200.0);
const OVERDUE_MOST: Millis = Millis(5_000.0);

/// A target's state in this instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    /// What the settings say of it.
    pub(crate) preference: Preference,
    pub(crate) latency: Option<Latency>,
    drift: Drift,
    /// Consecutive failures, of probes and of requests.
    failures: u32,
    /// While it is set the target gets no request, unless nothing else is left;
    /// once it has passed, one probe decides.
    ejected_until: Option<Timestamp>,
    last_ejection: Option<Ejection>,
    /// Since when requests go to it and none is answered: the first of them and
    /// the second. Any answer clears it, so a client that goes away leaves
    /// nothing wrong behind.
    unanswered: Option<Unanswered>,
    /// How often a suspicion has proved wrong: each time the next one waits
    /// twice as long.
    false_alarms: i32,
}

#[derive(Clone, Copy, Debug)]
struct Unanswered {
    first: Timestamp,
    second: Option<Timestamp>,
}

/// What evidence against a target comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Why the target is to be ejected.
    pub(crate) reason: String,
    /// For how long at least: its own wish (`Retry-After`).
    pub(crate) at_least: Millis,
}

impl Verdict {
    pub(crate) fn eject(reason: impl Into<String>) -> Option<Self> {
        Some(Self {
            reason: reason.into(),
            at_least: Millis::ZERO,
        })
    }
}

impl Health {
    /// Of a target of which nothing is known yet.
    pub(crate) fn of(preference: Preference) -> Self {
        Self {
            preference,
            ..Self::default()
        }
    }

    pub(crate) fn is_ejected(&self) -> bool {
        self.ejected_until.is_some()
    }

    /// Whether it has failed, and not answered well since.
    pub(crate) fn has_failures(&self) -> bool {
        self.failures > 0
    }

    /// Whether only a probe can tell if it gets traffic again: its ejection has
    /// run out, or its answers are overdue.
    pub(crate) fn awaits_probe(&self, now: Timestamp) -> bool {
        match self.ejected_until {
            Some(until) => until <= now,
            None => self.is_overdue(now),
        }
    }

    /// How long an answer may take before it is overdue.
    pub(crate) fn overdue_after(&self) -> Millis {
        let usual = match self.drift.baseline() {
            Some(live) => drift::slow(live).clamp(OVERDUE_LEAST, OVERDUE_MOST),
            None => OVERDUE,
        };
        usual * f64::from(1 << self.false_alarms)
    }

    /// Whether a request has waited for too long without any answer to it or to
    /// another: a probe is to ask.
    fn is_overdue(&self, now: Timestamp) -> bool {
        self.unanswered
            .is_some_and(|unanswered| now - unanswered.first >= self.overdue_after())
    }

    /// Whether a second one waits too, for half as long, so that others had
    /// better go elsewhere meanwhile; one alone may be a slow endpoint.
    pub(crate) fn is_suspect(&self, now: Timestamp) -> bool {
        self.is_overdue(now)
            && self
                .unanswered
                .and_then(|unanswered| unanswered.second)
                .is_some_and(|since| now - since >= self.overdue_after() / 2.0)
    }

    pub(crate) fn request_sent(&mut self, now: Timestamp) {
        match &mut self.unanswered {
            None => {
                self.unanswered = Some(Unanswered {
                    first: now,
                    second: None,
                });
            }
            Some(unanswered) => {
                unanswered.second.get_or_insert(now);
            }
        }
    }

    /// A request that began at `began` or later was given up by this side.
    pub(crate) fn attempt_cancelled(&mut self, began: Timestamp) {
        self.unanswered = self
            .unanswered
            .filter(|unanswered| unanswered.first < began);
    }

    /// A request was answered. A status below 502 or above 504 is the target's
    /// own, not that of a gateway which has lost it.
    pub(crate) fn responded(
        &mut self,
        status: u16,
        retry_after: Option<Millis>,
    ) -> Option<Verdict> {
        self.unanswered = None;
        self.false_alarms = 0;
        if !matches!(status, 502..=504) {
            self.failures = 0;
            return None;
        }
        self.is_one_failure_too_many().then(|| Verdict {
            reason: format!("status {status}"),
            at_least: retry_after
                .unwrap_or(Millis::ZERO)
                .clamp(Millis::ZERO, LONGEST_EJECTION),
        })
    }

    /// The time to first byte of a good answer. True when the recent ones have
    /// drifted from what is normal.
    pub(crate) fn took(&mut self, ttfb: Millis) -> bool {
        self.drift.observe(ttfb)
    }

    /// A request was not answered, and the target is to blame.
    pub(crate) fn failed(&mut self, failure: Failure) -> Option<Verdict> {
        let at_once = failure.retry_safety() == RetrySafety::Always || failure.is_timeout();
        if at_once || self.is_one_failure_too_many() {
            Verdict::eject(failure.proxy_error())
        } else {
            None
        }
    }

    fn is_one_failure_too_many(&mut self) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.failures >= FAILURES_TO_EJECT
    }

    /// A probe came back healthy. Says whether that ended an ejection.
    pub(crate) fn probe_passed(&mut self, took: Millis, now: Timestamp, fade: Millis) -> bool {
        if self.is_overdue(now) {
            self.false_alarms = (self.false_alarms + 1).min(8);
        }
        self.unanswered = None;
        self.latency = Some(Latency::add(self.latency, took, now, fade));
        self.failures = 0;
        self.ejected_until.take().is_some()
    }

    /// The drift starts afresh; `accept` makes the recent answers what is normal.
    pub(crate) fn restart_drift(&mut self, accept: bool) {
        self.drift.restart(accept);
    }

    /// Ejects the target, for longer each time it comes soon after the last.
    /// `jitter` is from 0 to 1. Returns for how long, or `None` when it was
    /// ejected already.
    pub(crate) fn eject(
        &mut self,
        now: Timestamp,
        jitter: f64,
        at_least: Millis,
    ) -> Option<Millis> {
        self.failures = self.failures.max(1);
        self.unanswered = None;
        if self.ejected_until.is_some_and(|until| until > now) {
            return None;
        }
        let backoff = match self.last_ejection {
            // A target that held up for twice its last ejection starts anew;
            // one that its probe found failing has not held up at all.
            Some(last) if self.is_ejected() || now < last.ends + last.length * 2.0 => {
                last.length * 2.0
            }
            _ => BACKOFF,
        };
        let length = backoff.max(at_least).min(LONGEST_EJECTION);
        self.last_ejection = Some(Ejection {
            ends: now + length,
            length,
        });
        // Instances that saw the same failure must not probe in one moment.
        let jittered = length * (0.9 + 0.2 * jitter);
        self.ejected_until = Some(now + jittered);
        Some(jittered)
    }

    /// Takes over what another instance has measured, in a record made at `at`.
    pub(crate) fn adopt_measurements(
        &mut self,
        known: &TargetRecord,
        at: Timestamp,
        now: Timestamp,
    ) {
        self.latency = known
            .latency
            .map(|latency| Latency::known(latency, known.n, known.at.unwrap_or(at).min(now)));
        self.failures = known.fail;
        if let (None, Some(live)) = (self.drift.baseline(), known.live) {
            self.drift = Drift::learned(live);
        }
    }

    /// Takes over what another instance knows of its ejection.
    pub(crate) fn adopt_ejection(&mut self, known: &TargetRecord, now: Timestamp) {
        // No other instance may eject a target for longer than we would.
        self.ejected_until = known.until.map(|until| until.min(now + LONGEST_EJECTION));
        self.last_ejection = known.last_ejection.map(|last| {
            let length = last.length.clamp(BACKOFF, LONGEST_EJECTION);
            let ends = last.ends.min(now + length);
            Ejection { ends, length }
        });
    }

    /// Whether it is ejected for a later failure than another instance knows of.
    /// (When it is back, the one that found it so still records its last
    /// ejection.)
    pub(crate) fn is_ejected_since(&self, known: &TargetRecord) -> bool {
        let theirs = known.last_ejection.map_or(Timestamp::MIN, |last| last.ends);
        // Theirs was rounded to whole milliseconds.
        self.is_ejected()
            && self
                .last_ejection
                .is_some_and(|last| last.ends > theirs + Millis(1.0))
    }

    /// For other instances.
    pub(crate) fn to_record(&self, now: Timestamp) -> TargetRecord {
        // Microseconds are enough, and keep the value short.
        let short = |value: f64| rounded(value * 1000.0) / 1000.0;
        TargetRecord {
            latency: self.latency.map(|known| Millis(short(known.mean().0))),
            n: self.latency.map_or(0, |known| known.samples),
            at: self.latency.map(|known| known.at.rounded()),
            fail: self.failures,
            until: self.ejected_until.map(Timestamp::rounded),
            // As long as it matters for the next one.
            last_ejection: self
                .last_ejection
                .filter(|last| self.is_ejected() || now < last.ends + last.length * 2.0)
                .map(|last| Ejection {
                    ends: last.ends.rounded(),
                    length: last.length.rounded(),
                }),
            live: self.drift.baseline().map(|live| crate::record::Live {
                mean: short(live.mean),
                variance: short(live.variance),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(0.0);
    const FADE: Millis = Millis(1.0);

    fn eject(health: &mut Health, now: f64) -> Option<f64> {
        let length = health.eject(Timestamp(now), 0.5, Millis::ZERO)?;
        Some(length.0)
    }

    #[test]
    fn backoff_doubles_up_to_five_minutes_and_starts_anew_after_peace() {
        let mut health = Health::default();
        let mut now = 0.0;
        let mut lengths = Vec::new();
        for _ in 0..12 {
            let length = eject(&mut health, now).unwrap();
            lengths.push(length);
            now += length;
        }
        assert_eq!(lengths[..4], [1e3, 2e3, 4e3, 8e3]);
        assert_eq!(lengths[11], LONGEST_EJECTION.0);
        health.probe_passed(Millis(5.0), Timestamp(now), FADE);
        now += 2.0 * LONGEST_EJECTION.0 + 1.0;
        assert_eq!(eject(&mut health, now), Some(1e3));
    }

    #[test]
    fn a_second_failure_does_not_lengthen_a_running_ejection() {
        let mut health = Health::default();
        assert_eq!(eject(&mut health, 0.0), Some(1e3));
        assert_eq!(eject(&mut health, 500.0), None);
        assert_eq!(health.ejected_until, Some(Timestamp(1e3)));
    }

    #[test]
    fn retry_after_is_honoured_up_to_five_minutes() {
        for (wish, length) in [(30e3, 30e3), (1e9, 300e3)] {
            let mut health = Health::default();
            assert_eq!(health.responded(503, None), None);
            assert_eq!(health.responded(503, None), None);
            let verdict = health.responded(503, Some(Millis(wish))).unwrap();
            let ejected = health.eject(START, 0.5, verdict.at_least);
            assert_eq!(ejected, Some(Millis(length)));
        }
    }

    #[test]
    fn unanswered_requests_make_a_target_suspect_and_any_answer_clears_it() {
        let mut health = Health::default();
        let due = START + OVERDUE;
        let before = due - Millis(1.0);
        health.request_sent(START);
        health.request_sent(Timestamp(100.0));
        health.request_sent(before);
        assert!(!health.is_suspect(before));
        assert!(health.is_suspect(due) && health.awaits_probe(due));
        health.responded(200, None);
        assert!(!health.is_suspect(Timestamp(10_000.0)));
    }

    #[test]
    fn a_suspicion_that_a_probe_disproves_waits_longer_next_time() {
        let mut health = Health::default();
        for alarm in 0..3 {
            health.request_sent(START);
            health.request_sent(START);
            let due = START + OVERDUE * f64::from(1 << alarm);
            assert!(!health.is_suspect(due - Millis(1.0)) && health.is_suspect(due));
            health.probe_passed(Millis(5.0), due, FADE);
        }
    }

    #[test]
    fn three_gateway_failures_in_a_row_and_only_in_a_row() {
        let mut health = Health::default();
        assert_eq!(health.responded(502, None), None);
        assert_eq!(health.failed(Failure::ConnectionTerminated), None);
        assert_eq!(health.responded(200, None), None);
        assert_eq!(health.responded(503, None), None);
        assert_eq!(health.responded(504, None), None);
        let verdict = health.failed(Failure::ConnectionTerminated);
        assert_eq!(verdict, Verdict::eject("connection_terminated"));
    }
}
