//! Rounds of probes: which targets are measured, and when.
//!
//! At most one round runs in an instance. A *full* round measures the targets
//! and makes the decision; a *recovery* round probes those that only a probe can
//! bring back: their ejection has run out, or their answers are overdue; it may
//! also do no more than read what other instances have found. Where a healthy
//! primary could be beaten, the round goes on with *comparisons* (`rank.rs`).

use crate::failure::Failure;
use crate::health::Health;
use crate::latency::Latency;
use crate::rank::{COMPARISONS, Samples};
use crate::settings::Settings;
use crate::sort::sort;
use crate::time::{Millis, Timestamp};

/// The backoff after a round that found nothing healthy; it doubles with each such
/// round, up to [`LONGEST_BACKOFF`]. Also after a round for which this side had too
/// few connections.
const BACKOFF: Millis = Millis(1_000.0);
const LONGEST_BACKOFF: Millis = Millis(10_000.0);

/// How much longer than its probes a round may take before it counts as abandoned
/// (a host may end background work) and another one may start.
const SLACK: Millis = Millis(2_000.0);

/// The most targets that a refresh measures: the primary, the next by rank, and
/// those measured longest ago. With many targets, all of them every time would be
/// more probes than half a percent of a small site's requests.
const REFRESH_PROBES: usize = 6;

/// How many of these are chosen by rank.
const REFRESH_BY_RANK: usize = 3;

/// A round for the host to run: probe each target, at most `concurrency` at a
/// time, report each outcome as it comes, then finish.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// The host gives it back with each outcome.
    pub id: u32,
    /// The targets' indices, in the order to start them.
    pub targets: Vec<usize>,
    /// The most probes in flight at once.
    pub concurrency: usize,
    /// For each probe, until the response head.
    pub timeout: Millis,
    /// Whether to read the store first: another instance may have measured.
    pub read_store: bool,
}

/// The outcome of a probe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeOutcome {
    /// The status, or why there was none.
    pub result: Result<u16, Failure>,
    /// From the start of the probe to the response head.
    pub took: Millis,
    /// Whether a cache sent the response: [`crate::headers::is_from_cache`].
    pub cached: bool,
}

/// The round that runs, and when the next one may.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds {
    running: Option<Running>,
    last_id: u32,
    back_off_until: Timestamp,
    backoff: Millis,
}

/// The round that runs now.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    id: u32,
    pub(crate) full: bool,
    /// Whether an ejected target is back, so that there is something to rank.
    pub(crate) recovered: bool,
    /// When it counts as abandoned.
    expires: Timestamp,
    pub(crate) any_healthy: bool,
    /// Whether this side had no connection for some probe.
    starved: bool,
    /// What was known of each target before its first probe: a second one
    /// replaces the first, so that a handshake is not averaged in.
    before: Vec<(usize, Option<Latency>)>,
    pub(crate) samples: Samples,
}

impl Rounds {
    pub(crate) fn is_running(&self, now: Timestamp) -> bool {
        self.running.as_ref().is_some_and(|one| now < one.expires)
    }

    /// Whether a request that waits for the round may go on.
    pub(crate) fn is_ready(&self, now: Timestamp) -> bool {
        !self.is_running(now) || self.running.as_ref().is_some_and(|one| one.any_healthy)
    }

    /// Whether the round that runs has found a healthy target.
    pub(crate) fn has_healthy(&self, now: Timestamp) -> bool {
        self.is_running(now) && self.is_ready(now)
    }

    /// Whether nothing is probed for a while.
    pub(crate) fn is_backing_off(&self, now: Timestamp) -> bool {
        now < self.back_off_until
    }

    /// Whether there is a round, even one that counts as abandoned.
    pub(crate) fn is_open(&self) -> bool {
        self.running.is_some()
    }

    /// Whether the round makes a decision; none counts as one that does.
    pub(crate) fn is_full(&self) -> bool {
        self.running.as_ref().is_none_or(|one| one.full)
    }

    /// Opens a round of `probes` probes.
    pub(crate) fn open(&mut self, full: bool, probes: usize, settings: &Settings, now: Timestamp) {
        self.last_id = self.last_id.wrapping_add(1);
        // The store may be read first, and comparisons may follow.
        let longest = longest(probes, settings) * (1 + COMPARISONS) as f64;
        self.running = Some(Running {
            id: self.last_id,
            full,
            expires: now + longest + SLACK,
            any_healthy: false,
            starved: false,
            recovered: false,
            before: Vec::new(),
            samples: Samples::default(),
        });
    }

    pub(crate) fn running(&mut self, id: u32) -> Option<&mut Running> {
        self.running.as_mut().filter(|one| one.id == id)
    }

    /// Ends the round, if it is the one that runs.
    pub(crate) fn take(&mut self, id: u32) -> Option<Running> {
        self.running.take_if(|one| one.id == id)
    }

    /// Ends the round unfinished.
    pub(crate) fn close(&mut self) {
        self.running = None;
    }

    /// The round goes on with another comparison.
    pub(crate) fn compare_again(&mut self, mut running: Running) {
        running.samples.compare_again();
        self.running = Some(running);
    }

    /// This side has run out of connections for probes: more of them would only
    /// take more of what there is too little of.
    pub(crate) fn starved(&mut self) {
        if let Some(running) = &mut self.running {
            running.starved = true;
        }
    }

    /// A round has ended: sets when the next one may start. True when it found
    /// something healthy.
    pub(crate) fn ended(&mut self, running: &Running, now: Timestamp) -> bool {
        if running.starved {
            self.back_off_until = now + BACKOFF;
        }
        if running.any_healthy {
            self.backoff = Millis::ZERO;
        } else if running.full {
            self.backoff = (self.backoff * 2.0).clamp(BACKOFF, LONGEST_BACKOFF);
            self.back_off_until = now + self.backoff;
        }
        running.any_healthy
    }

    /// The open round, for the host.
    pub(crate) fn lay_out(
        &self,
        targets: Vec<usize>,
        settings: &Settings,
        read_store: bool,
    ) -> Round {
        Round {
            id: self.last_id,
            targets,
            concurrency: settings.max_probes as usize,
            timeout: settings.health_timeout,
            read_store,
        }
    }
}

impl Running {
    /// Adds a healthy answer; `known` is the target's latency without it. Returns
    /// the latency to which it is to be added.
    pub(crate) fn sampled(
        &mut self,
        target: usize,
        took: Millis,
        known: Option<Latency>,
    ) -> Option<Latency> {
        self.any_healthy = true;
        self.samples.add(target, took);
        match self.samples.comparison() {
            0 => self.before.push((target, known)),
            1 => {
                let first = self.before.iter().find(|(probed, _)| *probed == target);
                return first.map_or(known, |(_, before)| *before);
            }
            _ => {}
        }
        known
    }
}

/// The longest that a round of `probes` probes takes.
pub(crate) fn longest(probes: usize, settings: &Settings) -> Millis {
    let turns = probes.div_ceil(settings.max_probes as usize);
    settings.health_timeout * turns as f64
}

/// The targets that a refresh measures, of all in their order.
pub(crate) fn refreshed(mut order: Vec<usize>, targets: &[Health]) -> Vec<usize> {
    if order.len() > REFRESH_PROBES {
        let measured = |index: usize| targets[index].latency.map_or(0.0, |known| known.at.0);
        sort(&mut order[REFRESH_BY_RANK..], &|one, other| {
            measured(one).total_cmp(&measured(other))
        });
        order.truncate(REFRESH_PROBES);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Capabilities;

    const NOW: Timestamp = Timestamp(1e12);

    fn settings() -> Settings {
        Settings::read(Capabilities::default(), |name| match name {
            "FETCH_TARGETS" => Some("http://a http://b".to_owned()),
            "FETCH_MAX_PROBES" => Some("3".to_owned()),
            "FETCH_HEALTH_TIMEOUT_MS" => Some("1500".to_owned()),
            _ => None,
        })
    }

    /// A full round that starts and ends now.
    fn full(rounds: &mut Rounds, any_healthy: bool) -> bool {
        rounds.open(true, 2, &settings(), NOW);
        let mut running = rounds.take(rounds.last_id).expect("it runs");
        running.any_healthy = any_healthy;
        rounds.ended(&running, NOW)
    }

    #[test]
    fn a_round_counts_as_abandoned_once_its_probes_must_be_over() {
        // Three turns.
        assert_eq!(longest(7, &settings()), Millis(4_500.0));
        let mut rounds = Rounds::default();
        rounds.open(true, 7, &settings(), NOW);
        // The round and three comparisons, and two seconds more.
        let over = NOW + Millis(20_000.0);
        assert!(rounds.is_running(over - Millis(1.0)));
        assert!(!rounds.is_running(over) && rounds.is_open());
    }

    #[test]
    fn the_backoff_doubles_up_to_ten_seconds_and_starts_anew_after_a_healthy_target() {
        let mut rounds = Rounds::default();
        for seconds in [1, 2, 4, 8, 10, 10] {
            assert!(!full(&mut rounds, false));
            let until = NOW + Millis::from_seconds(seconds);
            assert!(rounds.is_backing_off(until - Millis(1.0)), "{seconds}");
            assert!(!rounds.is_backing_off(until), "{seconds}");
        }
        assert!(full(&mut rounds, true));
        assert!(!full(&mut rounds, false));
        assert!(!rounds.is_backing_off(NOW + Millis(1_000.0)));
    }

    #[test]
    fn a_refresh_measures_the_first_by_rank_and_those_measured_longest_ago() {
        let mut targets: Vec<Health> = (0..8)
            .map(|index| {
                let mut health = Health::default();
                let at = NOW - Millis::from_seconds(index);
                health.probe_passed(Millis(5.0), at, Millis(1.0));
                health
            })
            .collect();
        let six = [3, 4, 5, 0, 1, 2];
        assert_eq!(refreshed(six.to_vec(), &targets), six, "all, as they come");
        let all: Vec<usize> = (0..8).collect();
        assert_eq!(refreshed(all.clone(), &targets), [0, 1, 2, 7, 6, 5]);
        targets[4] = Health::default();
        let unmeasured_first = refreshed(all, &targets);
        assert_eq!(unmeasured_first, [0, 1, 2, 4, 7, 6]);
    }
}
