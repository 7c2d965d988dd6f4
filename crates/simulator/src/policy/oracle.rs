//! The lower bound: knows what each target would take at this instant, its
//! queue, what is under way to it and its faults included, and sends each
//! request to the best; to a queue with some courtesy towards those behind.

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

impl Oracle {
    fn best(&self, ask: &Ask) -> usize {
        let Site {
            network, location, ..
        } = &self.site;
        let mut best = 0;
        let mut least = f64::INFINITY;
        for target in 0..network.targets() {
            let ms = network.expected_ms(*location, target, ask);
            if ms < least {
                (best, least) = (target, ms);
            }
        }
        network.foresee(*location, best, ask.cost_ms);
        best
    }
}

impl Policy for Oracle {
    async fn serve(self: Rc<Self>, ask: Ask) -> Answer {
        // It sees the present: what dies with a request under way is tried
        // again, and the best is another one by then.
        let order = std::iter::repeat_with(|| self.best(&ask));
        self.site.try_in_order(&ask, order, |_, _| {}).await
    }
}
