//! The engine: one value for each configuration, kept by the host between
//! requests (the L1 of the user's document). Here a request's way and a round's
//! way are told; the rules are in the files that these call.

use crate::conversation::{Action, Attempt, Event, STORE_TIMEOUT, Step, Waited};
use crate::decision::DecisionSource;
use crate::failure::{Failure, FaultOrigin};
use crate::fence;
use crate::headers;
use crate::health::{Reason, Verdict};
use crate::hedging;
use crate::knowledge::Knowledge;
use crate::limits;
use crate::local_reply::LocalReply;
use crate::notice::{Notice, StoreOperation};
use crate::record::Stored;
use crate::request::{Request, RequestState, Stage, TargetSet};
use crate::retry::{self, Retry, RetryBudget};
use crate::round::{self, ProbeOutcome, Round, Rounds};
use crate::settings::Settings;
use crate::sharing::StoreWrite;
use crate::stats::{Counts, Stats};
use crate::status::Status;
use crate::time::{Millis, Timestamp};

/// How often a good answer is reported at least where not all are. Well below the
/// least time after which an answer is overdue: any answer clears its target of
/// that suspicion.
const REPORT_EVERY: Millis = Millis(50.0);

/// A timer that fires so much too early has fired.
const TIMER_SLACK: Millis = Millis(0.01);

/// In how long an attempt that waits is
struct Due {
    /// cancelled, and with which failure,
    given_up: Millis,
    failure: Failure,
    /// overdue, so that a probe checks its target,
    overdue: Millis,
    /// joined by one at another target.
    rescued: Millis,
}

/// Decides. See the crate's documentation for how a host drives it.
#[derive(Clone, Debug)]
pub struct Engine {
    known: Knowledge,
    rounds: Rounds,
    budget: RetryBudget,
    /// Where not every good answer is reported: when the next one is.
    next_report_at: Timestamp,
}

impl Engine {
    /// An engine that knows nothing yet. `seed` is the instance's own, so that
    /// instances do not act in step.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            known: Knowledge::new(settings, seed),
            rounds: Rounds::default(),
            budget: RetryBudget::default(),
            next_report_at: Timestamp::default(),
        }
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.known.settings
    }

    /// Whether [`Engine::take_notices`] has something.
    #[must_use]
    pub fn has_notices(&self) -> bool {
        !self.known.notices.is_empty()
    }

    /// What changed since this was last called.
    pub fn take_notices(&mut self, now: Timestamp) -> Vec<Notice> {
        let notices = std::mem::take(&mut self.known.notices);
        self.known.watch(|watch| watch.told(&notices, now));
        notices
    }

    /// Opens the conversation about a request.
    pub fn begin(&mut self, request: &Request<'_>, now: Timestamp) -> Step {
        self.known.count(|counts| counts.begun(now));
        self.known.watch(|watch| watch.begun(now));
        let settings = &self.known.settings;
        let state = RequestState::new(request, settings.may_retry(request.method), now);
        let refusal = if let Some(error) = &settings.no_targets {
            LocalReply::unconfigured(error)
        } else if request.method == "CONNECT" {
            LocalReply::no_tunnel()
        } else if request.hops >= headers::MAX_HOPS {
            LocalReply::looped()
        } else if let Some(refusal) = fence::malformed(request.method, request.path) {
            refusal
        } else if settings.is_fenced() && fence::climbs_out(request.path) {
            LocalReply::outside()
        } else {
            self.budget.request();
            return self.route(state, now);
        };
        self.step(state, Action::Reply(refusal), now)
    }

    /// Says what happened, and gets what comes next.
    pub fn settle(&mut self, state: RequestState, event: Event, now: Timestamp) -> Step {
        let mut state = state;
        // The wall clock may have stepped back.
        state.began = state.began.min(now);
        state.sent = state.sent.min(now);
        match (state.stage, event) {
            (Stage::Store, Event::StoreRead(value)) => {
                self.store_worked(StoreOperation::Read);
                self.known.adopt(value.as_ref(), now);
                state.store_read = true;
                self.route(state, now)
            }
            (Stage::Store, Event::StoreFailed) => {
                self.store_failed(StoreOperation::Read);
                state.store_read = true;
                self.route(state, now)
            }
            (Stage::Round, Event::RoundReady) => {
                state.waited = true;
                self.route(state, now)
            }
            (
                Stage::Attempt,
                Event::Response {
                    target,
                    status,
                    retry_after,
                    ttfb,
                    replay,
                },
            ) => {
                state.answered_by(target);
                self.known
                    .count(|counts| counts.answered(target, state.method, status, ttfb));
                let is_failure = self.known.settings.is_failure_status(status);
                if is_failure {
                    state.failed.insert(target);
                } else {
                    if state.trial && state.attempts() == 1 {
                        self.budget.give_back();
                    }
                    self.blame_overdue(&state, ttfb, now);
                }
                self.known
                    .responded(&state, status, is_failure, retry_after, ttfb, now);
                let good = retry::is_good(status, &self.known.settings);
                if !good && !state.running.is_empty() {
                    return self.wait(state, now);
                }
                self.known.cancel_others(&state);
                let retry = retry::after_bad_response(&state, replay);
                if !good && let Some(step) = self.retry(state, retry, now) {
                    return step;
                }
                if is_failure {
                    self.known.answered_badly(&state, now);
                }
                self.step(state, Action::Relay, now)
            }
            (
                Stage::Attempt,
                Event::Failed {
                    target,
                    failure,
                    replay,
                },
            ) => {
                // What the client broke off is not the target's doing.
                let failure = retry::blamed(failure, replay);
                state.running.remove(target);
                // Of two that ran, the later one's time.
                self.known
                    .count(|counts| counts.failed(target, state.method, failure, now - state.sent));
                if retry::resends(&state, failure, replay)
                    && limits::has_time(&state, &self.known.settings, now)
                {
                    state.may_resend = false;
                    return self.send(state, target, now);
                }
                if self.known.failed(&state, target, failure, now) {
                    state.failed.insert(target);
                }
                if !state.running.is_empty() {
                    return self.wait(state, now);
                }
                let retry = retry::after_failure(&state, failure, replay);
                match self.retry(state, retry, now) {
                    Some(step) => step,
                    None => self.give_up(state, failure, now),
                }
            }
            (Stage::Attempt, Event::Timer(waited)) => self.timer(state, &waited, now),
            (stage, event) => {
                debug_assert!(false, "{event:?} answers nothing that {stage:?} owes");
                self.give_up(state, Failure::InternalError, now)
            }
        }
    }

    /// Where a request goes that has not been sent yet: on by the decision
    /// that stands, else by the store's, else after the first healthy probe.
    fn route(&mut self, mut state: RequestState, now: Timestamp) -> Step {
        let settings = &self.known.settings;
        let stands = self.known.has_decision(now);
        // A round has just failed: list order, until the next one may start.
        let backing_off = !stands && self.rounds.is_backing_off(now);
        if settings.ranking_enabled() && !backing_off {
            // With the store alone (`FETCH_CACHE_ADAPTER=kv`) each request asks
            // it; what is in memory is then only the answer for when it fails.
            let asks = !stands || !settings.cache_memory;
            let unread = settings.cache_store.is_some() && !state.store_read;
            let probing = self.rounds.is_running(now);
            if asks && unread && !probing {
                return self.step(state, Action::ReadStore, now);
            }
            if !stands && !state.waited && !self.rounds.has_healthy(now) {
                if probing || !hedging::may_race(&state, settings) {
                    return self.step(state, Action::AwaitRound, now);
                }
                state.racing = true;
            }
        }
        match self.attempt(state, now) {
            Some(step) => step,
            None => self.give_up(state, Failure::DeadlineExceeded, now),
        }
    }

    /// The attempt at the best target that was not tried, within the deadline.
    fn attempt(&mut self, mut state: RequestState, now: Timestamp) -> Option<Step> {
        if !limits::has_time(&state, &self.known.settings, now) {
            return None;
        }
        let first = state.tried.is_empty();
        if first
            && !state.racing
            && self.known.settings.ranking_enabled()
            && self.budget.has_one()
            && let Some(target) = self.known.trial_target(&state, now)
        {
            // Its fallback, whatever other requests spend meanwhile.
            self.budget.take();
            state.trial = true;
            return Some(self.send(state, target, now));
        }
        let target = match self.known.first_choice(state.retryable, now) {
            Some(choice) if first => choice,
            _ => self.next_untried(&state, now)?,
        };
        Some(self.send(state, target, now))
    }

    fn next_untried(&self, state: &RequestState, now: Timestamp) -> Option<usize> {
        let candidates = self.known.candidates(state.retryable, now);
        candidates
            .into_iter()
            .find(|index| !state.tried.contains(*index))
    }

    /// Whether another attempt may start beside those that run: a lower tier is
    /// for when they have failed.
    fn may_run_beside(&self, state: &RequestState, now: Timestamp) -> bool {
        let targets = &self.known.targets;
        self.next_untried(state, now).is_some_and(|next| {
            targets.iter().enumerate().any(|(index, running)| {
                state.running.contains(index)
                    && running.preference.tier >= targets[next].preference.tier
            })
        })
    }

    fn send(&mut self, mut state: RequestState, target: usize, now: Timestamp) -> Step {
        let may_hedge = hedging::delay(&state, &self.known.settings).is_some();
        let again = state.tried.contains(target);
        self.known
            .count(|counts| counts.sent(target, state.attempts(), state.running.count()));
        state.sent_to(target, may_hedge, now);
        if state.attempts() == 1 {
            state.may_rescue &= state.trial || self.known.targets[target].may_be_rescued();
        }
        let report = may_hedge || self.wants_report(&state, target, now);
        if !report {
            self.known.targets[target].request_unreported();
            self.known.watch(|watch| watch.answered(target, None));
        }
        // What is not reported when it is answered must not count as unanswered.
        if self.known.settings.ranking_enabled() && report && !again {
            self.known.targets[target].request_sent(now);
        }
        let attempt = Attempt {
            target,
            connect_timeout: self.known.settings.connect_timeout,
            report,
        };
        self.step(state, Action::Send(attempt), now)
    }

    /// Whether a good answer to the attempt that begins must be reported: on
    /// hosts where that is expensive, one now and then is enough to see a drift or
    /// a target that hangs, and each while the target has failures to live down.
    fn wants_report(&mut self, state: &RequestState, target: usize, now: Timestamp) -> bool {
        // Who answers last is to be known, where another has answered before.
        let all = !self.known.settings.sampled_reports || self.known.counts.is_some();
        if all || state.has_response {
            return true;
        }
        if !self.known.settings.ranking_enabled() {
            return false;
        }
        let in_trouble = state.attempts() > 1
            || state.trial
            || self.known.trial.is_some()
            || self.known.targets[target].has_failures();
        if !in_trouble && now < self.next_report_at {
            return false;
        }
        self.next_report_at = now + REPORT_EVERY;
        true
    }

    /// The next attempt after one that did not do, where one is allowed.
    fn retry(&mut self, state: RequestState, retry: Retry, now: Timestamp) -> Option<Step> {
        let most = self.known.settings.max_attempts;
        match retry {
            Retry::No => None,
            Retry::Free => self.another(state, most, false, now),
            Retry::Budgeted => {
                let paid = state.trial && state.attempts() == 1;
                self.another(state, most, !paid, now)
            }
        }
    }

    /// One more attempt, after the others or beside them: at most `most` in all,
    /// while a target is untried, time is left, and the budget has a retry.
    fn another(
        &mut self,
        state: RequestState,
        most: u32,
        budgeted: bool,
        now: Timestamp,
    ) -> Option<Step> {
        let attempts = state.attempts();
        let untried = attempts < self.known.settings.targets.len() as u32;
        if !untried || attempts >= most || !limits::has_time(&state, &self.known.settings, now) {
            return None;
        }
        if budgeted && !self.budget.take() {
            return None;
        }
        self.attempt(state, now)
    }

    /// No attempt is left: the last real response, else the failure in words.
    fn give_up(&mut self, state: RequestState, failure: Failure, now: Timestamp) -> Step {
        self.known.answered_badly(&state, now);
        let action = if state.has_response {
            Action::Relay
        } else {
            Action::Reply(LocalReply::failed(failure))
        };
        self.step(state, action, now)
    }

    /// Attempts that run were waited for so long: which of them is over, whether
    /// another one starts beside them, and until when the host waits on.
    fn timer(&mut self, mut state: RequestState, waited: &[Waited], now: Timestamp) -> Step {
        let mut wake_after = Millis::INFINITY;
        // A host in JavaScript hands the state back, and may hand back any.
        let known = self.known.targets.len();
        let running = waited
            .iter()
            .filter(|one| one.target < known && state.running.contains(one.target));
        for one in running {
            let target = one.target;
            let due = self.due(&state, one, now);
            if due.given_up <= TIMER_SLACK {
                let failure = due.failure;
                return self.step(state, Action::Cancel { target, failure }, now);
            }
            wake_after = wake_after.min(due.given_up);
            if due.overdue > TIMER_SLACK {
                wake_after = wake_after.min(due.overdue);
            } else {
                state.overdue = true;
            }
            if due.rescued > TIMER_SLACK {
                wake_after = wake_after.min(due.rescued);
            } else {
                state.may_rescue = false;
                if self.known.has_fit_beside(state.tried)
                    && let Some(mut step) = self.retry(state, Retry::Budgeted, now)
                {
                    if let Action::Send(attempt) = step.action {
                        step.state.rescuer = Some(attempt.target);
                    }
                    return step;
                }
            }
            if state.overdue && self.is_lost(&state, target) {
                let failure = Failure::TargetLost;
                return self.step(state, Action::Cancel { target, failure }, now);
            }
        }
        if let Some(due_in) = hedging::due_in(&state, &self.known.settings, now) {
            if due_in <= TIMER_SLACK {
                // A race takes the place of the probes; a hedge costs the targets
                // as much as a retry.
                let most = hedging::most_attempts(&state, &self.known.settings);
                if self.may_run_beside(&state, now)
                    && let Some(step) = self.another(state, most, !state.racing, now)
                {
                    return step;
                }
                state.may_hedge = false;
            } else {
                wake_after = wake_after.min(due_in);
            }
        }
        let mut step = self.step(state, Action::Wait, now);
        step.wake_after = wake_after;
        step
    }

    /// In how long something is due for an attempt that waits.
    fn due(&self, state: &RequestState, waited: &Waited, now: Timestamp) -> Due {
        let (given_up, failure) = limits::time_left(state, &self.known.settings, waited.time, now);
        let health = &self.known.targets[waited.target];
        let ranks = self.known.settings.ranking_enabled();
        let after = |time: Millis, is_on: bool| match is_on {
            true => time - waited.time,
            false => Millis::INFINITY,
        };
        Due {
            given_up,
            failure,
            overdue: after(health.overdue_after(), ranks),
            rescued: after(health.rescue_after(), ranks && state.may_rescue),
        }
    }

    /// Attempts that were overdue when another was sent beside them, and had not
    /// answered when it did: that is evidence, unless the endpoint is slow there, too.
    fn blame_overdue(&mut self, state: &RequestState, ttfb: Millis, now: Timestamp) {
        if state.rescuer != Some(state.responder) {
            return;
        }
        for target in 0..self.known.targets.len() {
            if state.running.contains(target)
                && ttfb * 1.5 <= self.known.targets[target].rescue_after()
            {
                self.known.blame_overdue(target, now);
            }
        }
    }

    /// One of several attempts has ended: the timer for the others starts anew.
    fn wait(&mut self, state: RequestState, now: Timestamp) -> Step {
        self.step(state, Action::Wait, now)
    }

    /// Whether an attempt that still waits should be given up, since a probe has
    /// found its target dead meanwhile and another may have the request.
    fn is_lost(&self, state: &RequestState, target: usize) -> bool {
        // A half-open target lives, and its trials are to show how.
        let health = &self.known.targets[target];
        let is_dead = health.is_ejected() && !health.is_half_open();
        state.retryable
            && is_dead
            && state.attempts() < self.known.settings.max_attempts
            && self.known.has_fit_beside(TargetSet::default())
    }

    fn step(&mut self, mut state: RequestState, action: Action, now: Timestamp) -> Step {
        state.stage = match action {
            Action::ReadStore => Stage::Store,
            Action::AwaitRound => Stage::Round,
            Action::Send(_) | Action::Cancel { .. } | Action::Wait => Stage::Attempt,
            Action::Relay | Action::Reply(_) => Stage::Over,
        };
        if state.stage == Stage::Over {
            self.known.count(Counts::ended);
        }
        let known = &self.known;
        Step {
            round: self.wants_round(state.stage == Stage::Round || state.racing, now),
            write: known.sync.write_due
                && known.settings.cache_store.is_some()
                && known.decision.is_some(),
            wake_after: self.wake_after(&state, &action, now),
            wake_on_round: state.overdue,
            state,
            action,
        }
    }

    fn wake_after(&self, state: &RequestState, action: &Action, now: Timestamp) -> Millis {
        let settings = &self.known.settings;
        match action {
            Action::ReadStore => STORE_TIMEOUT,
            Action::AwaitRound => round::longest(settings.targets.len(), settings),
            Action::Send(attempt) if state.running.count() == 1 => {
                let sent = Waited {
                    target: attempt.target,
                    time: Millis::ZERO,
                };
                let due = self.due(state, &sent, now);
                let hedge = hedging::delay(state, settings).unwrap_or(Millis::INFINITY);
                due.given_up.min(due.overdue).min(due.rescued).min(hedge)
            }
            // The host says how long each has waited.
            Action::Send(_) | Action::Wait => Millis::ZERO,
            Action::Cancel { .. } | Action::Relay | Action::Reply(_) => Millis::INFINITY,
        }
    }

    /// The `Proxy-Status` of a response that is passed through, with
    /// `FETCH_EXPLAIN`.
    #[must_use]
    pub fn explain(&self, state: &RequestState, status: u16) -> Option<String> {
        if !self.known.settings.explain {
            return None;
        }
        let source = match self.known.decision.as_ref().map(|decision| decision.source) {
            Some(DecisionSource::Probes) => "probes",
            Some(DecisionSource::Store) => "store",
            None if self.rounds.is_open() => "first healthy probe",
            None => "list order",
        };
        Some(headers::explain(
            self.known.settings.targets[state.responder].authority(),
            status,
            state.attempts(),
            source,
        ))
    }

    /// Whether a background round should start with the step at hand.
    fn wants_round(&self, waits: bool, now: Timestamp) -> bool {
        let due = waits
            || self.known.refresh_due(now)
            || self.known.sync_due(now)
            || self.known.awaits_probe(now);
        due && self.known.settings.ranking_enabled()
            && !self.rounds.is_backing_off(now)
            && !self.rounds.is_running(now)
    }

    /// Opens the round that a [`crate::Step`] called for. `None` when there is
    /// nothing to do any more: another request was faster.
    pub fn start_round(&mut self, now: Timestamp) -> Option<Round> {
        if self.rounds.is_running(now) {
            return None;
        }
        let known = &mut self.known;
        let cold = !known.has_decision(now);
        let full = cold || known.refresh_due(now);
        let sync = !full && known.sync_due(now);
        let targets = match (cold, full) {
            (true, _) => known.candidates(false, now),
            (_, true) => round::refreshed(known.candidates(false, now), &known.targets),
            _ => (0..known.targets.len())
                .filter(|index| known.targets[*index].awaits_probe(now))
                .collect(),
        };
        if targets.is_empty() && !sync {
            return None;
        }
        known.sync_begins(now);
        self.rounds.open(full, targets.len(), &known.settings, now);
        let read_store = sync || full && !cold && known.settings.cache_store.is_some();
        Some(self.rounds.lay_out(targets, &known.settings, read_store))
    }

    /// What the store held when the round asked it. True when that settles the
    /// round: nothing needs to be probed.
    pub fn round_read_store(&mut self, value: Option<&Stored>, now: Timestamp) -> bool {
        self.known
            .count(|counts| counts.store(StoreOperation::Read, true));
        let settled = if self.rounds.is_full() {
            self.known.adopt_newer(value, now)
        } else {
            self.known.merge_store(value, now)
        };
        if settled {
            self.rounds.close();
        }
        settled
    }

    /// One probe of the round came back. Outcomes of a round that was given up
    /// still count as measurements.
    pub fn probed(&mut self, round: u32, target: usize, outcome: ProbeOutcome, now: Timestamp) {
        if target >= self.known.targets.len() {
            return;
        }
        let healthy = matches!(outcome.result, Ok(200..=499));
        self.known
            .count(|counts| counts.probed(target, healthy.then_some(outcome.took)));
        self.known.watch(|watch| watch.probed(target, outcome, now));
        if outcome.cached {
            self.known.report_cached(target);
        }
        let recent = self.known.settings.cache_ttl;
        match outcome.result {
            Ok(_) if healthy => return self.probe_passed(round, target, outcome.took, now),
            // This side has run out of connections: that is not evidence against
            // the target.
            Err(Failure::ConnectionLimitReached) => return self.rounds.starved(),
            Err(failure)
                if failure.is_timeout()
                    && self.known.targets[target].has_lost_probe(outcome.took, recent, now) =>
            {
                return;
            }
            Err(failure) if failure.fault_origin() == FaultOrigin::HostPolicy => {
                self.known.report_denial(target, failure);
            }
            _ => {}
        }
        let reason = Reason::Probe(outcome.result);
        self.known.eject(target, Verdict::outage(reason), now);
    }

    fn probe_passed(&mut self, round: u32, target: usize, took: Millis, now: Timestamp) {
        let fade = self.known.settings.cache_ttl;
        let health = &mut self.known.targets[target];
        let mut running = self.rounds.running(round);
        if let Some(running) = &mut running {
            health.latency = running.sampled(target, took, health.latency);
        }
        let was_out = health.is_ejected() && !health.is_half_open();
        let recovered = health.probe_passed(took, now, fade);
        if let Some(running) = running {
            running.recovered |= recovered;
        }
        // Instances to come need not ask again.
        self.known.sync.write_due |= was_out;
        if recovered {
            self.known.notices.push(Notice::Recovered {
                target: self.known.settings.targets[target].url(),
            });
        }
    }

    /// All probes of the round are in: ranks, decides, and says what changed.
    /// Where a healthy primary could be beaten, a comparison comes back, to be run
    /// and finished likewise.
    pub fn finish_round(&mut self, round: u32, now: Timestamp) -> Option<Round> {
        let running = self.rounds.take(round)?;
        if !self.rounds.ended(&running, now) {
            if running.full {
                self.known.notices.push(Notice::NoHealthyTarget);
            }
            return None;
        }
        let again = self.known.conclude(&running, now)?;
        self.rounds.compare_again(running);
        Some(self.rounds.lay_out(again, &self.known.settings, false))
    }

    /// Whether a request that waits for the round may go on.
    #[must_use]
    pub fn round_is_ready(&self, now: Timestamp) -> bool {
        self.rounds.is_ready(now)
    }

    /// The store write that a step called for.
    pub fn take_write(&mut self, now: Timestamp) -> Option<StoreWrite> {
        self.known.take_write(now)
    }

    /// The store's last write went well, or not.
    pub fn store_written(&mut self, well: bool) {
        self.known.sync.written();
        if well {
            self.store_worked(StoreOperation::Write);
        } else {
            self.store_failed(StoreOperation::Write);
        }
    }

    /// Whether there are counts that were not told yet (`FETCH_STATS_SECONDS`).
    #[must_use]
    pub fn has_stats(&self) -> bool {
        self.known
            .counts
            .as_ref()
            .is_some_and(|counts| counts.is_fresh())
    }

    /// What came since this was last taken, if it is time to tell it; with `all`, since
    /// the instance goes, whatever there is.
    pub fn take_stats(&mut self, all: bool, now: Timestamp) -> Option<Stats> {
        let stands = self.known.has_decision(now);
        let known = &mut self.known;
        let counts = known.counts.as_mut()?;
        if !(counts.is_due(now) || all && counts.is_fresh()) {
            return None;
        }
        let mut stats = counts.take(now);
        for (target, health) in stats.targets.iter_mut().zip(&known.targets) {
            target.healthy = !health.is_ejected();
        }
        if let Some(decision) = known.decision.as_ref().filter(|_| stands) {
            stats.primary = Some(known.settings.targets[decision.primary].url());
            stats.measured_at = Some(decision.measured_at.rounded());
        }
        Some(stats)
    }

    /// Whether the store is to be read before [`Engine::status`] is asked: this
    /// instance has no decision of its own.
    #[must_use]
    pub fn status_wants_store(&self, now: Timestamp) -> bool {
        let settings = &self.known.settings;
        let asks = !self.known.has_decision(now) || !settings.cache_memory;
        asks && settings.cache_store.is_some()
            && settings.ranking_enabled()
            && !self.rounds.is_running(now)
    }

    /// What the store held when it was read for the status: [`Event::StoreRead`], or
    /// [`Event::StoreFailed`].
    pub fn status_store(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::StoreRead(value) => {
                self.store_worked(StoreOperation::Read);
                self.known.adopt(value.as_ref(), now);
            }
            Event::StoreFailed => self.store_failed(StoreOperation::Read),
            _ => debug_assert!(false, "{event:?} says nothing of the store"),
        }
    }

    /// What this instance knows.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        self.known.status(&self.rounds, now)
    }

    fn store_worked(&mut self, operation: StoreOperation) {
        self.known.count(|counts| counts.store(operation, true));
        self.known.sync.worked(operation);
    }

    fn store_failed(&mut self, operation: StoreOperation) {
        self.known.count(|counts| counts.store(operation, false));
        self.known.report_problems();
        let notice = self.known.sync.failed(operation);
        self.known.notices.extend(notice);
    }
}
