//! What instances share through the store: how a record becomes what this
//! instance knows, and the other way round.
//!
//! A record is merged, not just taken: of each target's ejections the later one
//! counts, of two decisions the one that was measured later. Two instances that
//! wrote at the same moment lose nothing by it: the one whose news was
//! overwritten sees that and writes the union.

use crate::decision::{DecisionSource, REFRESH_FROM};
use crate::evidence::Pairs;
use crate::knowledge::Knowledge;
use crate::notice::ChangeReason;
use crate::rank;
use crate::record::{self, Record, Stored, Use};
use crate::time::{Millis, Timestamp};
use crate::trial::LatencyTrial;

/// What to put into the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreWrite {
    /// The record.
    pub record: Record,
    /// For stores that can forget by themselves: after so many seconds nobody
    /// would use it any more.
    pub ttl_seconds: u32,
}

impl Knowledge {
    /// Uses what the store held, when it is of any use.
    pub(crate) fn adopt(&mut self, value: Option<&Stored>, now: Timestamp) {
        self.sync.remember(value);
        self.sync_begins(now);
        match record::judge(value, &self.settings, now) {
            Use::Record(record) => {
                self.adopt_record(&record, now);
                self.report_problems_unless(record.told.as_deref());
            }
            Use::Winner(primary) => {
                let before = self.decision.as_ref().map(|decision| decision.primary);
                self.report_change(before, primary, ChangeReason::Store);
                // Its age is not known: it serves, and is refreshed at once.
                let measured_at = now - self.settings.cache_ttl;
                self.set_decision(primary, None, measured_at, DecisionSource::Store);
                self.sync.write_due = false;
            }
            Use::Miss => {}
        }
        self.report_problems();
    }

    /// Before a refresh: uses the store's record when it is newer than ours and
    /// not itself due. True when it was used.
    pub(crate) fn adopt_newer(&mut self, value: Option<&Stored>, now: Timestamp) -> bool {
        self.sync.remember(value);
        let ours = self
            .decision
            .as_ref()
            .map_or(Timestamp::MIN, |decision| decision.measured_at);
        match record::judge(value, &self.settings, now) {
            Use::Record(record)
                if record.at > ours && now - record.at < self.settings.cache_ttl * REFRESH_FROM =>
            {
                self.adopt_record(&record, now);
                true
            }
            _ => false,
        }
    }

    /// Between two refreshes: merges what the store holds. True when nothing is
    /// left to be probed.
    pub(crate) fn merge_store(&mut self, value: Option<&Stored>, now: Timestamp) -> bool {
        let news = self.sync.is_news(value, now);
        if news && let Use::Record(record) = record::judge(value, &self.settings, now) {
            self.sync.remember(value);
            self.merge(&record, now);
        } else if news && value.is_none() {
            // The store has lost what it held: instances to come need it.
            self.sync.write_due = true;
        }
        !self.awaits_probe(now)
    }

    fn merge(&mut self, record: &Record, now: Timestamp) {
        let Some(ours) = &self.decision else {
            return;
        };
        let (primary, measured_at) = (ours.primary, ours.measured_at.rounded());
        let mut untold = record.at < measured_at;
        for (health, known) in self.targets.iter_mut().zip(&record.targets) {
            health.adopt_evidence(known, now);
            if record.at >= measured_at {
                health.adopt_measurements(known, record.at, now);
            }
            if health.is_ejected_since(known) {
                untold = true;
            } else {
                health.adopt_ejection(known, now);
            }
        }
        if record.at > measured_at {
            self.report_change(Some(primary), record.primary as usize, ChangeReason::Store);
            self.adopt_decision(record);
        } else if record.at == measured_at {
            self.switch_to(record.primary as usize, ChangeReason::Store, now);
        }
        let best = rank::best(&self.targets, now);
        let primary = self
            .decision
            .as_ref()
            .map_or(best, |decision| decision.primary);
        let failed = self.targets[primary].is_ejected() && !self.targets[best].is_ejected();
        if failed || rank::outranks(&self.targets, best, primary) {
            self.switch_to(best, ChangeReason::Store, now);
        }
        self.sync.write_due = untold;
    }

    fn adopt_record(&mut self, record: &Record, now: Timestamp) {
        for (health, known) in self.targets.iter_mut().zip(&record.targets) {
            health.adopt_measurements(known, record.at, now);
            health.adopt_evidence(known, now);
            health.adopt_ejection(known, now);
        }
        let before = self.decision.as_ref().map(|decision| decision.primary);
        // A new instance that takes over what is known changes nothing.
        if before.is_some() {
            self.report_change(before, record.primary as usize, ChangeReason::Store);
        }
        self.adopt_decision(record);
        // It is from the store: there is nothing to tell it.
        self.sync.write_due = false;
    }

    /// Makes a record's decision this instance's.
    fn adopt_decision(&mut self, record: &Record) {
        let stands_in_for = record
            .stands_in_for
            .map(|absent| absent as usize)
            .filter(|absent| *absent < self.targets.len());
        self.set_decision(
            record.primary as usize,
            stands_in_for,
            record.at,
            DecisionSource::Store,
        );
        self.pairs = record.pairs.unwrap_or(self.pairs);
        let samples = |trial: &LatencyTrial| trial.other.count;
        if record.trial.as_ref().map(samples) > self.trial.as_ref().map(samples) {
            self.trial = record.trial;
        }
    }

    /// The write that is due.
    pub(crate) fn take_write(&mut self, now: Timestamp) -> Option<StoreWrite> {
        self.settings.cache_store?;
        let decision = self.decision.as_ref()?;
        if !std::mem::take(&mut self.sync.write_due) {
            return None;
        }
        let mut record = Record::new(
            &self.settings,
            decision.measured_at.rounded(),
            decision.primary as u32,
            self.targets
                .iter_mut()
                .map(|health| health.share(now))
                .collect(),
        );
        record.trial = self.trial;
        record.pairs = Some(self.pairs).filter(|pairs| *pairs != Pairs::default());
        record.stands_in_for = decision.stands_in_for.map(|absent| absent as u32);
        self.sync.writes(&record, now);
        let Millis(longest) = self.settings.longest_use();
        Some(StoreWrite {
            record,
            ttl_seconds: (longest / 1000.0) as u32,
        })
    }
}
