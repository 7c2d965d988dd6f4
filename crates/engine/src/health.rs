//! What is known of one target: how fast its probes came back, what live
//! requests found, and until when it gets no traffic.

use crate::drift::{self, Drift};
use crate::evidence::Evidence;
use crate::failure::{Failure, RetrySafety};
use crate::latency::Latency;
use crate::record::{Ejection, TargetRecord};
use crate::settings::Margin;
use crate::target::Preference;
use crate::time::{Millis, Timestamp, rounded};
use crate::trial::{HalfOpen, Shown};
use std::f64::consts::LN_2;
use std::fmt;

/// The first ejection; each one that follows upon it lasts twice as long.
const BACKOFF: Millis = Millis(1_000.0);

/// The first one that live requests bring about: clients pay for what ends it.
const LIVE_BACKOFF: Millis = Millis(10_000.0);

/// A target that trials have brought back starts anew after so many good answers;
/// before, its next ejection lasts twice as long, however long ago the last one
/// was: at a request a minute it may be an hour.
const PROBATION: u32 = 16;

/// The longest ejection, and the most that a `Retry-After` is honoured.
const LONGEST_EJECTION: Millis = Millis(300_000.0);

/// An answer is overdue after this long where nothing is known of the target's
/// live traffic, and at least and at most after these. A suspicion costs a probe
/// and sends some requests to the next best for as long as that takes; a dead
/// target that is not suspected costs each request a time-out.
const OVERDUE: Millis = Millis(500.0);
const OVERDUE_LEAST: Millis = Millis(200.0);
const OVERDUE_MOST: Millis = Millis(5_000.0);

/// A request whose answer is overdue so many times over may go to another target
/// beside, and within this time at the latest.
const RESCUE: f64 = 2.0;
const RESCUE_MOST: Millis = Millis(2_000.0);

/// A target's state in this instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    /// What the settings say of it.
    pub(crate) preference: Preference,
    pub(crate) latency: Option<Latency>,
    drift: Drift,
    /// Consecutive failures, of probes and of requests.
    failures: u32,
    /// When a request was last answered well.
    answered_well_at: Timestamp,
    /// The last failure of a request.
    last_failure: Option<LastFailure>,
    /// What live requests show. Probes ask another question, and clear none of it.
    evidence: Evidence,
    /// Good answers that were not reported, since the last one that was.
    unreported: f64,
    /// While it is set the target gets no request, unless nothing else is left;
    /// once it has passed, one probe decides.
    ejected_until: Option<Timestamp>,
    /// Live requests have convicted it: after the probe, trials decide.
    half_open: Option<HalfOpen>,
    last_ejection: Option<Ejection>,
    /// Back after trials: so many good answers until that is forgotten.
    probation: u32,
    /// By its own wish (`Retry-After`) it gets no requests that may be retried.
    aside_until: Option<Timestamp>,
    /// Since when requests go to it and none is answered: the first of them and
    /// the second. Any answer clears it, so a client that goes away leaves
    /// nothing wrong behind.
    unanswered: Option<Unanswered>,
    /// How often a suspicion has proved wrong: each time the next one waits
    /// twice as long.
    false_alarms: i32,
    /// Whether the last probe was not answered in time, and taken for a lost packet.
    probe_lost: bool,
}

#[derive(Clone, Copy, Debug)]
struct Unanswered {
    first: Timestamp,
    second: Option<Timestamp>,
}

/// How a request failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LastFailure {
    Status(u16),
    Failure(Failure),
    /// Its answer was overdue, and another target's came first.
    Overdue,
}

/// What evidence against a target comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Why the target is to be ejected.
    pub(crate) reason: Reason,
    /// What found that.
    pub(crate) found: Found,
}

/// Why a target is ejected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reason {
    /// A probe had this status, or none for that reason.
    Probe(Result<u16, Failure>),
    /// A request failed.
    Request(LastFailure),
    /// Its answers take longer than another target's.
    Slow,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Probe(Ok(status)) => write!(f, "probe status {status}"),
            Self::Probe(Err(failure)) => write!(f, "probe {}", failure.proxy_error()),
            Self::Request(LastFailure::Status(status)) => write!(f, "status {status}"),
            Self::Request(LastFailure::Failure(failure)) => f.write_str(failure.proxy_error()),
            Self::Request(LastFailure::Overdue) => f.write_str("http_response_timeout"),
            Self::Slow => f.write_str("slow"),
        }
    }
}

/// What has found that a target is not fit, and what ends that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found {
    /// It could not be reached, or a probe failed: a healthy probe ends it.
    Outage,
    /// Live requests failed: only live requests end it.
    ByRequests,
    /// Live requests took much longer than the mean of ln ms of another target.
    Slow(f64),
}

impl Verdict {
    pub(crate) fn outage(reason: Reason) -> Self {
        Self {
            reason,
            found: Found::Outage,
        }
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

    /// Whether it gets no requests but trials.
    pub(crate) fn is_ejected(&self) -> bool {
        self.ejected_until.is_some() || self.half_open.is_some()
    }

    /// Whether it is only trials that keep it from its requests.
    pub(crate) fn is_half_open(&self) -> bool {
        self.ejected_until.is_none() && self.half_open.is_some()
    }

    /// Whether it wishes for no requests that may go elsewhere.
    pub(crate) fn is_aside(&self, now: Timestamp) -> bool {
        self.aside_until(now).is_some()
    }

    /// Until when it wishes for none.
    pub(crate) fn aside_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.aside_until.filter(|until| now < *until)
    }

    /// Until when it gets no request; once that has passed, a probe decides.
    pub(crate) fn ejected_until(&self) -> Option<Timestamp> {
        self.ejected_until
    }

    /// Its last ejection.
    pub(crate) fn ejection(&self) -> Option<Ejection> {
        self.last_ejection
    }

    /// Where trials keep it from its requests: how many it has passed.
    pub(crate) fn trials_passed(&self) -> Option<u32> {
        self.half_open
            .filter(|_| self.is_half_open())
            .map(|one| one.passed.count as u32)
    }

    /// Whether a request was answered well within this time, and none has waited for
    /// too long since: a probe that was not answered is a lost packet then.
    pub(crate) fn answered_within(&self, time: Millis, now: Timestamp) -> bool {
        !self.is_overdue(now) && now - self.answered_well_at < time
    }

    /// Whether a probe that took so long without an answer is a lost packet, as far as
    /// is known: requests are answered, or the probe before it was, not longer ago than
    /// `recent`. A client that calls an endpoint that hangs causes many probes, and a
    /// few of them get lost.
    pub(crate) fn has_lost_probe(&mut self, took: Millis, recent: Millis, now: Timestamp) -> bool {
        let passed_before = !self.is_ejected()
            && self
                .latency
                .is_some_and(|known| now - known.at < took + recent);
        let is_first = !std::mem::replace(&mut self.probe_lost, true);
        self.answered_within(took, now) || (passed_before && is_first)
    }

    /// Whether it has failed, and not answered well since.
    pub(crate) fn has_failures(&self) -> bool {
        self.failures > 0
    }

    /// Whether its latency stands on a single probe, as after a cold start: a refresh
    /// will soon ask again.
    pub(crate) fn is_young(&self) -> bool {
        self.latency.is_some_and(|known| known.samples < 2)
    }

    /// Whether it is known how long its answers usually take.
    pub(crate) fn knows_normal(&self) -> bool {
        self.drift.baseline().is_some()
    }

    /// Whether a slow answer may mean more than a slow endpoint: it is known how long
    /// answers take, or the target has failed, or left a request without an answer
    /// while its probes were answered, or a probe, and has not answered well since.
    pub(crate) fn may_be_rescued(&self) -> bool {
        self.knows_normal() || self.has_failures() || self.false_alarms > 0 || self.probe_lost
    }

    /// Whether only a probe can tell if it gets traffic again: its ejection has
    /// run out, or its answers are overdue.
    pub(crate) fn awaits_probe(&self, now: Timestamp) -> bool {
        match self.ejected_until {
            Some(until) => until <= now,
            None => self.half_open.is_none() && self.is_overdue(now),
        }
    }

    /// How long an answer may take before it is overdue.
    pub(crate) fn overdue_after(&self) -> Millis {
        self.usual() * f64::from(1 << self.false_alarms)
    }

    fn usual(&self) -> Millis {
        match self.drift.baseline() {
            Some(live) => drift::slow(live).clamp(OVERDUE_LEAST, OVERDUE_MOST),
            None => OVERDUE,
        }
    }

    /// How long an answer may take before the request may go to another target
    /// beside: probes may find a target well that hangs.
    pub(crate) fn rescue_after(&self) -> Millis {
        (self.usual() * RESCUE).min(RESCUE_MOST)
    }

    /// Whether a request has waited for too long without any answer to it or to
    /// another: a probe is to ask.
    fn is_overdue(&self, now: Timestamp) -> bool {
        self.unanswered
            .is_some_and(|unanswered| now - unanswered.first >= self.overdue_after())
    }

    /// Whether a second one waits too, for three quarters as long, so that
    /// others had better go elsewhere meanwhile; one alone may be a slow endpoint.
    pub(crate) fn is_suspect(&self, now: Timestamp) -> bool {
        self.is_overdue(now)
            && self
                .unanswered
                .and_then(|unanswered| unanswered.second)
                .is_some_and(|since| now - since >= self.overdue_after() * 0.75)
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

    /// A request was answered, with a status that is a failure or not.
    pub(crate) fn responded(
        &mut self,
        status: u16,
        is_failure: bool,
        retry_after: Option<Millis>,
        now: Timestamp,
    ) {
        self.unanswered = None;
        self.false_alarms = 0;
        if is_failure {
            self.failures = self.failures.saturating_add(1);
            self.last_failure = Some(LastFailure::Status(status));
        } else {
            self.failures = 0;
            self.answered_well_at = now;
        }
        if let (429 | 503, Some(wish)) = (status, retry_after) {
            self.aside_until = Some(now + wish.clamp(Millis::ZERO, LONGEST_EJECTION));
        }
    }

    /// A good answer, and what it shows: whether trials have brought the target back,
    /// or it is still too slow.
    pub(crate) fn answered_well(
        &mut self,
        is_trial: bool,
        ttfb: Millis,
        margin: Margin,
        now: Timestamp,
    ) -> Shown {
        if let (true, Some(half_open)) = (is_trial, &mut self.half_open) {
            return half_open.answered(ttfb, margin);
        }
        self.evidence.good(1.0 + self.unreported, now);
        self.unreported = 0.0;
        self.probation = self.probation.saturating_sub(1);
        Shown::Nothing
    }

    /// Whether good answers that others do not know of speak for it.
    pub(crate) fn refutes(&self, now: Timestamp) -> bool {
        self.evidence.refutes(now)
    }

    /// A good answer of this one will not be reported.
    pub(crate) fn request_unreported(&mut self) {
        self.unreported += 1.0;
    }

    /// The time to first byte of a good answer. True when the recent ones have
    /// drifted from what is normal.
    pub(crate) fn took(&mut self, ttfb: Millis) -> bool {
        self.drift.observe(ttfb)
    }

    /// A request was not answered, and the target is to blame. A verdict where no
    /// request would have fared better; else it is evidence, once the request is
    /// over.
    pub(crate) fn failed(&mut self, failure: Failure) -> Option<Verdict> {
        self.failures = self.failures.saturating_add(1);
        self.last_failure = Some(LastFailure::Failure(failure));
        let unreachable = failure.retry_safety() == RetrySafety::Always;
        let reason = Reason::Request(LastFailure::Failure(failure));
        unreachable.then(|| Verdict::outage(reason))
    }

    /// An answer was overdue, and another target's came first.
    pub(crate) fn was_overdue(&mut self) {
        self.last_failure = Some(LastFailure::Overdue);
    }

    /// A request failed here, and it was this target's doing: with this weight.
    pub(crate) fn blamed(&mut self, weight: f64, now: Timestamp) -> Option<Verdict> {
        self.evidence.bad(weight, now);
        let on_trial = self.is_half_open();
        (on_trial || self.evidence.convicts(now)).then(|| Verdict {
            reason: Reason::Request(self.last_failure.unwrap_or(LastFailure::Overdue)),
            found: Found::ByRequests,
        })
    }

    /// Where it is half-open, whether a request that has a fallback may try it now.
    pub(crate) fn try_now(&mut self, now: Timestamp) -> bool {
        self.half_open.as_mut().is_some_and(|one| one.try_now(now))
    }

    /// Where it was too slow: the mean of ln ms of the target that was faster.
    pub(crate) fn limit(&self) -> Option<f64> {
        self.half_open.and_then(|one| one.limit)
    }

    /// Whether its last failure was that no head came in time.
    pub(crate) fn has_timed_out(&self) -> bool {
        matches!(self.last_failure, Some(LastFailure::Failure(failure)) if failure.is_timeout())
    }

    /// Whether nobody could try it for long.
    pub(crate) fn is_untried(&self, now: Timestamp) -> bool {
        self.ejected_until.is_none() && self.half_open.is_some_and(|one| one.is_untried(now))
    }

    /// It gets its requests back.
    pub(crate) fn readmit(&mut self, now: Timestamp) {
        self.half_open = None;
        self.failures = 0;
        self.evidence.clear();
        self.probation = PROBATION;
        if let Some(last) = &mut self.last_ejection {
            last.ends = now;
        }
    }

    /// A probe came back healthy. Says whether that ended an ejection.
    pub(crate) fn probe_passed(&mut self, took: Millis, now: Timestamp, fade: Millis) -> bool {
        if self.is_overdue(now) {
            self.false_alarms = (self.false_alarms + 1).min(8);
        }
        self.unanswered = None;
        self.probe_lost = false;
        self.latency = Some(Latency::add(self.latency, took, now, fade));
        let ended = self.ejected_until.take().is_some();
        if let (true, Some(half_open)) = (ended, &mut self.half_open) {
            half_open.next = now;
        }
        if self.half_open.is_none() {
            self.failures = 0;
        }
        ended && self.half_open.is_none()
    }

    /// The drift starts afresh; `accept` makes the recent answers what is normal.
    pub(crate) fn restart_drift(&mut self, accept: bool) {
        self.drift.restart(accept);
    }

    /// Ejects the target, for longer each time it comes soon after the last.
    /// `jitter` is from 0 to 1. Returns for how long, or `None` when it was ejected
    /// already.
    pub(crate) fn eject(&mut self, found: Found, jitter: f64, now: Timestamp) -> Option<Millis> {
        self.failures = self.failures.max(1);
        self.unanswered = None;
        if self.ejected_until.is_some_and(|until| until > now) {
            return None;
        }
        let first = match found {
            Found::Outage => BACKOFF,
            Found::ByRequests | Found::Slow(_) => LIVE_BACKOFF,
        };
        let backoff = match self.last_ejection {
            // A target that held up for twice its last ejection starts anew;
            // one that its probe or a trial found failing has not held up at all.
            Some(last)
                if self.is_ejected()
                    || self.probation > 0
                    || now < last.ends + last.length * 2.0 =>
            {
                (last.length * 2.0).max(first)
            }
            _ => first,
        };
        let wish = self.aside_until.map_or(Millis::ZERO, |until| until - now);
        let length = backoff.max(wish).min(LONGEST_EJECTION);
        match found {
            Found::Outage => {}
            Found::ByRequests => {
                // It is to be what it was, in its trials.
                let usual = self.drift.baseline().map(|live| live.mean + LN_2);
                let limit = self.limit().or(usual);
                self.half_open = Some(HalfOpen::new(limit, now));
            }
            Found::Slow(limit) => self.half_open = Some(HalfOpen::new(Some(limit), now)),
        }
        self.probation = 0;
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
        self.half_open = known.half_open.map(|one| one.adopted(now));
    }

    /// Takes over what others' live requests have shown.
    pub(crate) fn adopt_evidence(&mut self, known: &TargetRecord, now: Timestamp) {
        self.evidence.adopt(known.live_answers.unwrap_or_default());
        let theirs = known.aside.map(|until| until.min(now + LONGEST_EJECTION));
        self.aside_until = match (self.aside_until, theirs) {
            (Some(ours), Some(theirs)) => Some(ours.max(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
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

    /// For other instances: from now on they know all of it.
    pub(crate) fn share(&mut self, now: Timestamp) -> TargetRecord {
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
            half_open: self.half_open,
            live_answers: Some(self.evidence.share(now)).filter(|tally| !tally.is_empty()),
            aside: self.aside_until.filter(|until| now < *until),
            live: self.drift.baseline().map(|live| crate::record::Live {
                mean: short(live.mean),
                variance: short(live.variance),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
