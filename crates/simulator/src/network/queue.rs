//! A target of limited capacity: some servers, one queue, first come first
//! served.
//!
//! With arrivals in order of time, when a server is free next is all there is
//! to know (the recursion of Kiefer and Wolfowitz, 1955), so a request costs no
//! event of its own.

use crate::clock::Micros;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The servers of one target.
#[derive(Clone, Debug)]
pub struct Queue {
    /// When each server is free.
    free_at: BinaryHeap<Reverse<Micros>>,
    /// Who would wait longer than this is turned away.
    longest_wait: Micros,
}

impl Queue {
    /// `servers` that are all free.
    #[must_use]
    pub fn new(servers: usize, longest_wait: Micros) -> Self {
        Self {
            free_at: vec![Reverse(0); servers.max(1)].into(),
            longest_wait,
        }
    }

    /// How long one who came now would wait.
    #[must_use]
    pub fn wait(&self, now: Micros) -> Micros {
        self.free_at
            .peek()
            .map_or(0, |Reverse(free)| free.saturating_sub(now))
    }

    /// Takes `service` of a server's time. Returns when it is done, or `None`
    /// when the queue is too long.
    pub fn enter(&mut self, now: Micros, service: Micros) -> Option<Micros> {
        let wait = self.wait(now);
        if wait > self.longest_wait {
            return None;
        }
        let done = now + wait + service;
        let mut next = self.free_at.peek_mut()?;
        *next = Reverse(done);
        Some(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    /// The mean time in an M/M/c queue at `load`, in mean service times.
    fn simulated(servers: usize, load: f64) -> f64 {
        const SERVICE: f64 = 10_000.0;
        let mut stream = Stream::new(3, Purpose::Network, servers as u64);
        let mut queue = Queue::new(servers, Micros::MAX);
        let (mut now, mut total, count) = (0.0, 0.0, 400_000);
        for _ in 0..count {
            now += stream.exponential() * SERVICE / (load * servers as f64);
            let service = (stream.exponential() * SERVICE) as Micros;
            total += queue.enter(now as Micros, service).unwrap() as f64 - now;
        }
        total / f64::from(count) / SERVICE
    }

    /// Erlang's C formula.
    fn theory(servers: usize, load: f64) -> f64 {
        let offered = load * servers as f64;
        let mut term = 1.0;
        let mut sum = 0.0;
        for k in 0..servers {
            sum += term;
            term *= offered / (k + 1) as f64;
        }
        let waits = term / (1.0 - load) / (sum + term / (1.0 - load));
        1.0 + waits / (servers as f64 * (1.0 - load))
    }

    #[test]
    fn mean_latency_is_that_of_queueing_theory() {
        assert!((theory(1, 0.5) - 2.0).abs() < 1e-9, "M/M/1: 1/(1 - load)");
        for (servers, load) in [(1, 0.5), (1, 0.8), (4, 0.7), (16, 0.7), (16, 0.9)] {
            let (found, wanted) = (simulated(servers, load), theory(servers, load));
            assert!(
                (found / wanted - 1.0).abs() < 0.05,
                "{servers} servers at {load}: {found} against {wanted}"
            );
        }
    }

    #[test]
    fn a_full_queue_turns_away() {
        let mut queue = Queue::new(1, 100);
        assert_eq!(queue.enter(0, 90), Some(90));
        assert_eq!(queue.enter(0, 90), Some(180));
        assert_eq!(queue.enter(0, 90), None);
        assert_eq!(queue.enter(90, 90), Some(270));
    }
}
