//! The lower bound: knows what each target would take at this instant, its
//! queue and its faults included, and sends each request to the best.

use crate::metrics::Answer;
use crate::policy::{Policy, Site};
use crate::traffic::Ask;
use std::rc::Rc;

/// A location that knows everything.
pub struct Oracle {
    site: Site,
}

impl Oracle {
    /// See the module.
    #[must_use]
    pub fn new(site: Site) -> Self {
        Self { site }
    }
}

impl Policy for Oracle {
    async fn serve(self: Rc<Self>, ask: Ask) -> Answer {
        let Site {
            network, location, ..
        } = &self.site;
        let mut best = 0;
        let mut least = f64::INFINITY;
        for target in 0..network.targets() {
            let ms = network.expected_ms(*location, target, ask.cost_ms);
            if ms < least {
                (best, least) = (target, ms);
            }
        }
        // No other is better when this one fails after all.
        self.site.try_in_order(&ask, [best], |_, _| {}).await
    }
}
