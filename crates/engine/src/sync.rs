//! What instances that live at the same time learn from each other between two
//! refreshes: a target that one of them has found dead is dead for all.
//!
//! The store is read behind a request about once a second
//! (`FETCH_CACHE_SYNC_SECONDS`), and what it holds is merged with what this
//! instance knows: of each target's ejections the later one counts, of two
//! decisions the one that was measured later. Two instances that wrote at the
//! same moment lose nothing by it: the one whose news was overwritten sees that
//! and writes the union.

use crate::decision::STORE;
use crate::engine::Engine;
use crate::rank;
use crate::record::{Record, Stored, Use, rounded};

impl Engine {
    /// Whether the store should be asked what others have found.
    pub(crate) fn sync_due(&self, now: f64) -> bool {
        self.settings.cache_sync_ms > 0.0
            && self.settings.cache_memory
            && self.settings.cache_store.is_some()
            && now >= self.next_sync_at
            && self.has_decision(now)
    }

    /// The store is read now; instances must not read it in step.
    pub(crate) fn sync_begins(&mut self, now: f64) {
        if self.settings.cache_sync_ms > 0.0 {
            let share = 0.75 + 0.25 * self.dice.roll();
            self.next_sync_at = now + self.settings.cache_sync_ms * share;
        }
    }

    /// Notes what the store holds.
    pub(crate) fn remember(&mut self, value: Option<&Stored>) {
        self.known_value = value.cloned();
    }

    /// Merges what the store holds. True when nothing is left to be probed.
    pub(crate) fn sync_with(&mut self, value: Option<&Stored>, now: f64) -> bool {
        let news = self.known_value.as_ref() != value && now >= self.writing_until;
        if news && let Use::Record(record) = self.read(value, now) {
            self.remember(value);
            self.merge(&record, now);
        } else if news && value.is_none() {
            // The store has lost what it held: instances to come need it.
            self.write_due = true;
        }
        !self.health.iter().any(|health| health.awaits_probe(now))
    }

    fn merge(&mut self, record: &Record, now: f64) {
        let Some(ours) = &self.decision else {
            return;
        };
        let (primary, measured_at) = (ours.primary, rounded(ours.measured_at));
        let mut untold = record.at < measured_at;
        for (health, known) in self.health.iter_mut().zip(&record.targets) {
            if record.at >= measured_at {
                health.told(known, record.at, now);
            }
            if health.is_ejected_since(known.last) {
                untold = true;
            } else {
                health.told_ejection(known.until, known.last, now);
            }
        }
        if record.at > measured_at {
            self.tell_change(Some(primary), record.primary as usize, STORE);
            self.hold_record(record);
        } else if record.at == measured_at {
            self.switch_to(record.primary as usize, STORE, now);
        }
        let best = rank::best(&self.health, now);
        let primary = self
            .decision
            .as_ref()
            .map_or(best, |decision| decision.primary);
        if self.health[primary].is_ejected() && !self.health[best].is_ejected() {
            self.switch_to(best, STORE, now);
        }
        self.write_due = untold;
    }
}
