//! What an instance knows: the health of the targets, the decision, and what is
//! to be told of changes. Evidence comes in here, and what follows from it for
//! the choice of the target.

use crate::decision::{self, Decision, DecisionSource};
use crate::evidence::Pairs;
use crate::failure::{Failure, FaultOrigin};
use crate::health::{Found, Health, LastFailure, Verdict};
use crate::latency::Latency;
use crate::notice::{ChangeReason, Notice};
use crate::random::Random;
use crate::rank::{self, COMPARISONS, Incumbent, Outcome};
use crate::record;
use crate::request::{RequestState, TargetSet};
use crate::round::Running;
use crate::settings::Settings;
use crate::sort::sort;
use crate::stats::Counts;
use crate::sync::StoreSync;
use crate::time::{Millis, Timestamp};
use crate::trial::{LatencyTrial, TrialBudget};
use crate::watch::Watch;

/// A time-out of a target that has answered no request well for so long is told to
/// the store at once.
const SILENT: Millis = Millis(60_000.0);

#[derive(Clone, Debug)]
pub(crate) struct Knowledge {
    pub(crate) settings: Settings,
    pub(crate) random: Random,
    /// In the order of `settings.targets`.
    pub(crate) targets: Vec<Health>,
    pub(crate) decision: Option<Decision>,
    pub(crate) sync: StoreSync,
    pub(crate) pairs: Pairs,
    /// The chosen target is compared with the runner-up on live requests.
    pub(crate) trial: Option<LatencyTrial>,
    pub(crate) trials: TrialBudget,
    /// For how many answers in a row the chosen target has been slower than it was.
    pub(crate) drifting: u32,
    /// How many refreshes have outlived a drift since a request was compared.
    pub(crate) fruitless: u32,
    pub(crate) notices: Vec<Notice>,
    /// For monitoring, where that is on.
    pub(crate) counts: Option<Box<Counts>>,
    /// For the status page, where there is one.
    pub(crate) watch: Option<Box<Watch>>,
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
            pairs: Pairs::default(),
            trial: None,
            trials: TrialBudget::default(),
            drifting: 0,
            fruitless: 0,
            notices: Vec::new(),
            counts: settings.stats.map(|every| {
                let names = settings.targets.iter().map(|target| target.url());
                Box::new(Counts::new(every, names.collect()))
            }),
            watch: settings
                .has_status_page()
                .then(|| Box::new(Watch::new(settings.targets.len()))),
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

    /// Counts something for monitoring, where that is on.
    pub(crate) fn count(&mut self, what: impl FnOnce(&mut Counts)) {
        if let Some(counts) = &mut self.counts {
            what(counts);
        }
    }

    /// Remembers something for the status page, where there is one.
    pub(crate) fn watch(&mut self, what: impl FnOnce(&mut Watch)) {
        if let Some(watch) = &mut self.watch {
            what(watch);
        }
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

    /// Whether some target other than these is fit for all requests.
    pub(crate) fn has_fit_beside(&self, targets: TargetSet) -> bool {
        let mut known = self.targets.iter().enumerate();
        known.any(|(index, target)| !targets.contains(index) && !target.is_ejected())
    }

    /// The target of a request that was not sent yet, where the decision
    /// settles it without any sorting: the warm path.
    pub(crate) fn first_choice(&self, retryable: bool, now: Timestamp) -> Option<usize> {
        let choice = self.decision.as_ref()?.choice;
        let health = &self.targets[choice];
        let aside = retryable && health.is_aside(now);
        let fit = !health.is_ejected() && !health.is_suspect(now) && !aside;
        (self.settings.ranking_enabled() && fit).then_some(choice)
    }

    /// The targets in the order of attempts: the chosen one, then by rank. Those
    /// that wish for no requests which may go elsewhere come after the others that
    /// are fit.
    pub(crate) fn candidates(&self, retryable: bool, now: Timestamp) -> Vec<usize> {
        if !self.settings.ranking_enabled() {
            return rank::by_tier(&self.targets);
        }
        let mut order = rank::order(&self.targets, now);
        if retryable {
            let key = |index: usize| {
                let target = &self.targets[index];
                (target.is_ejected(), target.is_aside(now))
            };
            sort(&mut order, &|one, other| key(one).cmp(&key(other)));
        }
        if let Some(choice) = self.first_choice(retryable, now)
            && let Some(place) = order.iter().position(|index| *index == choice)
        {
            order[..=place].rotate_right(1);
        }
        order
    }

    /// A full round has ended: its result holds from now.
    pub(crate) fn decide(&mut self, primary: usize, now: Timestamp) {
        let before = self.decision.as_ref().map(|decision| decision.primary);
        let drifted = self
            .decision
            .as_ref()
            .is_some_and(|decision| decision.drifted);
        if drifted && before == Some(primary) {
            self.outlived_drift(primary, now);
        } else {
            self.targets[primary].restart_drift(false);
        }
        self.report_change(before, primary, ChangeReason::Probed);
        let stands_in_for = self
            .decision
            .as_ref()
            .and_then(|decision| decision.replaced_by(primary));
        self.set_decision(primary, stands_in_for, now, DecisionSource::Probes);
        self.sync.write_due = true;
    }

    /// A round that has found something healthy is over: ranks, and decides. Which
    /// targets are to be compared once more before that, where a healthy primary
    /// could be beaten.
    pub(crate) fn conclude(&mut self, round: &Running, now: Timestamp) -> Option<Vec<usize>> {
        let incumbent = self
            .decision
            .as_ref()
            .filter(|decision| !self.targets[decision.primary].is_ejected())
            .map(|decision| Incumbent {
                target: decision.primary,
                latency: self.targets[decision.primary]
                    .latency
                    .map(|known| known.mean()),
                rivals: rank::rivals(&self.targets, decision.primary),
                stands_in_for: decision.stands_in_for,
            });
        let best = rank::best(&self.targets, now);
        let primary = match incumbent {
            None => best,
            Some(current) if rank::outranks(&self.targets, best, current.target) => best,
            // A suspicion was wrong: nothing has changed.
            Some(current) if !round.full && !round.recovered => current.target,
            Some(current) => {
                let margin = self.settings.switch_margin;
                match round.samples.judge(current, margin, self.settings.spread) {
                    Outcome::Keep => current.target,
                    Outcome::CompareAgain(targets) => return Some(targets),
                    Outcome::Switch(challenger) => {
                        // What they have shown is what they are now, whatever was
                        // known of them before.
                        for target in [current.target, challenger] {
                            let median = round.samples.median(target);
                            self.targets[target].latency = median
                                .map(|median| Latency::known(median, COMPARISONS as u32, now));
                        }
                        challenger
                    }
                }
            }
        };
        if round.full {
            self.decide(primary, now);
        } else {
            self.switch_to(primary, ChangeReason::Recovered, now);
        }
        None
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
                self.trial = None;
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
        let young = self.targets[primary].is_young();
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
        is_failure: bool,
        retry_after: Option<Millis>,
        ttfb: Millis,
        now: Timestamp,
    ) {
        if !self.settings.ranking_enabled() {
            return;
        }
        let target = request.responder;
        let was_aside = self.targets[target].is_aside(now);
        self.targets[target].responded(status, is_failure, retry_after, now);
        let failure = is_failure.then_some(LastFailure::Status(status));
        self.watch(|watch| watch.answered(target, failure));
        // Others had better leave it in peace, too.
        self.sync.write_due |= !was_aside && self.targets[target].is_aside(now);
        if is_failure {
            return;
        }
        let chosen = self
            .decision
            .as_ref()
            .is_some_and(|decision| decision.choice == target);
        if chosen && request.times_target() {
            if self.targets[target].took(ttfb) {
                self.drifted(now);
            } else {
                self.drifting = 0;
            }
            // The refresh has written it, unless its instance was a new one: then those
            // to come would take for normal what they meet first.
            let chosen = &self.targets[target];
            self.sync.write_due |=
                !chosen.is_young() && chosen.knows_normal() && !self.sync.knows_normal_of(target);
        }
        self.answered_well(request, ttfb, now);
    }

    /// A target did not answer a request. True when that is evidence, once the request
    /// is over: the target is to blame, unless the request is.
    pub(crate) fn failed(
        &mut self,
        request: &RequestState,
        target: usize,
        failure: Failure,
        now: Timestamp,
    ) -> bool {
        if failure.fault_origin() == FaultOrigin::HostPolicy {
            self.report_denial(target, failure);
        }
        if !self.settings.ranking_enabled() {
            return false;
        }
        // It is not to blame for a time-out when earlier attempts had used the
        // deadline up.
        let blamed = failure.fault_origin() == FaultOrigin::Upstream
            && (failure != Failure::DeadlineExceeded || request.attempts() == 1);
        // Instances to come need not wait as long.
        self.sync.write_due |= blamed
            && failure.is_timeout()
            && !self.targets[target].answered_within(SILENT, now)
            && !self.sync.knows_failures_of(target);
        if !blamed {
            self.targets[target].attempt_cancelled(request.began);
            return false;
        }
        let known = Some(LastFailure::Failure(failure));
        self.watch(|watch| watch.answered(target, known));
        match self.targets[target].failed(failure) {
            Some(verdict) => {
                self.eject(target, verdict, now);
                false
            }
            None => true,
        }
    }

    /// The attempts that lost against the responder are cancelled, which is not
    /// evidence against their targets.
    pub(crate) fn cancel_others(&mut self, request: &RequestState) {
        // What another one overtook since it was overdue is still without an answer: a
        // probe is to ask.
        if request.attempts() == 1 || request.rescuer == Some(request.responder) {
            return;
        }
        for (index, target) in self.targets.iter_mut().enumerate() {
            if index != request.responder && request.tried.contains(index) {
                target.attempt_cancelled(request.began);
            }
        }
    }

    /// Ejects a target; when it was the primary, the next best takes over, and
    /// the other instances learn of it through the store.
    pub(crate) fn eject(&mut self, target: usize, verdict: Verdict, now: Timestamp) {
        // What live requests found is a matter of choice: without one, a target that
        // fails some of them is better than none.
        let is_choice = self.has_fit_beside(TargetSet::from_iter([target]));
        if verdict.found != Found::Outage && !is_choice {
            return;
        }
        let jitter = self.random.next();
        let Some(length) = self.targets[target].eject(verdict.found, jitter, now) else {
            return;
        };
        self.sync.write_due = true;
        self.count(|counts| counts.ejected(target));
        let ends = self.targets[target].ejection().map(|last| last.ends);
        self.watch(|watch| watch.ejected(target, verdict, ends.unwrap_or(now)));
        self.notices.push(Notice::Ejected {
            target: self.settings.targets[target].url(),
            reason: verdict.reason.to_string(),
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
        if !self.cached_reported.insert(target) {
            return;
        }
        self.notices.push(Notice::HealthPathCached {
            target: self.settings.targets[target].url(),
            remedy: "a cache answers the probes: set FETCH_HEALTH_PATH to a path that no cache \
                     answers, or exempt it from caching",
        });
    }

    pub(crate) fn report_denial(&mut self, target: usize, failure: Failure) {
        if !self.denials_reported.insert(target) {
            return;
        }
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
