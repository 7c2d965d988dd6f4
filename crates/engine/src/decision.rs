//! Where the decision comes from, how long it holds, and who is told.

use crate::engine::Engine;
use crate::notice::Notice;
use crate::rank;
use crate::record::{self, Record, Stored, TargetRecord, Use, rounded};

/// A background refresh may start at this share of the TTL, and has started by
/// the TTL; where between is each instance's own dice, so that instances that
/// learned of a decision together do not refresh it together.
const REFRESH_FROM: f64 = 0.8;

/// A decision that stands on a single probe of each target, as after a cold
/// start, is looked at again at this share already, up to twice it: one lost
/// packet must not choose the target for a whole TTL, nor the load that the
/// choice itself brings go unseen.
const YOUNG_REFRESH_FROM: f64 = 0.1;

/// A drift brings the refresh forward to some moment within this time: many
/// locations may see the same target slow down, and if all left it at once,
/// the next target would be the next to slow down.
const DRIFT_SPREAD_MS: f64 = 10_000.0;

/// How soon after a refresh a drift may bring the next one forward.
const DRIFT_PAUSE_MS: f64 = 30_000.0;

/// How long a write may be under way, ms, where the host does not say that it
/// is done.
const WRITE_MS: f64 = 5_000.0;

/// Why the primary changes, in notices: it failed.
pub(crate) const FAILOVER: &str = "failover";
/// Likewise: another instance said so.
pub(crate) const STORE: &str = "store";

/// Which target comes first, since when, and by what.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// The best target: what other instances are told.
    pub(crate) primary: usize,
    /// The target of this instance's requests: the primary, or with
    /// `FETCH_SPREAD` one as good.
    pub(crate) choice: usize,
    /// When the targets were measured: the age that matters.
    pub(crate) measured_at: f64,
    pub(crate) refresh_at: f64,
    /// Whether a drift has brought the refresh forward.
    drifted: bool,
    /// The target that lost its place by failing, or by suddenly being slow: when
    /// it is back and as good, it need not win the place again.
    pub(crate) stands_in_for: Option<usize>,
    pub(crate) source: DecisionSource,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DecisionSource {
    Probes,
    Store,
}

/// What to put into the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreWrite {
    /// The record.
    pub record: Record,
    /// For stores that can forget by themselves: after so many seconds nobody
    /// would use it any more.
    pub ttl_seconds: u32,
}

impl Engine {
    /// Whether there is anything to decide and anywhere to remember it.
    pub(crate) fn decides(&self) -> bool {
        self.settings.targets.len() > 1 && self.settings.remembers()
    }

    /// Whether a decision stands: fresh, or stale and still served.
    pub(crate) fn has_decision(&self, now: f64) -> bool {
        let most = self.settings.cache_ttl_ms + self.settings.stale_ms;
        self.decision
            .as_ref()
            .is_some_and(|decision| now - decision.measured_at <= most)
    }

    pub(crate) fn refresh_due(&self, now: f64) -> bool {
        self.decision
            .as_ref()
            .is_some_and(|decision| now >= decision.refresh_at)
    }

    /// The target of a request that was not sent yet, where the decision
    /// settles it without any sorting: the warm path.
    pub(crate) fn first_choice(&self, now: f64) -> Option<usize> {
        let choice = self.decision.as_ref()?.choice;
        let health = &self.health[choice];
        (self.decides() && !health.is_ejected() && !health.is_suspect(now)).then_some(choice)
    }

    /// The targets in the order of attempts: the chosen one, then by rank.
    pub(crate) fn candidates(&self, now: f64) -> Vec<usize> {
        if !self.decides() {
            return (0..self.settings.targets.len()).collect();
        }
        let mut order = rank::order(&self.health, now);
        if let Some(choice) = self.first_choice(now)
            && let Some(place) = order.iter().position(|index| *index == choice)
        {
            order[..=place].rotate_right(1);
        }
        order
    }

    /// A full round has ended: its result holds from now.
    pub(crate) fn decide(&mut self, primary: usize, now: f64) {
        let before = self.decision.as_ref().map(|decision| decision.primary);
        // If it drifted and is still the best, slower is what it is now.
        let drifted = self
            .decision
            .as_ref()
            .is_some_and(|decision| decision.drifted);
        self.health[primary]
            .drift
            .restart(drifted && before == Some(primary));
        self.tell_change(before, primary, "probed");
        let stands_in_for = match &self.decision {
            Some(decision) if decision.primary == primary => decision.stands_in_for,
            Some(decision) if drifted => Some(decision.primary),
            _ => None,
        };
        self.hold(primary, stands_in_for, now, DecisionSource::Probes);
        self.write_due = true;
    }

    /// Makes `primary` the primary of the decision that stands, if it is not.
    pub(crate) fn switch_to(&mut self, primary: usize, reason: &'static str, now: f64) {
        let Some(decision) = &self.decision else {
            return;
        };
        let before = decision.primary;
        let choice = self.choose(primary);
        if let Some(decision) = &mut self.decision
            && (before != primary || self.health[decision.choice].is_ejected())
        {
            decision.primary = primary;
            decision.choice = choice;
            if before != primary {
                let failed = reason == FAILOVER;
                let absent = decision.stands_in_for.or(Some(before));
                decision.stands_in_for = absent.filter(|_| failed);
            }
            self.health[primary].drift.restart(false);
        }
        self.tell_change(Some(before), primary, reason);
        // Other instances must not pay for the same discovery again.
        self.write_due |= before != primary && self.has_decision(now);
    }

    pub(crate) fn hold(
        &mut self,
        primary: usize,
        stands_in_for: Option<usize>,
        measured_at: f64,
        source: DecisionSource,
    ) {
        let choice = self.choose(primary);
        let young = self.health[primary]
            .latency
            .is_some_and(|known| known.samples < 2);
        let (from, to) = if young {
            (YOUNG_REFRESH_FROM, 2.0 * YOUNG_REFRESH_FROM)
        } else {
            (REFRESH_FROM, 1.0)
        };
        let share = from + (to - from) * self.dice.roll();
        self.decision = Some(Decision {
            primary,
            choice,
            measured_at,
            refresh_at: measured_at + self.settings.cache_ttl_ms * share,
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
        let peers = rank::peers(&self.health, primary, self.settings.switch_margin);
        peers[(self.dice.roll() * peers.len() as f64) as usize]
    }

    pub(crate) fn tell_change(&mut self, from: Option<usize>, to: usize, reason: &'static str) {
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

    /// The chosen target has become much slower than it was: measures again
    /// soon.
    pub(crate) fn drifted(&mut self, now: f64) {
        let delay = self.dice.roll() * DRIFT_SPREAD_MS;
        if let Some(decision) = &mut self.decision
            && !decision.drifted
        {
            decision.drifted = true;
            let soon = now.max(decision.measured_at + DRIFT_PAUSE_MS) + delay;
            decision.refresh_at = decision.refresh_at.min(soon);
        }
    }

    /// Uses what the store held, when it is of any use.
    pub(crate) fn adopt(&mut self, value: Option<&Stored>, now: f64) {
        self.remember(value);
        self.sync_begins(now);
        match self.read(value, now) {
            Use::Record(record) => {
                self.adopt_record(&record, now);
                self.tell_problems_unless(record.told.as_deref());
            }
            Use::Winner(primary) => {
                let before = self.decision.as_ref().map(|decision| decision.primary);
                self.tell_change(before, primary, STORE);
                // Its age is not known: it serves, and is refreshed at once.
                self.hold(
                    primary,
                    None,
                    now - self.settings.cache_ttl_ms,
                    DecisionSource::Store,
                );
                self.write_due = false;
            }
            Use::Miss => {}
        }
        self.tell_problems();
    }

    /// Before a refresh: uses the store's record when it is newer than ours and
    /// not itself due. True when it was used.
    pub(crate) fn adopt_newer(&mut self, value: Option<&Stored>, now: f64) -> bool {
        self.remember(value);
        let ours = self
            .decision
            .as_ref()
            .map_or(f64::MIN, |decision| decision.measured_at);
        match self.read(value, now) {
            Use::Record(record)
                if record.at > ours
                    && now - record.at < REFRESH_FROM * self.settings.cache_ttl_ms =>
            {
                self.adopt_record(&record, now);
                true
            }
            _ => false,
        }
    }

    /// The store write that a step called for.
    pub fn take_write(&mut self, now: f64) -> Option<StoreWrite> {
        self.settings.cache_store?;
        let decision = self.decision.as_ref()?;
        if !std::mem::take(&mut self.write_due) {
            return None;
        }
        // Microseconds are enough, and keep the value short.
        let short = |value: f64| rounded(value * 1000.0) / 1000.0;
        let targets = self
            .health
            .iter()
            .map(|health| TargetRecord {
                ms: health.latency.map(|known| short(known.ms())),
                n: health.latency.map_or(0, |known| known.samples),
                at: health.latency.map(|known| rounded(known.at)),
                fail: health.failures,
                until: health.ejected_until.map(rounded),
                last: health.last_ejection(now),
                live: health
                    .drift
                    .baseline()
                    .map(|live| (short(live.mean), short(live.variance))),
            })
            .collect();
        let mut record = Record::new(
            &self.settings,
            rounded(decision.measured_at),
            decision.primary as u32,
            targets,
        );
        record.stands_in_for = decision.stands_in_for.map(|absent| absent as u32);
        let ttl_ms = self.settings.cache_ttl_ms + self.settings.stale_ms;
        self.known_value = Some(Stored::Record(record.clone()));
        self.writing_until = now + WRITE_MS;
        Some(StoreWrite {
            record,
            ttl_seconds: (ttl_ms / 1000.0) as u32,
        })
    }

    pub(crate) fn read(&self, value: Option<&Stored>, now: f64) -> Use {
        let most = self.settings.cache_ttl_ms + self.settings.stale_ms;
        match value.map(|value| record::judge(value, &self.settings, now)) {
            Some(Use::Record(record)) if now - record.at > most => Use::Miss,
            Some(judged) => judged,
            None => Use::Miss,
        }
    }

    /// Makes a record's decision this instance's.
    pub(crate) fn hold_record(&mut self, record: &Record) {
        let stands_in_for = record
            .stands_in_for
            .map(|absent| absent as usize)
            .filter(|absent| *absent < self.health.len());
        self.hold(
            record.primary as usize,
            stands_in_for,
            record.at,
            DecisionSource::Store,
        );
    }

    fn adopt_record(&mut self, record: &Record, now: f64) {
        for (health, known) in self.health.iter_mut().zip(&record.targets) {
            health.told(known, record.at, now);
            health.told_ejection(known.until, known.last, now);
        }
        let before = self.decision.as_ref().map(|decision| decision.primary);
        // A new instance that takes over what is known changes nothing.
        if before.is_some() {
            self.tell_change(before, record.primary as usize, STORE);
        }
        self.hold_record(record);
        // It is from the store: there is nothing to tell it.
        self.write_due = false;
    }
}
