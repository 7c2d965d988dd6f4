//! What a client may take of the server: connections, memory and time.

use std::time::Duration;

/// The least that a request head may be limited to: what hyper reads at once.
pub(crate) const LEAST_HEADER_BYTES: usize = 8 * 1024;

/// Limits on clients. Each has a flag of `function-fetch serve`.
#[derive(Debug, Clone)]
pub struct ClientLimits {
    /// Connections at the same time; the next one is told 503 and closed. Default: 10,000.
    pub max_connections: usize,
    /// Size of a request head, at least 8 KiB; a larger one gets 431. Default: 64 KiB, half of what wasmtime hands to a
    /// component.
    pub max_header_bytes: usize,
    /// Fields of a request head; more get 431. Default: 500.
    pub max_header_fields: usize,
    /// From the first byte of a request head to its last. Default: 30 s.
    pub header_timeout: Duration,
    /// How long a connection is kept on which no request is under way. Longer than what proxies and balancers in front
    /// keep theirs, so that it is they who close: default 75 s.
    pub idle_timeout: Duration,
    /// How long the next piece of a request's body is waited for. Default: 60 s.
    pub body_timeout: Duration,
    /// How long a client may take nothing of a response that is there. Default: 60 s.
    pub write_timeout: Duration,
    /// Requests at the same time on one connection of HTTP/2. Default: 100.
    pub max_concurrent_streams: u32,
    /// How long a connection of HTTP/2 may be silent before it is pinged, and how long the answer may take.
    /// Default: 30 s.
    pub ping_interval: Duration,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_header_bytes: 64 * 1024,
            max_header_fields: 500,
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            max_concurrent_streams: 100,
            ping_interval: Duration::from_secs(30),
        }
    }
}
