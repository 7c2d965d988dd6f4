//! The store (L2) as this instance knows it: when it is read and written, and its
//! last known value.
//!
//! It is read beside a request about once a second (`FETCH_CACHE_SYNC_SECONDS`),
//! so that a target which one instance has found dead is dead for all.

use crate::conversation::STORE_WRITE_TIMEOUT;
use crate::notice::{Notice, StoreOperation};
use crate::random::Random;
use crate::record::{Record, Stored, TargetRecord};
use crate::settings::Settings;
use crate::time::{Millis, Timestamp};

/// The state of the traffic with the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoreSync {
    /// There is something to write.
    pub(crate) write_due: bool,
    /// When it is read next for what other instances have found.
    next_at: Timestamp,
    /// The value that this instance has read or written last.
    known: Option<Stored>,
    /// While a write is under way the store may still show what was before.
    writing_until: Timestamp,
    read_failure_reported: bool,
    write_failure_reported: bool,
}

impl StoreSync {
    /// Whether the store should be read for what others have found.
    pub(crate) fn is_due(&self, settings: &Settings, now: Timestamp) -> bool {
        settings.cache_sync > Millis::ZERO
            && settings.cache_memory
            && settings.cache_store.is_some()
            && now >= self.next_at
    }

    /// The store is read now. The next time is random, so that instances do not
    /// all read it at the same moment.
    pub(crate) fn begins(&mut self, settings: &Settings, random: &mut Random, now: Timestamp) {
        if settings.cache_sync > Millis::ZERO {
            self.next_at = now + settings.cache_sync * (0.75 + 0.25 * random.next());
        }
    }

    /// Notes the value that was read.
    pub(crate) fn remember(&mut self, value: Option<&Stored>) {
        self.known = value.cloned();
    }

    /// Whether the store holds what this instance has neither written nor read.
    pub(crate) fn is_news(&self, value: Option<&Stored>, now: Timestamp) -> bool {
        self.known.as_ref() != value && now >= self.writing_until
    }

    /// Whether the store holds that a target has failed.
    pub(crate) fn knows_failures_of(&self, target: usize) -> bool {
        self.known_of(target).is_some_and(|known| known.fail > 0)
    }

    /// Whether the store holds what is normal for a target's live requests.
    pub(crate) fn knows_normal_of(&self, target: usize) -> bool {
        self.known_of(target)
            .is_some_and(|known| known.live.is_some())
    }

    fn known_of(&self, target: usize) -> Option<&TargetRecord> {
        match &self.known {
            Some(Stored::Record(record)) => record.targets.get(target),
            _ => None,
        }
    }

    /// A record is on its way to the store.
    pub(crate) fn writes(&mut self, record: &Record, now: Timestamp) {
        self.known = Some(Stored::Record(record.clone()));
        self.writing_until = now + STORE_WRITE_TIMEOUT;
    }

    /// The write has ended, well or not.
    pub(crate) fn written(&mut self) {
        self.writing_until = Timestamp::default();
    }

    pub(crate) fn worked(&mut self, operation: StoreOperation) {
        *self.failure_reported(operation) = false;
    }

    /// Reported once until it works again: a store that is down is down for every
    /// request.
    pub(crate) fn failed(&mut self, operation: StoreOperation) -> Option<Notice> {
        let reported = std::mem::replace(self.failure_reported(operation), true);
        (!reported).then_some(Notice::StoreFailed { operation })
    }

    /// Whether the last operation of this kind failed.
    pub(crate) fn is_failing(&self, operation: StoreOperation) -> bool {
        match operation {
            StoreOperation::Read => self.read_failure_reported,
            StoreOperation::Write => self.write_failure_reported,
        }
    }

    fn failure_reported(&mut self, operation: StoreOperation) -> &mut bool {
        match operation {
            StoreOperation::Read => &mut self.read_failure_reported,
            StoreOperation::Write => &mut self.write_failure_reported,
        }
    }
}
