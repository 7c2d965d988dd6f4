//! How often and how long everything is measured.

use std::time::Duration;

/// How often and how long.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Whether only the central figures are wanted.
    pub quick: bool,
    /// In each, all proxies take a turn.
    pub rounds: u32,
    /// Of load, for each turn.
    pub load: Duration,
    /// Of load before the first round: connections, caches, and what is compiled late.
    pub warm_up: Duration,
    /// The size of the large body.
    pub bulk_bytes: u64,
    /// Of single requests: fresh instances, cold starts.
    pub repetitions: usize,
}

impl Plan {
    /// The plan of a full or a quick run, with the user's own numbers.
    pub fn new(quick: bool, rounds: Option<u32>, seconds: Option<u64>) -> Self {
        Self {
            quick,
            rounds: rounds.unwrap_or(if quick { 3 } else { 5 }),
            load: Duration::from_secs(seconds.unwrap_or(if quick { 2 } else { 6 })),
            warm_up: Duration::from_secs(1),
            bulk_bytes: 1 << 30,
            repetitions: 50,
        }
    }
}
