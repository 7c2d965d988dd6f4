//! Rounds of probes: which targets are measured, and what the answers do.
//!
//! At most one round runs in an instance. A full round measures every target
//! and makes the decision; a recovery round asks only those whose ejection has
//! run out.

use crate::engine::Engine;
use crate::failure::{Failure, Source};
use crate::notice::Notice;
use crate::rank;

/// How long nothing is probed after a round that found nothing healthy, at
/// first; it doubles with each such round, up to [`MAX_HOLD_OFF_MS`].
const HOLD_OFF_MS: f64 = 1_000.0;
const MAX_HOLD_OFF_MS: f64 = 10_000.0;

/// How much longer than its probes a round may take before it is taken for
/// dead (a host may end background work) and another one may start.
const ROUND_SLACK_MS: f64 = 2_000.0;

/// A round for the host to run: probe each target, at most `concurrency` at a
/// time, report each outcome as it comes, then finish.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// To be given back with each outcome.
    pub id: u32,
    /// The targets' indices, in the order to start them.
    pub targets: Vec<usize>,
    /// The most probes in flight at once.
    pub concurrency: usize,
    /// For each probe, until the response head.
    pub timeout_ms: u32,
    /// Whether to ask the store first: another instance may have measured.
    pub read_store: bool,
}

/// What a probe brought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeOutcome {
    /// The status, or why there was none.
    pub result: Result<u16, Failure>,
    /// From the start of the probe to the response head, ms.
    pub elapsed_ms: f64,
}

/// The round that runs now.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    id: u32,
    full: bool,
    /// When it is taken for dead.
    expires: f64,
    any_healthy: bool,
}

impl Engine {
    /// Opens the round that a [`crate::Step`] called for. `None` when there is
    /// nothing to do any more: another request was faster.
    pub fn start_round(&mut self, now: f64) -> Option<Round> {
        if self.round_runs(now) {
            return None;
        }
        let cold = !self.has_decision(now);
        let full = cold || self.refresh_due(now);
        let targets: Vec<usize> = if full {
            self.candidates()
        } else {
            self.awaiting_probe(now)
        };
        if targets.is_empty() {
            return None;
        }
        let concurrency = self.settings.max_probes as usize;
        self.last_round = self.last_round.wrapping_add(1);
        self.round = Some(Running {
            id: self.last_round,
            full,
            expires: now + self.round_ms(targets.len()) + ROUND_SLACK_MS,
            any_healthy: false,
        });
        Some(Round {
            id: self.last_round,
            targets,
            concurrency,
            timeout_ms: self.settings.health_timeout_ms,
            read_store: full && !cold && self.settings.cache_store.is_some(),
        })
    }

    /// What the store held when the round asked it. True when that settles the
    /// round: nothing needs to be probed.
    pub fn round_read_store(&mut self, value: Option<&[u8]>, now: f64) -> bool {
        let settled = self.adopt_newer(value, now);
        if settled {
            self.round = None;
        }
        settled
    }

    /// One probe of the round came back. Outcomes of a round that was given up
    /// still count as measurements.
    pub fn probed(&mut self, round: u32, target: usize, outcome: ProbeOutcome, now: f64) {
        let Some(health) = self.health.get_mut(target) else {
            return;
        };
        match outcome.result {
            Ok(200..=499) => {
                if health.probe_passed(outcome.elapsed_ms) {
                    self.notices.push(Notice::Recovered {
                        target: self.settings.targets[target].to_string(),
                    });
                }
                if let Some(running) = self.round.as_mut().filter(|running| running.id == round) {
                    running.any_healthy = true;
                }
            }
            Ok(status) => self.eject(target, format!("probe status {status}"), 0.0, now),
            Err(failure) => {
                if failure.source() == Source::HostPolicy {
                    self.tell_denial(target, failure);
                }
                self.eject(target, format!("probe {}", failure.proxy_error()), 0.0, now);
            }
        }
    }

    /// All probes of the round are in: ranks, decides, and says what changed.
    pub fn finish_round(&mut self, round: u32, now: f64) {
        let Some(running) = self.round.take_if(|running| running.id == round) else {
            return;
        };
        if !running.any_healthy {
            if running.full {
                self.notices.push(Notice::NoHealthyTarget);
                self.hold_off_ms = (self.hold_off_ms * 2.0).clamp(HOLD_OFF_MS, MAX_HOLD_OFF_MS);
                self.hold_off_until = now + self.hold_off_ms;
            }
            return;
        }
        self.hold_off_ms = 0.0;
        let current = self.decision.as_ref().map(|decision| decision.primary);
        let primary = rank::primary(&self.health, current, self.settings.switch_margin);
        if running.full {
            self.decide(primary, now);
        } else {
            self.switch_to(primary, "recovered");
        }
    }

    /// Whether a request that waits for the round may go on.
    #[must_use]
    pub fn round_is_ready(&self, now: f64) -> bool {
        !self.round_runs(now) || self.round.as_ref().is_some_and(|round| round.any_healthy)
    }

    pub(crate) fn round_runs(&self, now: f64) -> bool {
        self.round.as_ref().is_some_and(|round| now < round.expires)
    }

    /// Whether a background round should start with the step at hand.
    pub(crate) fn wants_round(&self, waits: bool, now: f64) -> bool {
        let due = waits || self.refresh_due(now) || !self.awaiting_probe(now).is_empty();
        due && self.decides() && now >= self.hold_off_until && !self.round_runs(now)
    }

    /// How long a round of so many probes takes at the most, ms.
    pub(crate) fn round_ms(&self, probes: usize) -> f64 {
        let turns = probes.div_ceil(self.settings.max_probes as usize);
        f64::from(self.settings.health_timeout_ms) * turns as f64
    }

    fn awaiting_probe(&self, now: f64) -> Vec<usize> {
        (0..self.health.len())
            .filter(|index| self.health[*index].awaits_probe(now))
            .collect()
    }
}
