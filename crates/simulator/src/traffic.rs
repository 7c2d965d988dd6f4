//! What clients ask for, and when.

use crate::random::Stream;

/// A client's request.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Which it is at its location, by arrival.
    pub number: u64,
    /// POST, else GET.
    pub post: bool,
    /// Its endpoint's path.
    pub path: &'static str,
    /// What its endpoint costs a target that is well, ms.
    pub cost_ms: f64,
    /// Whether it is in the figures.
    pub counts: bool,
}

/// Where a share of the requests goes.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// Its path.
    pub path: &'static str,
    /// The share of requests.
    pub share: f64,
    /// The mean cost, ms.
    pub cost_ms: f64,
}

const fn endpoint(path: &'static str, share: f64, cost_ms: f64) -> Endpoint {
    Endpoint {
        path,
        share,
        cost_ms,
    }
}

/// A mixture as wide as that of a small shop: pages, lists, searches, reports.
pub const SHOP: &[Endpoint] = &[
    endpoint("/page", 0.60, 3.0),
    endpoint("/list", 0.25, 10.0),
    endpoint("/search", 0.10, 40.0),
    endpoint("/report", 0.05, 150.0),
];

/// Cheap or expensive, and nothing in between: no mean latency of such traffic
/// says anything of a target.
pub const CHEAP_AND_EXPENSIVE: &[Endpoint] = &[
    endpoint("/page", 0.80, 3.0),
    endpoint(EXPENSIVE, 0.20, 400.0),
];

/// The path of the expensive one.
pub const EXPENSIVE: &str = "/report";

/// The deviation of a cost's logarithm within its endpoint.
const COST_SIGMA: f64 = 0.25;

/// What a probe's path costs, ms.
pub const PROBE_COST_MS: f64 = 1.0;

/// The mean cost of a request, ms.
#[must_use]
pub fn mean_cost_ms(endpoints: &[Endpoint]) -> f64 {
    endpoints
        .iter()
        .map(|endpoint| endpoint.share * endpoint.cost_ms)
        .sum()
}

/// Draws some clients' requests, one after the other.
#[derive(Debug)]
pub struct Traffic {
    stream: Stream,
    mean_gap_ms: f64,
    posts: f64,
    endpoints: &'static [Endpoint],
    counts: bool,
}

impl Traffic {
    /// Poisson arrivals of `rate` per second.
    #[must_use]
    pub fn new(stream: Stream, rate: f64, posts: f64, endpoints: &'static [Endpoint]) -> Self {
        Self {
            stream,
            mean_gap_ms: 1e3 / rate,
            posts,
            endpoints,
            counts: true,
        }
    }

    /// The same, left out of the figures.
    #[must_use]
    pub fn uncounted(self) -> Self {
        Self {
            counts: false,
            ..self
        }
    }

    /// How long until the next request, ms, and what it asks. Its number is for
    /// the caller to give.
    pub fn draw(&mut self) -> (f64, Ask) {
        let gap = self.stream.exponential() * self.mean_gap_ms;
        let mut pick = self.stream.uniform();
        let post = pick < self.posts;
        pick = self.stream.uniform();
        let mut drawn = self.endpoints[0];
        for endpoint in self.endpoints {
            drawn = *endpoint;
            if pick < endpoint.share {
                break;
            }
            pick -= endpoint.share;
        }
        let ask = Ask {
            number: 0,
            post,
            path: drawn.path,
            cost_ms: drawn.cost_ms * self.stream.lognormal(COST_SIGMA),
            counts: self.counts,
        };
        (gap, ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn endpoints_get_their_shares_and_cost_what_they_cost() {
        let stream = Stream::new(1, Purpose::Traffic, 0);
        let mut traffic = Traffic::new(stream, 10.0, 0.1, CHEAP_AND_EXPENSIVE);
        let asks: Vec<Ask> = (0..20_000).map(|_| traffic.draw().1).collect();
        let share =
            |which: fn(&&Ask) -> bool| asks.iter().filter(which).count() as f64 / asks.len() as f64;
        assert!((share(|ask| ask.path == EXPENSIVE) - 0.2).abs() < 0.01);
        assert!((share(|ask| ask.post) - 0.1).abs() < 0.01);
        let cost = asks.iter().map(|ask| ask.cost_ms).sum::<f64>() / asks.len() as f64;
        let wanted = mean_cost_ms(CHEAP_AND_EXPENSIVE);
        assert!((cost / wanted - 1.0).abs() < 0.03, "{cost} for {wanted}");
    }
}
