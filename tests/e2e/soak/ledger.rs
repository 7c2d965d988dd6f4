//! What the targets did with each request, by the number that its client gave it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What happened to a request at the targets.
#[derive(Clone, Copy, Default)]
pub struct Fate {
    /// How often its head arrived, if it may not be repeated.
    pub arrivals: u32,
    /// A target broke off its own response to it.
    pub broken: bool,
}

/// A time in which some target is in trouble.
struct Trouble {
    from: Instant,
    to: Option<Instant>,
}

/// All requests under way, and the troubles of the run.
#[derive(Default)]
pub struct Ledger {
    fates: Mutex<HashMap<u64, Fate>>,
    troubles: Mutex<Vec<Trouble>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    /// The head of a request that may not be repeated has arrived at a target.
    pub fn arrived(&self, request: u64) {
        lock(&self.fates).entry(request).or_default().arrivals += 1;
    }

    /// A target is about to break off its response.
    pub fn breaks(&self, request: u64) {
        lock(&self.fates).entry(request).or_default().broken = true;
    }

    /// What became of a request that is over. It is forgotten.
    pub fn take(&self, request: u64) -> Fate {
        lock(&self.fates).remove(&request).unwrap_or_default()
    }

    /// Requests that may not be repeated, and arrived when their client had its response already.
    pub fn latecomers(&self) -> usize {
        let fates = lock(&self.fates);
        fates.values().filter(|fate| fate.arrivals > 0).count()
    }

    /// From now on a target is in trouble.
    pub fn trouble_begins(&self) {
        lock(&self.troubles).push(Trouble {
            from: Instant::now(),
            to: None,
        });
    }

    /// It is well again.
    pub fn trouble_ends(&self) {
        if let Some(last) = lock(&self.troubles).last_mut() {
            last.to = Some(Instant::now());
        }
    }

    /// Whether a target was in trouble at some time since then.
    pub fn troubled_since(&self, since: Instant) -> bool {
        let troubles = lock(&self.troubles);
        troubles.iter().rev().any(|trouble| {
            trouble.to.is_none_or(|to| to >= since) && trouble.from <= Instant::now()
        })
    }
}
