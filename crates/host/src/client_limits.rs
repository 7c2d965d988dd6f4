//! Limits on clients: connections, memory and time.

use std::time::Duration;

/// The smallest limit on request heads: hyper's read buffer.
pub(crate) const LEAST_HEADER_BYTES: usize = 8 * 1024;

/// Limits on clients. Each has a flag of `function-fetch serve`.
#[derive(Debug, Clone)]
pub struct ClientLimits {
    /// Connections at the same time; the next one gets 503 and is closed. Default: 10,000.
    pub max_connections: usize,
    /// Size of a request head, at least 8 KiB; a larger one gets 431. Default: 64 KiB, half of what wasmtime passes to
    /// a component.
    pub max_header_bytes: usize,
    /// Fields of a request head; more get 431. Default: 500.
    pub max_header_fields: usize,
    /// From the first byte of a request head to its last. Default: 30 s.
    pub header_timeout: Duration,
    /// How long a connection without a request is kept. Longer than proxies and load balancers in front keep theirs, so
    /// that they close first: default 75 s.
    pub idle_timeout: Duration,
    /// How long the next chunk of a request's body is waited for. Default: 60 s.
    pub body_timeout: Duration,
    /// How long a client may read nothing of a response. Default: 60 s.
    pub write_timeout: Duration,
    /// Concurrent requests on one HTTP/2 connection. Default: 100.
    pub max_concurrent_streams: u32,
    /// How long an HTTP/2 connection may be silent before it is pinged, and how long the reply may take. Default: 30 s.
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
