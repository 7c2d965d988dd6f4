//! What clients ask for, and when.

use crate::random::Stream;

/// A client's request.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Which it is at its location, by arrival.
    pub number: u64,
    /// POST, else GET.
    pub post: bool,
    /// What its endpoint costs a target that is well, ms.
    pub cost_ms: f64,
}

/// Endpoints: the share of requests, and the mean cost in ms. A mixture as
/// wide as that of a small shop: pages, lists, searches, reports.
const ENDPOINTS: [(f64, f64); 4] = [(0.60, 3.0), (0.25, 10.0), (0.10, 40.0), (0.05, 150.0)];

/// The deviation of a cost's logarithm within its endpoint.
const COST_SIGMA: f64 = 0.25;

/// What a probe's path costs, ms.
pub const PROBE_COST_MS: f64 = 1.0;

/// The mean cost of a request, ms.
#[must_use]
pub fn mean_cost_ms() -> f64 {
    ENDPOINTS.iter().map(|(share, ms)| share * ms).sum()
}

/// Draws a location's requests, one after the other.
#[derive(Debug)]
pub struct Traffic {
    stream: Stream,
    count: u64,
    mean_gap_ms: f64,
    posts: f64,
}

impl Traffic {
    /// Poisson arrivals of `rate` per second.
    #[must_use]
    pub fn new(stream: Stream, rate: f64, posts: f64) -> Self {
        Self {
            stream,
            count: 0,
            mean_gap_ms: 1e3 / rate,
            posts,
        }
    }

    /// How long until the next request, ms, and what it asks.
    pub fn draw(&mut self) -> (f64, Ask) {
        self.count += 1;
        let gap = self.stream.exponential() * self.mean_gap_ms;
        let mut pick = self.stream.uniform();
        let post = pick < self.posts;
        pick = self.stream.uniform();
        let mut mean = ENDPOINTS[0].1;
        for (share, cost) in ENDPOINTS {
            mean = cost;
            if pick < share {
                break;
            }
            pick -= share;
        }
        let ask = Ask {
            number: self.count,
            post,
            cost_ms: mean * self.stream.lognormal(COST_SIGMA),
        };
        (gap, ask)
    }
}
