//! What an instance knows: the health of the targets, the decision, and what is
//! to be told of changes. Evidence comes in here, and what follows from it for
//! the choice of the target.

use crate::decision::{self, Decision, DecisionSource};
use crate::failure::{Failure, FaultOrigin};
use crate::health::{Health, Verdict};
use crate::notice::{ChangeReason, Notice};
use crate::random::Random;
use crate::rank;
use crate::record;
use crate::request::{RequestState, TargetSet};
use crate::settings::Settings;
use crate::sync::StoreSync;
use crate::time::{Millis, Timestamp};

#[derive(Clone, Debug)]
pub(crate) struct Knowledge {
    pub(crate) settings: Settings,
    pub(crate) random: Random,
    /// In the order of `settings.targets`.
    pub(crate) targets: Vec<Health>,
    pub(crate) decision: Option<Decision>,
    pub(crate) sync: StoreSync,
    pub(crate) notices: Vec<Notice>,
    /// Those that the host's policy forbids, and of which that was said.
    denials_reported: TargetSet,
    /// Those whose health path a cache answered, and of which that was said.
    cached_reported: TargetSet,
    /// Whether the settings' problems wait for the store to say if the operator
    /// has heard of them.
    problems_unreported: bool,
}

impl Knowledge {
    pub(crate) fn new(settings: Settings, seed: u64) -> Self {
        let mut known = Self {
            random: Random::new(seed),
            targets: settings
                .targets
                .iter()
                .map(|target| Health::of(target.preference()))
                .collect(),
            decision: None,
            sync: StoreSync::default(),
            notices: Vec::new(),
            denials_reported: TargetSet::default(),
            cached_reported: TargetSet::default(),
            problems_unreported: true,
            settings,
        };
        if known.settings.cache_store.is_none() || !known.settings.ranking_enabled() {
            // Nobody asks the store.
            known.report_problems();
        }
        known
    }

    /// Says what is wrong with the settings, unless it was said.
    pub(crate) fn report_problems(&mut self) {
        if std::mem::take(&mut self.problems_unreported) {
            let problems = self.settings.problems.iter();
            self.notices.extend(problems.map(Notice::from));
        }
    }

    /// An instance before this one may have said what is wrong with the
    /// settings: then it is in its record.
    pub(crate) fn report_problems_unless(&mut self, reported: Option<&str>) {
        if self.problems_unreported
            && reported.is_some()
            && reported == record::problems_hash(&self.settings).as_deref()
        {
            self.problems_unreported = false;
        }
        if self.problems_unreported && !self.settings.problems.is_empty() {
            // For those to come.
            self.sync.write_due = true;
        }
        self.report_problems();
    }

    /// Whether a decision stands: fresh, or stale and still served.
    pub(crate) fn has_decision(&self, now: Timestamp) -> bool {
        self.decision
            .as_ref()
            .is_some_and(|decision| now - decision.measured_at <= self.settings.longest_use())
    }

    pub(crate) fn refresh_due(&self, now: Timestamp) -> bool {
        self.decision
            .as_ref()
            .is_some_and(|decision| now >= decision.refresh_at)
    }

    pub(crate) fn sync_due(&self, now: Timestamp) -> bool {
        self.sync.is_due(&self.settings, now) && self.has_decision(now)
    }

    pub(crate) fn sync_begins(&mut self, now: Timestamp) {
        self.sync.begins(&self.settings, &mut self.random, now);
    }

    /// Whether some target can only be judged by a probe.
    pub(crate) fn awaits_probe(&self, now: Timestamp) -> bool {
        self.targets.iter().any(|target| target.awaits_probe(now))
    }

    /// The target of a request that was not sent yet, where the decision
    /// settles it without any sorting: the warm path.
    pub(crate) fn first_choice(&self, now: Timestamp) -> Option<usize> {
        let choice = self.decision.as_ref()?.choice;
        let health = &self.targets[choice];
        let fit = !health.is_ejected() && !health.is_suspect(now);
        (self.settings.ranking_enabled() && fit).then_some(choice)
    }

    /// The targets in the order of attempts: the chosen one, then by rank.
    pub(crate) fn candidates(&self, now: Timestamp) -> Vec<usize> {
        if !self.settings.ranking_enabled() {
            return rank::by_tier(&self.targets);
        }
        let mut order = rank::order(&self.targets, now);
        if let Some(choice) = self.first_choice(now)
            && let Some(place) = order.iter().position(|index| *index == choice)
        {
            order[..=place].rotate_right(1);
        }
        order
    }

    /// A full round has ended: its result holds from now.
    pub(crate) fn decide(&mut self, primary: usize, now: Timestamp) {
        let before = self.decision.as_ref().map(|decision| decision.primary);
        // If it drifted and is still the best, slower is what it is now.
        let drifted = self
            .decision
            .as_ref()
            .is_some_and(|decision| decision.drifted);
        self.targets[primary].restart_drift(drifted && before == Some(primary));
        self.report_change(before, primary, ChangeReason::Probed);
        let stands_in_for = self
            .decision
            .as_ref()
            .and_then(|decision| decision.replaced_by(primary));
        self.set_decision(primary, stands_in_for, now, DecisionSource::Probes);
        self.sync.write_due = true;
    }

    /// Makes `primary` the primary of the decision that stands, if it is not.
    pub(crate) fn switch_to(&mut self, primary: usize, reason: ChangeReason, now: Timestamp) {
        let Some(decision) = &self.decision else {
            return;
        };
        let before = decision.primary;
        let choice = self.choose(primary);
        if let Some(decision) = &mut self.decision
            && (before != primary || self.targets[decision.choice].is_ejected())
        {
            decision.primary = primary;
            decision.choice = choice;
            if before != primary {
                let failed = reason == ChangeReason::Failover;
                let absent = decision.stands_in_for.or(Some(before));
                decision.stands_in_for = absent.filter(|_| failed);
            }
            self.targets[primary].restart_drift(false);
        }
        self.report_change(Some(before), primary, reason);
        // Other instances must not pay for the same discovery again.
        self.sync.write_due |= before != primary && self.has_decision(now);
    }

    pub(crate) fn set_decision(
        &mut self,
        primary: usize,
        stands_in_for: Option<usize>,
        measured_at: Timestamp,
        source: DecisionSource,
    ) {
        let choice = self.choose(primary);
        let young = self.targets[primary]
            .latency
            .is_some_and(|known| known.samples < 2);
        let after = decision::refresh_after(young, self.settings.cache_ttl, &mut self.random);
        self.decision = Some(Decision {
            primary,
            choice,
            measured_at,
            refresh_at: measured_at + after,
            drifted: false,
            stands_in_for,
            source,
        });
    }

    /// With `FETCH_SPREAD`, one of the targets that are as good.
    fn choose(&mut self, primary: usize) -> usize {
        if !self.settings.spread {
            return primary;
        }
        let peers = rank::peers(&self.targets, primary, self.settings.switch_margin);
        rank::pick(&self.targets, &peers, self.random.next()).unwrap_or(primary)
    }

    pub(crate) fn report_change(&mut self, from: Option<usize>, to: usize, reason: ChangeReason) {
        if from == Some(to) {
            return;
        }
        let name = |index: usize| self.settings.targets[index].url();
        self.notices.push(Notice::PrimaryChanged {
            from: from.map(name),
            to: name(to),
            reason,
        });
    }

    /// A target answered a request.
    pub(crate) fn responded(
        &mut self,
        request: &RequestState,
        status: u16,
        retry_after: Option<Millis>,
        ttfb: Millis,
        now: Timestamp,
    ) {
        if !self.settings.ranking_enabled() {
            return;
        }
        let target = request.responder;
        let health = &mut self.targets[target];
        if let Some(verdict) = health.responded(status, retry_after) {
            self.eject(target, verdict, now);
        }
        let good = !matches!(status, 502..=504);
        let chosen = self
            .decision
            .as_ref()
            .is_some_and(|decision| decision.choice == target);
        if good && chosen && request.times_target() && self.targets[target].took(ttfb) {
            let share = self.random.next();
            if let Some(decision) = &mut self.decision {
                decision.refresh_soon(share, now);
            }
        }
    }

    /// A target did not answer a request.
    pub(crate) fn failed(
        &mut self,
        request: &RequestState,
        target: usize,
        failure: Failure,
        now: Timestamp,
    ) {
        if failure.fault_origin() == FaultOrigin::HostPolicy {
            self.report_denial(target, failure);
        }
        if !self.settings.ranking_enabled() {
            return;
        }
        // It is not to blame for a time-out when earlier attempts had used the
        // deadline up.
        let blamed = failure.fault_origin() == FaultOrigin::Upstream
            && (failure != Failure::DeadlineExceeded || request.attempts() == 1);
        if !blamed {
            self.targets[target].attempt_cancelled(request.began);
        } else if let Some(verdict) = self.targets[target].failed(failure) {
            self.eject(target, verdict, now);
        }
    }

    /// The attempts that lost against the responder are cancelled, which is not
    /// evidence against their targets.
    pub(crate) fn cancel_others(&mut self, request: &RequestState) {
        if request.attempts() == 1 {
            return;
        }
        for (index, target) in self.targets.iter_mut().enumerate() {
            if index != request.responder && request.tried.contains(index) {
                target.attempt_cancelled(request.began);
            }
        }
    }

    /// Ejects a target; when it was the primary, the next best takes over, and
    /// the other instances are told through the store.
    pub(crate) fn eject(&mut self, target: usize, verdict: Verdict, now: Timestamp) {
        let jitter = self.random.next();
        let Some(length) = self.targets[target].eject(now, jitter, verdict.at_least) else {
            return;
        };
        self.sync.write_due = true;
        self.notices.push(Notice::Ejected {
            target: self.settings.targets[target].url(),
            reason: verdict.reason,
            for_ms: length.whole(),
        });
        let served = self
            .decision
            .as_ref()
            .is_some_and(|decision| decision.primary == target || decision.choice == target);
        let next = match &self.decision {
            Some(decision) if decision.primary != target => decision.primary,
            _ => rank::best(&self.targets, now),
        };
        if served && !self.targets[next].is_ejected() {
            self.switch_to(next, ChangeReason::Failover, now);
        }
    }

    /// A cache answered a probe: what it measured is not the target.
    pub(crate) fn report_cached(&mut self, target: usize) {
        if self.cached_reported.contains(target) {
            return;
        }
        self.cached_reported.insert(target);
        self.notices.push(Notice::HealthPathCached {
            target: self.settings.targets[target].url(),
            remedy: "a cache answers the probes: set FETCH_HEALTH_PATH to a path that no cache \
                     answers, or exempt it from caching",
        });
    }

    pub(crate) fn report_denial(&mut self, target: usize, failure: Failure) {
        if self.denials_reported.contains(target) {
            return;
        }
        self.denials_reported.insert(target);
        self.notices.push(Notice::Denied {
            target: self.settings.targets[target].url(),
            remedy: if failure == Failure::DestinationIpProhibited {
                "the runtime blocks this network: see [outbound_http] blocked_networks of the \
                 runtime configuration"
            } else {
                "allow its host: on Spin set the variable fetch_allowed_host, or add it to \
                 allowed_outbound_hosts of the component in spin.toml"
            },
        });
    }
}
