//! What an instance knows, for whoever asks: the values that the status page shows.
//!
//! They are typed, and nothing here is a sentence: whoever shows them says it in the
//! reader's language.

use crate::decision::DecisionSource;
use crate::failure::Failure;
use crate::health::{Found, Health, LastFailure, Reason};
use crate::knowledge::Knowledge;
use crate::notice::{Notice, StoreOperation};
use crate::rank;
use crate::round::{ProbeOutcome, Rounds};
use crate::settings::{InForce, StoreKind};
use crate::time::{Millis, Timestamp, rounded};
use crate::trial;
use crate::watch::{Ejected, Probed};
use serde::Serialize;

/// A moment, in whole ms since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(rounded(at.0) as u64)
    }
}

/// A span of time, in whole microseconds: code that writes fractions would be a tenth of
/// what JavaScript hosts load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Micros(pub u32);

impl From<Millis> for Micros {
    fn from(span: Millis) -> Self {
        Self(rounded(span.0 * 1000.0) as u32)
    }
}

/// All that is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Of Function Fetch.
    pub version: &'static str,
    /// When this was asked.
    pub at: Moment,
    /// Who answers.
    pub instance: Instance,
    /// Which target comes first, and by what.
    pub decision: Decision,
    /// The targets in the order in which a request would try them.
    pub targets: Vec<Target>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_targets: Option<String>,
    /// What is wrong now.
    pub warnings: Vec<Notice>,
    /// What changed, the latest first.
    pub events: Vec<Event>,
    /// The settings in force, but for the targets and secrets.
    pub settings: Vec<InForce>,
}

/// The instance that answers. Others know other things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Instance {
    /// When its first request came, unless none has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// How many requests it has had; those for the status are not counted.
    pub requests: u32,
    /// Where it shares the decision, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreKind>,
}

/// Which target comes first, since when, and what would change that.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// Where it comes from.
    pub source: Source,
    /// The best target, and with `FETCH_SPREAD` the one of this instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// The target that requests of this instance go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// The target in whose place it is, while that one fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_in_for: Option<String>,
    /// When the targets were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured_at: Option<Moment>,
    /// From when on it is measured again, beside the next request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_at: Option<Moment>,
    /// Until when it is fresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<Moment>,
    /// Until when it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_until: Option<Moment>,
    /// How much faster a challenger must be: `FETCH_SWITCH_MARGIN`.
    pub margin: String,
    /// The latency that a challenger must stay below by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenger_below_us: Option<Micros>,
    /// Whether a round of probes is under way.
    pub probing: bool,
}

/// Where a decision comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Probes of this instance.
    Probes,
    /// The store: another instance has measured.
    Store,
    /// The order of `FETCH_TARGETS`: nothing is measured.
    List,
    /// There is none yet.
    None,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// Its address.
    pub target: String,
    /// Its place in `FETCH_TARGETS`, from 1.
    pub place: u32,
    /// Its tier.
    pub tier: u8,
    /// Its weight.
    pub weight: u8,
    /// Whether it is the primary.
    pub primary: bool,
    /// Whether it gets requests.
    pub health: Standing,
    /// Until when that lasts, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Why it does not get them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// On its way back: how many trials it has passed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials_passed: Option<u32>,
    /// of so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials_needed: Option<u32>,
    /// The mean of its probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<Micros>,
    /// How many probes that stands on.
    pub probes: u32,
    /// When it was last measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured_at: Option<Moment>,
    /// The last probes of this instance, the latest last.
    pub recent: Vec<Probe>,
}

/// Whether a target gets requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It does.
    Healthy,
    /// It does, but was not measured yet.
    Unmeasured,
    /// It does, in its turn: nothing is measured.
    Listed,
    /// Its answers are overdue: new requests go elsewhere until a probe is back.
    Overdue,
    /// By its own wish, no requests that may be retried.
    Aside,
    /// None.
    Ejected,
    /// None until a probe, which is due, finds it healthy.
    AwaitsProbe,
    /// Trials alone.
    HalfOpen,
}

/// Why a target was ejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// What found it.
    pub found_by: FoundBy,
    /// The status that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was none: an error type of RFC 9209.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// So many requests had failed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<u32>,
    /// of the last so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
}

/// What found that a target is not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// A probe.
    Probe,
    /// A request that could not reach it.
    Connection,
    /// Requests that failed.
    Requests,
    /// Requests that took longer than another target's.
    Latency,
    /// Another instance, which has told the store.
    OtherInstance,
}

/// A probe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Probe {
    /// When it came back.
    pub at: Moment,
    /// How long it took.
    pub took_us: Micros,
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was none: an error type of RFC 9209.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
}

impl Probe {
    /// Whether it found the target healthy.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        matches!(self.status, Some(200..=499))
    }
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// What.
    #[serde(flatten)]
    pub notice: Notice,
}

impl From<&Probed> for Probe {
    fn from(probed: &Probed) -> Self {
        let ProbeOutcome { result, took, .. } = probed.outcome;
        Self {
            at: probed.at.into(),
            took_us: took.into(),
            status: result.ok(),
            error: result.err().map(|failure| failure.proxy_error()),
        }
    }
}

impl Cause {
    const OTHER_INSTANCE: Self = Self {
        found_by: FoundBy::OtherInstance,
        status: None,
        error: None,
        failed: None,
        of: None,
    };

    fn of(ejected: Ejected) -> Self {
        let Ejected {
            verdict,
            failed,
            of,
            ..
        } = ejected;
        let found_by = match (verdict.reason, verdict.found) {
            (Reason::Probe(_), _) => FoundBy::Probe,
            (Reason::Slow, _) => FoundBy::Latency,
            (Reason::Request(_), Found::Outage) => FoundBy::Connection,
            (Reason::Request(_), _) => FoundBy::Requests,
        };
        let (status, failure) = match verdict.reason {
            Reason::Probe(result) => (result.ok(), result.err()),
            Reason::Request(LastFailure::Status(status)) => (Some(status), None),
            Reason::Request(LastFailure::Failure(failure)) => (None, Some(failure)),
            Reason::Request(LastFailure::Overdue) | Reason::Slow => (None, None),
        };
        let counts = found_by == FoundBy::Requests;
        Self {
            found_by,
            status,
            error: failure.map(Failure::proxy_error),
            failed: counts.then_some(failed),
            of: counts.then_some(of),
        }
    }
}

impl Knowledge {
    #[inline(never)]
    pub(crate) fn status(&self, rounds: &Rounds, now: Timestamp) -> Status {
        let watch = self.watch.as_deref();
        let events = watch.map(|watch| watch.events.iter().rev());
        Status {
            version: env!("CARGO_PKG_VERSION"),
            at: now.into(),
            instance: Instance {
                since: watch.and_then(|watch| watch.since).map(Moment::from),
                requests: watch.map_or(0, |watch| watch.requests),
                store: self.settings.cache_store,
            },
            decision: self.decision_status(rounds, now),
            targets: self
                .candidates(false, now)
                .into_iter()
                .map(|target| self.target_status(target, now))
                .collect(),
            no_targets: self
                .settings
                .no_targets
                .as_ref()
                .map(|error| error.message()),
            warnings: self.warnings(),
            events: events
                .into_iter()
                .flatten()
                .map(|(at, notice)| Event {
                    at: (*at).into(),
                    notice: notice.clone(),
                })
                .collect(),
            settings: self.settings.in_force(),
        }
    }

    fn name(&self, target: usize) -> String {
        self.settings.targets[target].url()
    }

    fn decision_status(&self, rounds: &Rounds, now: Timestamp) -> Decision {
        let settings = &self.settings;
        let margin = settings.switch_margin;
        let ranks = settings.ranking_enabled();
        let listed = Decision {
            source: if ranks || settings.targets.is_empty() {
                Source::None
            } else {
                Source::List
            },
            primary: None,
            chosen: None,
            stands_in_for: None,
            measured_at: None,
            refresh_at: None,
            fresh_until: None,
            used_until: None,
            margin: settings.switch_margin_text.clone(),
            challenger_below_us: None,
            probing: rounds.is_running(now),
        };
        let stands = self.decision.as_ref().filter(|_| self.has_decision(now));
        let Some(decision) = stands else {
            let first = rank::by_tier(&self.targets).first().copied();
            return Decision {
                primary: first.filter(|_| !ranks).map(|first| self.name(first)),
                ..listed
            };
        };
        let latency = self.targets[decision.primary].latency;
        Decision {
            source: match decision.source {
                DecisionSource::Probes => Source::Probes,
                DecisionSource::Store => Source::Store,
            },
            primary: Some(self.name(decision.primary)),
            chosen: Some(self.name(decision.choice)),
            stands_in_for: decision.stands_in_for.map(|absent| self.name(absent)),
            measured_at: Some(decision.measured_at.into()),
            refresh_at: Some(decision.refresh_at.into()),
            fresh_until: Some((decision.measured_at + settings.cache_ttl).into()),
            used_until: Some((decision.measured_at + settings.longest_use()).into()),
            challenger_below_us: latency.map(|known| {
                let mean = known.mean();
                (mean - rank::lead(mean, margin)).max(Millis::ZERO).into()
            }),
            ..listed
        }
    }

    fn target_status(&self, index: usize, now: Timestamp) -> Target {
        let health = &self.targets[index];
        let watched = self.watch.as_deref().map(|watch| watch.of(index));
        let (standing, until) = self.standing(health, now);
        let cause = health.ejection().filter(|_| health.is_ejected());
        let trials = health.trials_passed();
        let primary = self
            .decision
            .as_ref()
            .is_some_and(|decision| decision.primary == index && self.has_decision(now));
        let recent = watched.map(|watched| watched.probes.iter().map(Probe::from).collect());
        Target {
            target: self.name(index),
            place: index as u32 + 1,
            tier: health.preference.tier,
            weight: health.preference.weight,
            primary,
            health: standing,
            until: until.map(Moment::from),
            cause: cause.map(|ejection| {
                let ours = watched.and_then(|watched| watched.cause(ejection));
                ours.map_or(Cause::OTHER_INSTANCE, Cause::of)
            }),
            trials_passed: trials,
            trials_needed: trials.map(|_| trial::PASSES as u32),
            latency_us: health.latency.map(|known| known.mean().into()),
            probes: health.latency.map_or(0, |known| known.samples),
            measured_at: health.latency.map(|known| known.at.into()),
            recent: recent.unwrap_or_default(),
        }
    }

    fn standing(&self, health: &Health, now: Timestamp) -> (Standing, Option<Timestamp>) {
        if !self.settings.ranking_enabled() {
            return (Standing::Listed, None);
        }
        match health.ejected_until() {
            Some(until) if until > now => return (Standing::Ejected, Some(until)),
            Some(_) => return (Standing::AwaitsProbe, None),
            None => {}
        }
        if health.is_half_open() {
            (Standing::HalfOpen, None)
        } else if health.is_suspect(now) {
            (Standing::Overdue, None)
        } else if let Some(until) = health.aside_until(now) {
            (Standing::Aside, Some(until))
        } else if health.latency.is_none() {
            (Standing::Unmeasured, None)
        } else {
            (Standing::Healthy, None)
        }
    }

    fn warnings(&self) -> Vec<Notice> {
        let mut warnings: Vec<Notice> = self.settings.problems.iter().map(Notice::from).collect();
        for operation in [StoreOperation::Read, StoreOperation::Write] {
            if self.sync.is_failing(operation) {
                warnings.push(Notice::StoreFailed { operation });
            }
        }
        let ranks = self.settings.ranking_enabled();
        if ranks && self.targets.iter().all(Health::is_ejected) {
            warnings.push(Notice::NoHealthyTarget);
        }
        let lasting = |notice: &&Notice| {
            matches!(
                notice,
                Notice::Denied { .. } | Notice::HealthPathCached { .. }
            )
        };
        let events = self.watch.iter().flat_map(|watch| &watch.events);
        warnings.extend(events.map(|(_, notice)| notice).filter(lasting).cloned());
        warnings
    }
}
