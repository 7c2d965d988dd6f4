//! What live requests come to: who is to blame once a request is over, which
//! requests are trials, and what the trials show.

use crate::health::{Found, LastFailure, Reason, Verdict};
use crate::knowledge::Knowledge;
use crate::notice::{ChangeReason, Notice};
use crate::rank;
use crate::request::{RequestState, TargetSet};
use crate::time::{Millis, Timestamp};
use crate::trial::{Difference, LatencyTrial, Shown};
use std::cmp::Ordering;

/// What a failure weighs that has no pair: a method that may not be retried, or
/// nothing to retry it with.
const UNPAIRED: f64 = 0.5;

/// What it weighs that an answer was overdue, and another target's came first: one
/// slow answer is no failure, and many are.
const OVERDUE: f64 = 0.6;

/// What a time-out weighs: a client has waited all that time.
const TIMEOUT: f64 = 2.5;

/// The share of overdue answers that is told to the store at once: where latency has
/// a heavy tail, they are common, and most mean nothing.
const OVERDUE_TOLD: f64 = 0.25;

/// A drift that has lasted for so many answers is not a few lost packets: live
/// requests are compared.
const LASTING: u32 = 8;

/// After so many refreshes without a request that could be compared, there are none:
/// all have a body, say.
const FRUITLESS: u32 = 3;

/// The share of the good answers after a failure that is told to the store: by
/// chance, since an instance may live for a single one.
const REFUTED: f64 = 0.25;

/// A pair is one only when both targets had the request within this time: what
/// hung half a minute ago may be mended now.
const PAIRED_WITHIN: Millis = Millis(5_000.0);

impl Knowledge {
    /// The target of a trial, if this request is one: it has a fallback in hand.
    pub(crate) fn trial_target(&mut self, state: &RequestState, now: Timestamp) -> Option<usize> {
        let choice = self.decision.as_ref()?.choice;
        if let Some(untried) = self.targets.iter().position(|one| one.is_untried(now)) {
            self.readmit(untried, now);
        }
        if !state.may_run_twice() || self.settings.max_attempts < 2 {
            return None;
        }
        for target in 0..self.targets.len() {
            if self.targets[target].is_half_open()
                && self.may_try(target, choice)
                && self.targets[target].try_now(now)
            {
                return Some(target);
            }
        }
        self.trials.request();
        let challenger = self.trial?.challenger as usize;
        let useful = challenger != choice && !self.targets[challenger].is_ejected();
        let share = self.random.next();
        (useful && self.trials.take(share)).then_some(challenger)
    }

    /// Whether a half-open target is worth a trial, and another one is fit. A lower
    /// tier has nothing to serve, not even trials; nor has a target that is slower by
    /// its probes as well.
    fn may_try(&self, target: usize, choice: usize) -> bool {
        let (tried, chosen) = (&self.targets[target], &self.targets[choice]);
        let worth_it = match tried.preference.tier.cmp(&chosen.preference.tier) {
            Ordering::Less => true,
            Ordering::Equal => rank::may_be_near(tried, chosen, self.settings.switch_margin),
            Ordering::Greater => false,
        };
        worth_it && self.has_fit_beside(TargetSet::default())
    }

    /// A target answered well: what that shows of it, and of those that failed the
    /// request before.
    pub(crate) fn answered_well(&mut self, state: &RequestState, ttfb: Millis, now: Timestamp) {
        let target = state.responder;
        let margin = self.settings.switch_margin;
        match self.targets[target].answered_well(state.trial, ttfb, margin, now) {
            Shown::Nothing => {}
            Shown::Fit => self.readmit(target, now),
            Shown::Unfit => {
                if let Some(limit) = self.targets[target].limit() {
                    self.eject_slow(target, limit, now);
                }
            }
        }
        if self.targets[target].refutes(now) && self.random.next() < REFUTED {
            self.sync.write_due = true;
        }
        if self.targets[target].is_ejected() {
            // Instances to come go on with the trials.
            self.sync.write_due = true;
        }
        if state.sent - state.began <= PAIRED_WITHIN {
            self.blame_failed(state, true, now);
        }
        self.compare(state, ttfb, now);
    }

    /// A request is over, and no target has answered it well.
    pub(crate) fn answered_badly(&mut self, state: &RequestState, now: Timestamp) {
        self.blame_failed(state, false, now);
    }

    /// Who failed a request is to blame when another target answered it well; when
    /// another failed alike, the request is.
    fn blame_failed(&mut self, state: &RequestState, answered_well: bool, now: Timestamp) {
        let failed = state.failed;
        if failed.is_empty() || !self.settings.ranking_enabled() {
            return;
        }
        let shared = !answered_well && failed.count() > 1;
        if answered_well || shared {
            self.pairs.add(shared);
        }
        if shared {
            return;
        }
        let weight = if answered_well {
            1.0
        } else if state.retryable && self.settings.max_attempts > 1 {
            // There was no retry left for it: those that had one show as much.
            return;
        } else {
            UNPAIRED * self.pairs.likelihood()
        };
        for target in 0..self.targets.len() {
            if !failed.contains(target) {
                continue;
            }
            let weight = if self.targets[target].has_timed_out() {
                weight * TIMEOUT
            } else {
                weight
            };
            self.sync.write_due = true;
            self.blame(target, weight, now);
        }
    }

    /// An answer was overdue, and another target's came first.
    pub(crate) fn blame_overdue(&mut self, target: usize, now: Timestamp) {
        self.targets[target].was_overdue();
        self.watch(|watch| watch.answered(target, Some(LastFailure::Overdue)));
        self.sync.write_due |= self.random.next() < OVERDUE_TOLD;
        self.blame(target, OVERDUE, now);
    }

    fn blame(&mut self, target: usize, weight: f64, now: Timestamp) {
        if let Some(verdict) = self.targets[target].blamed(weight, now) {
            self.eject(target, verdict, now);
        }
    }

    /// Trials have shown that a target is fit.
    fn readmit(&mut self, target: usize, now: Timestamp) {
        self.targets[target].readmit(now);
        self.sync.write_due = true;
        self.notices.push(Notice::Recovered {
            target: self.settings.targets[target].url(),
        });
        let Some(decision) = &mut self.decision else {
            return;
        };
        let primary = decision.primary;
        let near = rank::is_near(
            &self.targets[target],
            &self.targets[primary],
            self.settings.switch_margin,
        );
        let returns = decision.stands_in_for == Some(target) && near;
        if returns || rank::outranks(&self.targets, target, primary) {
            self.switch_to(target, ChangeReason::Recovered, now);
        } else if near {
            decision.refresh_at = decision.refresh_at.min(now);
        }
    }

    /// The chosen target has become much slower than it was: a refresh asks its
    /// probes soon, and trials ask its requests.
    pub(crate) fn drifted(&mut self, now: Timestamp) {
        let share = self.random.next();
        let Some(decision) = &mut self.decision else {
            return;
        };
        decision.refresh_soon(share, now);
        let choice = decision.choice;
        self.drifting += 1;
        if self.trial.is_none() && self.drifting >= LASTING {
            self.try_runner_up(choice, now);
        }
    }

    /// Begins a latency trial, if there is a target to try. Says whether one is under
    /// way now.
    fn try_runner_up(&mut self, choice: usize, now: Timestamp) -> bool {
        let rivals = rank::rivals(&self.targets, choice);
        let runner_up = rank::order(&self.targets, now)
            .into_iter()
            .filter(|target| *target != choice && rivals.contains(*target))
            .find(|target| self.targets[*target].latency.is_some());
        self.trial = runner_up
            .filter(|_| self.settings.max_attempts > 1)
            .map(LatencyTrial::new);
        self.sync.write_due |= self.trial.is_some();
        self.trial.is_some()
    }

    /// A refresh has left the primary what it was, though its answers have become much
    /// slower. Probes ask another question, so live requests are to say whether another
    /// target is faster, where some can be tried; else slower is what is normal now.
    pub(crate) fn outlived_drift(&mut self, primary: usize, now: Timestamp) {
        self.fruitless += 1;
        if self.fruitless >= FRUITLESS
            || !(self.trial.is_some() || self.try_runner_up(primary, now))
        {
            self.trial = None;
            self.fruitless = 0;
            self.targets[primary].restart_drift(true);
        } else {
            self.targets[primary].restart_drift(false);
        }
    }

    /// Adds a request to the latency trial that is under way, and ends that once it
    /// has shown something.
    fn compare(&mut self, state: &RequestState, ttfb: Millis, now: Timestamp) {
        let (Some(trial), Some(decision)) = (&mut self.trial, &self.decision) else {
            return;
        };
        let choice = decision.choice;
        // The rule of assignment is the same for both.
        if !state.may_run_twice() || state.attempts() > 1 {
            return;
        }
        if state.responder == choice && !state.trial {
            trial.own(ttfb);
        } else if state.responder == trial.challenger as usize && state.trial {
            trial.other(ttfb);
            self.sync.write_due = true;
        } else {
            return;
        }
        self.fruitless = 0;
        match trial.difference(self.settings.switch_margin) {
            Difference::Open => {}
            Difference::Faster(limit) => {
                self.trial = None;
                self.eject_slow(choice, limit, now);
                let share = self.random.next();
                if let Some(decision) = &mut self.decision {
                    decision.replaced(share, now);
                }
            }
            Difference::None => {
                self.trial = None;
                // Slower is what is normal now.
                self.targets[choice].restart_drift(true);
            }
        }
    }

    fn eject_slow(&mut self, target: usize, limit: f64, now: Timestamp) {
        let verdict = Verdict {
            reason: Reason::Slow,
            found: Found::Slow(limit),
        };
        self.eject(target, verdict, now);
    }
}
