//! What one instance may use: memory, and time without a pause.
//!
//! Time is counted in epochs of wasmtime. With each one, code that is running yields to the other tasks of its thread;
//! code that goes on and on without ever waiting for anything is ended. wasmtime's own time-outs do not see it, since
//! the event loop of its instance stands still meanwhile.

use crate::instance::InstanceState;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline, format_err};

/// The length of an epoch: for so long a thread's other tasks wait for code that does not pause.
const EPOCH: Duration = Duration::from_millis(10);

/// Bytes that an element of a table takes.
const TABLE_ELEMENT: usize = size_of::<usize>();

/// The memory of an instance: all of its linear memories and tables together.
pub(crate) struct MemoryLimit {
    left: usize,
    most: usize,
}

impl MemoryLimit {
    pub(crate) fn new(most: usize) -> Self {
        Self { left: most, most }
    }

    /// Whether something of `unit` bytes each may grow, beyond its own maximum never. An error traps, which names the cause
    /// in the log; the guest's allocator would abort without one.
    fn grow(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
        unit: usize,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let more = desired.saturating_sub(current).saturating_mul(unit);
        self.left = self.left.checked_sub(more).ok_or_else(|| {
            let most = self.most;
            format_err!("it needs more memory than the {most} bytes of --max-instance-memory-bytes")
        })?;
        Ok(true)
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow(current, desired, maximum, 1)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow(current, desired, maximum, TABLE_ELEMENT)
    }
}

/// How long the code of one instance has been running without a pause.
#[derive(Clone)]
pub(crate) struct Stretch(Arc<State>);

struct State {
    /// Epochs that ended while it ran.
    epochs: AtomicU64,
    /// The instance waits for nothing but its turn.
    yielded: AtomicBool,
    most: u64,
    limit: Duration,
}

impl Stretch {
    pub(crate) fn new(limit: Duration) -> Self {
        let most = limit.as_millis().div_ceil(EPOCH.as_millis());
        Self(Arc::new(State {
            epochs: AtomicU64::new(0),
            yielded: AtomicBool::new(false),
            most: u64::try_from(most).unwrap_or(u64::MAX),
            limit,
        }))
    }

    /// Limits the code of a store.
    pub(crate) fn limit(&self, store: &mut Store<InstanceState>) {
        let Self(state) = self.clone();
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if state.epochs.fetch_add(1, Relaxed) >= state.most {
                let limit = state.limit;
                return Err(format_err!(
                    "it ran for the {limit:?} of --instance-compute-timeout without a pause"
                ));
            }
            state.yielded.store(true, Relaxed);
            Ok(UpdateDeadline::Yield(1))
        });
    }

    /// The instance's task has stopped for now: unless it did so to yield, its code has come to a pause.
    pub(crate) fn stopped(&self) {
        let Self(state) = self;
        if !state.yielded.swap(false, Relaxed) {
            state.epochs.store(0, Relaxed);
        }
    }
}

/// Counts the epochs of an engine for as long as it is in use.
pub(crate) fn count_epochs(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("epochs".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(EPOCH);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut limit = MemoryLimit::new(100);
        assert!(limit.memory_growing(0, 60, None).unwrap());
        assert!(limit.table_growing(0, 4, None).unwrap());
        assert!(
            limit
                .memory_growing(60, 68, Some(64))
                .is_ok_and(|grows| !grows)
        );
        assert!(limit.memory_growing(60, 68, None).unwrap());
        let error = limit.memory_growing(0, 1, None).unwrap_err().to_string();
        assert!(error.contains("100 bytes"), "{error}");
        assert!(limit.table_growing(0, usize::MAX, None).is_err());
    }

    #[test]
    fn only_a_stretch_without_a_pause_is_counted() {
        let stretch = Stretch::new(Duration::from_millis(25));
        let Stretch(state) = &stretch;
        assert_eq!(state.most, 3);
        state.epochs.store(2, Relaxed);
        state.yielded.store(true, Relaxed);
        stretch.stopped();
        assert_eq!(state.epochs.load(Relaxed), 2);
        stretch.stopped();
        assert_eq!(state.epochs.load(Relaxed), 0);
    }
}
