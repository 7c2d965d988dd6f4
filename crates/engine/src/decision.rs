//! Where the decision comes from, how long it holds, and who is told.

use crate::engine::Engine;
use crate::health::{Latency, MAX_EJECTION_MS};
use crate::notice::Notice;
use crate::rank;
use crate::record::{self, Record, Stored, TargetRecord};

/// A background refresh may start at this share of the TTL, and has started by
/// the TTL; where between is each instance's own dice, so that instances that
/// learned of a decision together do not refresh it together.
const REFRESH_FROM: f64 = 0.8;

/// Which target comes first, since when, and by what.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) primary: usize,
    /// When the targets were measured: the age that matters.
    pub(crate) measured_at: f64,
    pub(crate) refresh_at: f64,
    pub(crate) source: DecisionSource,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DecisionSource {
    Probes,
    Store,
}

/// A value to put into the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreWrite {
    /// The value.
    pub value: Vec<u8>,
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

    /// The targets in the order of attempts: the primary, then by rank.
    pub(crate) fn candidates(&self) -> Vec<usize> {
        if !self.decides() {
            return (0..self.settings.targets.len()).collect();
        }
        let mut order = rank::order(&self.health);
        if let Some(primary) = self.decision.as_ref().map(|decision| decision.primary)
            && !self.health[primary].is_ejected()
            && let Some(place) = order.iter().position(|index| *index == primary)
        {
            order[..=place].rotate_right(1);
        }
        order
    }

    /// A full round has ended: its result holds from now.
    pub(crate) fn decide(&mut self, primary: usize, now: f64) {
        self.switch_to(primary, "probed");
        let refresh_at = self.refresh_at(now);
        self.decision = Some(Decision {
            primary,
            measured_at: now,
            refresh_at,
            source: DecisionSource::Probes,
        });
        self.write_due = true;
    }

    /// Makes `primary` the primary of the decision that stands, if it is not.
    pub(crate) fn switch_to(&mut self, primary: usize, reason: &'static str) {
        let from = self.decision.as_ref().map(|decision| decision.primary);
        if from == Some(primary) {
            return;
        }
        let name = |index: usize| self.settings.targets[index].to_string();
        self.notices.push(Notice::PrimaryChanged {
            from: from.map(name),
            to: name(primary),
            reason,
        });
        if let Some(decision) = &mut self.decision {
            decision.primary = primary;
            // Other instances must not pay for the same discovery again.
            self.write_due = true;
        }
    }

    /// Uses what the store held, when it is of any use.
    pub(crate) fn adopt(&mut self, value: Option<&[u8]>, now: f64) {
        match self.read(value, now) {
            Stored::Record(record) => self.adopt_record(&record, now),
            Stored::Winner(primary) => {
                self.switch_to(primary, "store");
                // Its age is not known: it serves, and is refreshed at once.
                self.decision = Some(Decision {
                    primary,
                    measured_at: now - self.settings.cache_ttl_ms,
                    refresh_at: now,
                    source: DecisionSource::Store,
                });
                self.write_due = false;
            }
            Stored::Miss => {}
        }
    }

    /// Before a refresh: uses the store's record when it is newer than ours and
    /// not itself due. True when it was used.
    pub(crate) fn adopt_newer(&mut self, value: Option<&[u8]>, now: f64) -> bool {
        let ours = self
            .decision
            .as_ref()
            .map_or(f64::MIN, |decision| decision.measured_at);
        match self.read(value, now) {
            Stored::Record(record)
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
    pub fn take_write(&mut self) -> Option<StoreWrite> {
        self.settings.cache_store?;
        if !std::mem::take(&mut self.write_due) {
            return None;
        }
        let decision = self.decision.as_ref()?;
        let targets = self
            .health
            .iter()
            .map(|health| TargetRecord {
                // Microseconds are enough, and keep the value short.
                ms: health
                    .latency
                    .map(|known| (known.ms * 1000.0).round() / 1000.0),
                n: health.latency.map_or(0, |known| known.samples),
                fail: health.failures,
                until: health.ejected_until.map(f64::round),
            })
            .collect();
        let record = Record::new(
            &self.settings,
            decision.measured_at.round(),
            decision.primary,
            targets,
        );
        let ttl_ms = self.settings.cache_ttl_ms + self.settings.stale_ms;
        Some(StoreWrite {
            value: record.encode(),
            ttl_seconds: (ttl_ms / 1000.0) as u32,
        })
    }

    fn read(&self, value: Option<&[u8]>, now: f64) -> Stored {
        match value.map_or(Stored::Miss, |value| {
            record::decode(value, &self.settings, now)
        }) {
            Stored::Record(record)
                if now - record.at > self.settings.cache_ttl_ms + self.settings.stale_ms =>
            {
                Stored::Miss
            }
            stored => stored,
        }
    }

    fn adopt_record(&mut self, record: &Record, now: f64) {
        for (health, known) in self.health.iter_mut().zip(&record.targets) {
            health.latency = known.ms.map(|ms| Latency {
                ms,
                samples: known.n,
            });
            health.failures = known.fail;
            // No other instance may put a target aside for longer than we would.
            health.ejected_until = known.until.map(|until| until.min(now + MAX_EJECTION_MS));
        }
        self.switch_to(record.primary, "store");
        let refresh_at = self.refresh_at(record.at);
        self.decision = Some(Decision {
            primary: record.primary,
            measured_at: record.at,
            refresh_at,
            source: DecisionSource::Store,
        });
        // It is from the store: there is nothing to tell it.
        self.write_due = false;
    }

    fn refresh_at(&mut self, measured_at: f64) -> f64 {
        let share = REFRESH_FROM + (1.0 - REFRESH_FROM) * self.dice.roll();
        measured_at + self.settings.cache_ttl_ms * share
    }
}
