//! The shared store (L2): slow to tell others, and at times not there.

use crate::clock::{MILLISECOND, Micros, SECOND};
use crate::executor::Executor;
use crate::scenario::{StoreFault, StoreModel};
use std::collections::VecDeque;

/// One key's value as different locations see it.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Writes, oldest first; those that nobody can see any more are dropped.
    writes: VecDeque<Write>,
}

#[derive(Clone, Debug)]
struct Write {
    at: Micros,
    location: usize,
    value: Vec<u8>,
}

impl Store {
    /// The newest write that has reached `location`. Its own are there at once:
    /// Workers KV promises that "usually", elsewhere within 60 s and more
    /// (<https://developers.cloudflare.com/kv/concepts/how-kv-works/>).
    #[must_use]
    pub fn read(&self, location: usize, lag: Micros, now: Micros) -> Option<Vec<u8>> {
        self.writes
            .iter()
            .rev()
            .find(|write| write.location == location || write.at + lag <= now)
            .map(|write| write.value.clone())
    }

    /// Writes; the last writer wins.
    pub fn write(&mut self, location: usize, value: Vec<u8>, lag: Micros, now: Micros) {
        while self
            .writes
            .get(1)
            .is_some_and(|second| second.at + lag <= now)
        {
            self.writes.pop_front();
        }
        self.writes.push_back(Write {
            at: now,
            location,
            value,
        });
    }
}

/// When a store that says nothing is given up by its own client: policies that
/// do not want to wait so long must see to it themselves.
const CLIENT_TIMEOUT: Micros = 10 * SECOND;

/// Waits as long as the store takes; false when it fails.
pub async fn answer(executor: &Executor, model: &StoreModel, took_ms: f64) -> bool {
    let now = executor.now();
    let outage = model
        .outages
        .iter()
        .find(|(from, to, _)| *from <= now && now < *to);
    match outage {
        None => {
            executor.sleep_ms(took_ms).await;
            true
        }
        Some((_, _, StoreFault::Fails)) => {
            executor.sleep_until(now + MILLISECOND).await;
            false
        }
        Some((_, _, StoreFault::Hangs)) => {
            executor.sleep_until(now + CLIENT_TIMEOUT).await;
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_see_a_write_later_and_the_writer_at_once() {
        let mut store = Store::default();
        let lag = 60 * SECOND;
        store.write(1, b"a".to_vec(), lag, 0);
        assert_eq!(store.read(1, lag, 0), Some(b"a".to_vec()));
        assert_eq!(store.read(2, lag, 59 * SECOND), None);
        store.write(2, b"b".to_vec(), lag, 50 * SECOND);
        assert_eq!(store.read(3, lag, 70 * SECOND), Some(b"a".to_vec()));
        assert_eq!(store.read(3, lag, 110 * SECOND), Some(b"b".to_vec()));
    }

    #[test]
    fn what_nobody_sees_is_dropped() {
        let mut store = Store::default();
        for second in 0..1000 {
            store.write(0, vec![0], 10 * SECOND, second * SECOND);
        }
        assert!(store.writes.len() < 15);
    }
}
