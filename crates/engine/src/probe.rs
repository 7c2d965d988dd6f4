//! Rounds of probes: which targets are measured, and what the answers do.
//!
//! At most one round runs in an instance. A *full* round measures the targets
//! and makes the decision; a *recovery* round asks those that only a probe can
//! bring back: their ejection has run out, or their answers are overdue; it may
//! also do no more than read what other instances have found (`sync.rs`).
//! Where
//! a healthy primary could be beaten, the round *looks again*: at the primary
//! and its challengers, on connections that stand by now, up to three times as
//! long as a challenger seems to win. The medians of these looks decide; one
//! lost packet does not.

use crate::engine::Engine;
use crate::failure::{Failure, Source};
use crate::latency::Latency;
use crate::notice::Notice;
use crate::rank;
use crate::record::Stored;

/// How long nothing is probed after a round that found nothing healthy, at
/// first; it doubles with each such round, up to [`MAX_HOLD_OFF_MS`]. Likewise
/// after one that this side had too few connections for.
const HOLD_OFF_MS: f64 = 1_000.0;
const MAX_HOLD_OFF_MS: f64 = 10_000.0;

/// How much longer than its probes a round may take before it is taken for
/// dead (a host may end background work) and another one may start.
const ROUND_SLACK_MS: f64 = 2_000.0;

/// A refresh measures so many targets at the most: the primary, the next by
/// rank, and those measured longest ago. With more targets, all of them every
/// time would be more probes than half a percent of a small site's requests.
const REFRESH_PROBES: usize = 6;

/// Of these, so many are chosen by rank.
const REFRESH_BY_RANK: usize = 3;

/// How many challengers are looked at again at first.
const CHALLENGERS: usize = 3;

/// How many more looks a healthy primary gets before it is left.
const LOOKS: usize = 3;

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
    /// Whether an ejected target is back, so that there is something to rank.
    recovered: bool,
    /// When it is taken for dead.
    expires: f64,
    any_healthy: bool,
    /// Whether this side had no connection for some probe.
    starved: bool,
    /// What was known of each target before its first probe: a second one
    /// replaces the first, so that a handshake is not averaged in.
    before: Vec<(usize, Option<Latency>)>,
    /// How many looks there were before the one that runs.
    looks: usize,
    /// The healthy answers of the first look, ms.
    first: Vec<(usize, f64)>,
    /// Those of the later looks.
    later: Vec<(usize, f64)>,
}

impl Running {
    /// The median of a target's answers in the later looks, when it has given
    /// one in each.
    fn shown_ms(&self, target: usize) -> Option<f64> {
        let mut answers: Vec<f64> = self
            .later
            .iter()
            .filter(|(index, _)| *index == target)
            .map(|(_, ms)| *ms)
            .collect();
        if answers.len() < self.looks {
            return None;
        }
        answers.sort_by(f64::total_cmp);
        let middle = answers.len() / 2;
        if answers.len().is_multiple_of(2) {
            Some((answers[middle - 1] + answers[middle]) / 2.0)
        } else {
            Some(answers[middle])
        }
    }
}

/// What a look says of the primary.
enum Verdict {
    Keep,
    LookAgain(Vec<usize>),
    Switch(usize),
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
        let sync = !full && self.sync_due(now);
        let targets = match (cold, full) {
            (true, _) => self.candidates(now),
            (_, true) => self.refresh_targets(now),
            _ => (0..self.health.len())
                .filter(|index| self.health[*index].awaits_probe(now))
                .collect(),
        };
        if targets.is_empty() && !sync {
            return None;
        }
        self.sync_begins(now);
        self.last_round = self.last_round.wrapping_add(1);
        self.round = Some(Running {
            id: self.last_round,
            full,
            // The store may be asked first, and more looks may follow.
            expires: now + (1 + LOOKS) as f64 * self.round_ms(targets.len()) + ROUND_SLACK_MS,
            any_healthy: false,
            starved: false,
            recovered: false,
            before: Vec::new(),
            looks: 0,
            first: Vec::new(),
            later: Vec::new(),
        });
        let read_store = sync || full && !cold && self.settings.cache_store.is_some();
        Some(self.lay_out(targets, read_store))
    }

    fn lay_out(&self, targets: Vec<usize>, read_store: bool) -> Round {
        Round {
            id: self.last_round,
            targets,
            concurrency: self.settings.max_probes as usize,
            timeout_ms: self.settings.health_timeout_ms,
            read_store,
        }
    }

    fn refresh_targets(&self, now: f64) -> Vec<usize> {
        let mut targets = self.candidates(now);
        if targets.len() > REFRESH_PROBES {
            let measured = |index: &usize| self.health[*index].latency.map_or(0.0, |l| l.at);
            targets[REFRESH_BY_RANK..]
                .sort_by(|one, other| measured(one).total_cmp(&measured(other)));
            targets.truncate(REFRESH_PROBES);
        }
        targets
    }

    /// What the store held when the round asked it. True when that settles the
    /// round: nothing needs to be probed.
    pub fn round_read_store(&mut self, value: Option<&Stored>, now: f64) -> bool {
        let settled = match &self.round {
            Some(running) if !running.full => self.sync_with(value, now),
            _ => self.adopt_newer(value, now),
        };
        if settled {
            self.round = None;
        }
        settled
    }

    /// One probe of the round came back. Outcomes of a round that was given up
    /// still count as measurements.
    pub fn probed(&mut self, round: u32, target: usize, outcome: ProbeOutcome, now: f64) {
        if target >= self.health.len() {
            return;
        }
        match outcome.result {
            Ok(200..=499) => self.probe_passed(round, target, outcome.elapsed_ms, now),
            Ok(status) => self.eject(target, format!("probe status {status}"), 0.0, now),
            // This side has run out of connections: that says nothing of the target.
            Err(Failure::ConnectionLimitReached) => {
                if let Some(running) = &mut self.round {
                    running.starved = true;
                }
            }
            Err(failure) => {
                if failure.source() == Source::HostPolicy {
                    self.tell_denial(target, failure);
                }
                self.eject(target, format!("probe {}", failure.proxy_error()), 0.0, now);
            }
        }
    }

    fn probe_passed(&mut self, round: u32, target: usize, elapsed_ms: f64, now: f64) {
        let fade_ms = self.settings.cache_ttl_ms;
        let health = &mut self.health[target];
        if let Some(running) = self.round.as_mut().filter(|running| running.id == round) {
            running.any_healthy = true;
            running.recovered |= health.is_ejected();
            if running.looks == 0 {
                running.first.push((target, elapsed_ms));
                running.before.push((target, health.latency));
            } else {
                running.later.push((target, elapsed_ms));
                let first = running.before.iter().find(|(known, _)| *known == target);
                if let (1, Some((_, before))) = (running.looks, first) {
                    health.latency = *before;
                }
            }
        }
        if health.probe_passed(elapsed_ms, now, fade_ms) {
            self.write_due = true;
            self.notices.push(Notice::Recovered {
                target: self.settings.targets[target].url(),
            });
        }
    }

    /// All probes of the round are in: ranks, decides, and says what changed.
    /// Where a healthy primary could be beaten, the second look comes back, to
    /// be run and finished likewise.
    pub fn finish_round(&mut self, round: u32, now: f64) -> Option<Round> {
        let running = self.round.take_if(|running| running.id == round)?;
        if running.starved {
            // Probes would only take more of what there is too little of.
            self.hold_off_until = now + HOLD_OFF_MS;
        }
        if !running.any_healthy {
            if running.full {
                self.notices.push(Notice::NoHealthyTarget);
                self.hold_off_ms = (self.hold_off_ms * 2.0).clamp(HOLD_OFF_MS, MAX_HOLD_OFF_MS);
                self.hold_off_until = now + self.hold_off_ms;
            }
            return None;
        }
        self.hold_off_ms = 0.0;
        let best = rank::best(&self.health, now);
        let current = self
            .decision
            .as_ref()
            .map(|decision| decision.primary)
            .filter(|primary| !self.health[*primary].is_ejected());
        let primary = match current {
            None => best,
            // A suspicion was wrong: nothing has changed.
            Some(current) if !running.full && !running.recovered => current,
            Some(current) => match self.compare(&running, current) {
                Verdict::Keep => current,
                Verdict::LookAgain(targets) => return Some(self.look_again(running, targets)),
                Verdict::Switch(challenger) => {
                    // What they have shown is what they are now, whatever was
                    // known of them before.
                    for target in [current, challenger] {
                        let shown = running.shown_ms(target);
                        self.health[target].latency =
                            shown.map(|ms| Latency::told(ms, LOOKS as u32, now));
                    }
                    challenger
                }
            },
        };
        if running.full {
            self.decide(primary, now);
        } else {
            self.switch_to(primary, "recovered", now);
        }
        None
    }

    /// What a look says of a healthy primary. Like with like: a challenger must
    /// beat what the primary has shown in the same looks, past the margin; while
    /// there are looks left, half of it makes it worth another.
    fn compare(&self, running: &Running, primary: usize) -> Verdict {
        let own_ms = if running.looks == 0 {
            let probed = running.first.iter().find(|(target, _)| *target == primary);
            let known = self.health[primary].latency;
            probed
                .map(|(_, ms)| *ms)
                .or_else(|| known.map(|known| known.ms()))
        } else {
            running.shown_ms(primary)
        };
        let Some(own_ms) = own_ms else {
            return Verdict::Keep;
        };
        let lead = rank::lead(own_ms, self.settings.switch_margin);
        // Who lost its place by failing need only be as good to have it back.
        let absent = self
            .decision
            .as_ref()
            .and_then(|decision| decision.stands_in_for);
        let must_beat_ms = |challenger: usize| {
            if Some(challenger) == absent {
                own_ms + lead
            } else if running.looks < LOOKS {
                own_ms - lead / 2.0
            } else {
                own_ms - lead
            }
        };
        if running.looks == 0 {
            // To share the traffic it is enough to be as good.
            let worth_a_look = |challenger| {
                if self.settings.spread {
                    own_ms + lead
                } else {
                    must_beat_ms(challenger)
                }
            };
            let mut targets = rank::challengers(&running.first, primary, worth_a_look, CHALLENGERS);
            if targets.is_empty() {
                return Verdict::Keep;
            }
            targets.insert(0, primary);
            return Verdict::LookAgain(targets);
        }
        let mut winner = None;
        let mut least_ms = f64::INFINITY;
        for challenger in (0..self.health.len()).filter(|target| *target != primary) {
            if let Some(ms) = running.shown_ms(challenger)
                && ms < must_beat_ms(challenger)
                && ms < least_ms
            {
                winner = Some(challenger);
                least_ms = ms;
            }
        }
        match winner {
            None => Verdict::Keep,
            Some(challenger) if running.looks == LOOKS => Verdict::Switch(challenger),
            Some(challenger) => Verdict::LookAgain(vec![primary, challenger]),
        }
    }

    fn look_again(&mut self, running: Running, targets: Vec<usize>) -> Round {
        self.round = Some(Running {
            looks: running.looks + 1,
            ..running
        });
        self.lay_out(targets, false)
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
        let due = waits
            || self.refresh_due(now)
            || self.sync_due(now)
            || self.health.iter().any(|health| health.awaits_probe(now));
        due && self.decides() && now >= self.hold_off_until && !self.round_runs(now)
    }

    /// How long a round of so many probes takes at the most, ms.
    pub(crate) fn round_ms(&self, probes: usize) -> f64 {
        let turns = probes.div_ceil(self.settings.max_probes as usize);
        f64::from(self.settings.health_timeout_ms) * turns as f64
    }
}
