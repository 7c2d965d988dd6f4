//! The engine's state: one value for each configuration, kept by the host
//! between requests (the L1 of the user's document).

use crate::budget::RetryBudget;
use crate::decision::{Decision, DecisionSource, FAILOVER};
use crate::exchange::Exchange;
use crate::failure::{Failure, Sent, Source};
use crate::headers;
use crate::health::{Health, MAX_EJECTION_MS};
use crate::notice::Notice;
use crate::probe::Running;
use crate::record::{self, Stored};
use crate::settings::Settings;

/// Decides. See the crate's documentation for how a host drives it.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) dice: Dice,
    /// In the order of `settings.targets`.
    pub(crate) health: Vec<Health>,
    pub(crate) decision: Option<Decision>,
    pub(crate) round: Option<Running>,
    pub(crate) last_round: u32,
    pub(crate) hold_off_until: f64,
    pub(crate) hold_off_ms: f64,
    pub(crate) budget: RetryBudget,
    pub(crate) write_due: bool,
    /// Where not every good answer is reported: when the next one is.
    pub(crate) next_report_at: f64,
    /// When the store is to be asked next what other instances have found.
    pub(crate) next_sync_at: f64,
    /// What the store holds as far as this instance knows: what it wrote or read
    /// last.
    pub(crate) known_value: Option<Stored>,
    /// While a write is under way the store may still show what was before.
    pub(crate) writing_until: f64,
    store_failures_told: [bool; 2],
    /// Whether the settings' problems wait for the store to say if the operator
    /// has heard of them.
    problems_untold: bool,
    pub(crate) notices: Vec<Notice>,
}

impl Engine {
    /// An engine that knows nothing yet. `seed` is the instance's own, so that
    /// instances do not act in step.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let mut engine = Self {
            dice: Dice(seed),
            health: vec![Health::default(); settings.targets.len()],
            decision: None,
            round: None,
            last_round: 0,
            hold_off_until: 0.0,
            hold_off_ms: 0.0,
            budget: RetryBudget::default(),
            write_due: false,
            next_report_at: 0.0,
            next_sync_at: 0.0,
            known_value: None,
            writing_until: 0.0,
            store_failures_told: [false; 2],
            problems_untold: true,
            notices: Vec::new(),
            settings,
        };
        if engine.settings.cache_store.is_none() || !engine.decides() {
            // Nobody asks the store.
            engine.tell_problems();
        }
        engine
    }

    /// Says what is wrong with the settings, unless it was said.
    pub(crate) fn tell_problems(&mut self) {
        if std::mem::take(&mut self.problems_untold) {
            let problems = self.settings.problems.iter();
            self.notices.extend(problems.map(Notice::from));
        }
    }

    /// An instance before this one may have said what is wrong with the
    /// settings: then it is in its record.
    pub(crate) fn tell_problems_unless(&mut self, told: Option<&str>) {
        if self.problems_untold
            && told.is_some()
            && told == record::problems_hash(&self.settings).as_deref()
        {
            self.problems_untold = false;
        }
        if self.problems_untold && !self.settings.problems.is_empty() {
            // For those to come.
            self.write_due = true;
        }
        self.tell_problems();
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether [`Engine::take_notices`] has something.
    #[must_use]
    pub fn has_notices(&self) -> bool {
        !self.notices.is_empty()
    }

    /// What changed since this was last called.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// The `Proxy-Status` of a response that is passed through, with
    /// `FETCH_EXPLAIN`.
    #[must_use]
    pub fn explain(&self, exchange: &Exchange, status: u16) -> Option<String> {
        if !self.settings.explain {
            return None;
        }
        let source = match self.decision.as_ref().map(|decision| decision.source) {
            Some(DecisionSource::Probes) => "probes",
            Some(DecisionSource::Store) => "store",
            None if self.round.is_some() => "first healthy probe",
            None => "list order",
        };
        Some(headers::explain(
            self.settings.targets[exchange.target].authority(),
            status,
            exchange.attempts(),
            source,
        ))
    }

    /// The store's last write went well, or not.
    pub fn store_written(&mut self, well: bool) {
        self.writing_until = 0.0;
        if well {
            self.store_worked("write");
        } else {
            self.store_failed("write");
        }
    }

    pub(crate) fn store_worked(&mut self, operation: &'static str) {
        self.store_failures_told[usize::from(operation == "write")] = false;
    }

    /// Said once until it works again: a store that is down is down for every
    /// request.
    pub(crate) fn store_failed(&mut self, operation: &'static str) {
        self.tell_problems();
        let told = &mut self.store_failures_told[usize::from(operation == "write")];
        if !std::mem::replace(told, true) {
            self.notices.push(Notice::StoreFailed { operation });
        }
    }

    /// A target answered a request.
    pub(crate) fn note_status(
        &mut self,
        x: &Exchange,
        status: u16,
        retry_after_ms: Option<f64>,
        head_ms: f64,
        now: f64,
    ) {
        if !self.decides() {
            return;
        }
        let target = x.target;
        self.health[target].request_answered();
        if matches!(status, 502..=504) {
            if self.health[target].failed_softly() {
                let wish = retry_after_ms.unwrap_or(0.0).clamp(0.0, MAX_EJECTION_MS);
                self.eject(target, format!("status {status}"), wish, now);
            }
            return;
        }
        self.health[target].request_passed();
        let chosen = self
            .decision
            .as_ref()
            .is_some_and(|decision| decision.choice == target);
        if chosen && x.times_target() && self.health[target].drift.observe(head_ms) {
            self.drifted(now);
        }
    }

    /// A target did not answer a request.
    pub(crate) fn note_failure(&mut self, x: &Exchange, failure: Failure, now: f64) {
        let target = x.target;
        if failure.source() == Source::HostPolicy {
            self.tell_denial(target, failure);
        }
        if !self.decides() {
            return;
        }
        if !x.blames_target(failure) {
            self.health[target].attempt_dropped(x.since);
            return;
        }
        let sent_nothing = failure.sent() == Sent::Nothing;
        if sent_nothing || failure.is_timeout() || self.health[target].failed_softly() {
            self.eject(target, failure.proxy_error().to_owned(), 0.0, now);
        }
    }

    /// The attempts that lost a race are dropped unanswered, which says nothing
    /// of their targets.
    pub(crate) fn forget_losers(&mut self, x: &Exchange) {
        if x.attempts() == 1 {
            return;
        }
        for (index, health) in self.health.iter_mut().enumerate() {
            if index != x.target && x.was_tried(index) {
                health.attempt_dropped(x.since);
            }
        }
    }

    /// Puts a target aside; when it was the primary, the next best takes over,
    /// and the other instances are told through the store.
    pub(crate) fn eject(&mut self, target: usize, reason: String, at_least_ms: f64, now: f64) {
        let jitter = self.dice.roll();
        let Some(length) = self.health[target].eject(now, jitter, at_least_ms) else {
            return;
        };
        self.write_due = true;
        self.notices.push(Notice::Ejected {
            target: self.settings.targets[target].url(),
            reason,
            for_ms: length as u32,
        });
        let served = self
            .decision
            .as_ref()
            .is_some_and(|decision| decision.primary == target || decision.choice == target);
        let next = match &self.decision {
            Some(decision) if decision.primary != target => decision.primary,
            _ => crate::rank::best(&self.health, now),
        };
        if served && !self.health[next].is_ejected() {
            self.switch_to(next, FAILOVER, now);
        }
    }

    pub(crate) fn tell_denial(&mut self, target: usize, failure: Failure) {
        if std::mem::replace(&mut self.health[target].denial_told, true) {
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

    pub(crate) fn round_has_healthy(&self, now: f64) -> bool {
        self.round_runs(now) && self.round_is_ready(now)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): spreads instances over time, which
/// needs no secrecy and must be reproducible from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// From 0 up to, not including, 1.
    pub(crate) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
