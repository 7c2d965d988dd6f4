//! The counts that an instance of the component tells, as values.

use serde::Deserialize;

/// What an instance has done since it last told (`FETCH_STATS_SECONDS`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// Over how long.
    pub for_ms: u32,
    /// The requests that came.
    pub requests: u64,
    /// In the order of `FETCH_TARGETS`.
    pub targets: Vec<TargetStats>,
    /// What was done with the store.
    pub store: StoreStats,
    /// The target that is the primary now.
    pub primary: Option<String>,
    /// When the decision was measured, ms since the Unix epoch.
    pub measured_at: Option<f64>,
}

/// One target's part.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct TargetStats {
    /// The target.
    pub target: String,
    /// Whether it gets its requests now.
    pub healthy: bool,
    /// Requests that were sent to it.
    pub attempts: u64,
    /// Of these, after another attempt had failed.
    pub retries: u64,
    /// Of these, beside another attempt.
    pub hedges: u64,
    /// How often it was ejected.
    pub ejections: u64,
    /// Probes that failed.
    pub failed_probes: u64,
    /// How long probes took that found it healthy.
    pub probes: Times,
    /// How attempts ended.
    pub answers: Vec<Answers>,
}

/// The attempts of one method with one outcome.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Answers {
    /// The method.
    pub method: String,
    /// The status, where there was one.
    pub status: Option<u16>,
    /// Why there was none: an error type of RFC 9209.
    pub error: Option<String>,
    /// Until the response head, or the failure.
    pub times: Times,
}

/// A histogram.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Times {
    /// How many were no longer than each of the engine's bounds, and longer than the one before; the last one: than
    /// all. What is zero to the end is left out.
    pub counts: Vec<u64>,
    /// Their sum.
    pub sum_ms: f64,
}

/// What was done with the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StoreStats {
    /// Reads that went well.
    pub reads: u64,
    /// Reads that failed.
    pub failed_reads: u64,
    /// Writes that went well.
    pub writes: u64,
    /// Writes that failed.
    pub failed_writes: u64,
}
