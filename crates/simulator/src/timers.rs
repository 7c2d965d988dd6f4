//! The timers that run: the next one, quickly, among many that never fire.
//!
//! Nearly every request sets a time-out of 30 s and cancels it 100 ms later. In
//! one heap these would outnumber the timers that matter by hundreds, so what
//! is more than two seconds away waits in a bucket of its second, and comes to
//! the heap, if it still stands, when that second draws near.

use crate::clock::{Micros, SECOND};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;

/// How many seconds ahead have a bucket; what is farther goes to the heap.
const BUCKETS: u64 = 64;

/// A timer that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerId {
    slot: u32,
    order: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Micros,
    /// Which timer of one moment was set first; unique, so that a slot that is
    /// in use again is not taken for the one that was cancelled.
    order: u64,
    slot: u32,
}

/// All timers of an executor.
pub struct Timers {
    near: BinaryHeap<Reverse<Entry>>,
    far: Vec<Vec<Entry>>,
    far_count: usize,
    /// The first second whose bucket has not come to the heap yet.
    bucket: u64,
    slots: Vec<Slot>,
    free: Vec<u32>,
    orders: u64,
}

struct Slot {
    /// 0 while it is free.
    order: u64,
    waker: Option<Waker>,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            near: BinaryHeap::new(),
            far: vec![Vec::new(); BUCKETS as usize],
            far_count: 0,
            bucket: 0,
            slots: Vec::new(),
            free: Vec::new(),
            orders: 0,
        }
    }
}

impl Timers {
    /// Sets a timer for a time after `now`.
    pub fn set(&mut self, now: Micros, at: Micros, waker: Waker) -> TimerId {
        self.orders += 1;
        let order = self.orders;
        let waker = Some(waker);
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Slot { order, waker };
                slot
            }
            None => {
                self.slots.push(Slot { order, waker });
                (self.slots.len() - 1) as u32
            }
        };
        let entry = Entry { at, order, slot };
        let this_second = now / SECOND;
        if self.far_count == 0 {
            // Nothing waits: the buckets may skip the seconds that went by.
            self.bucket = self.bucket.max(this_second + 2);
        }
        let second = at / SECOND;
        if second >= self.bucket && second < self.bucket + BUCKETS {
            self.far[(second % BUCKETS) as usize].push(entry);
            self.far_count += 1;
        } else {
            self.near.push(Reverse(entry));
        }
        TimerId { slot, order }
    }

    /// Wakes another task than before.
    pub fn rearm(&mut self, timer: TimerId, waker: &Waker) {
        let slot = &mut self.slots[timer.slot as usize];
        if slot.order == timer.order
            && let Some(known) = &mut slot.waker
        {
            known.clone_from(waker);
        }
    }

    /// Forgets a timer, unless it has fired. Its waker is for the caller to
    /// drop.
    pub fn cancel(&mut self, timer: TimerId) -> Option<Waker> {
        (self.slots[timer.slot as usize].order == timer.order)
            .then(|| self.release(timer.slot))
            .flatten()
    }

    /// Takes the earliest timer that is due by `end`.
    pub fn pop(&mut self, end: Micros) -> Option<(Micros, Waker)> {
        loop {
            let next = self.near.peek().map(|Reverse(entry)| entry.at);
            if self.far_count > 0 && next.is_none_or(|at| at >= self.bucket * SECOND) {
                self.bring_near();
                continue;
            }
            if next? > end {
                return None;
            }
            let Reverse(entry) = self.near.pop()?;
            if self.slots[entry.slot as usize].order == entry.order
                && let Some(waker) = self.release(entry.slot)
            {
                return Some((entry.at, waker));
            }
        }
    }

    /// How many timers stand.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether none stands.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bring_near(&mut self) {
        let place = (self.bucket % BUCKETS) as usize;
        let mut entries = std::mem::take(&mut self.far[place]);
        self.far_count -= entries.len();
        for entry in entries.drain(..) {
            if self.slots[entry.slot as usize].order == entry.order {
                self.near.push(Reverse(entry));
            }
        }
        // The bucket keeps its memory for the next time around.
        self.far[place] = entries;
        self.bucket += 1;
    }

    fn release(&mut self, slot: u32) -> Option<Waker> {
        let place = &mut self.slots[slot as usize];
        place.order = 0;
        self.free.push(slot);
        place.waker.take()
    }
}
