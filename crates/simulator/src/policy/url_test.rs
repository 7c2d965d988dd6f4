//! *url-test with tolerance*, as in sing-box: every target is tested each 3
//! minutes, and another one is selected only when it beats the selected one by
//! more than 50 ms, or when the selected one failed its test
//! (<https://sing-box.sagernet.org/configuration/outbound/urltest/>).
//!
//! A request that fails is not sent anywhere else (the group dials the selected
//! outbound alone) but forgets the target's result, so that the next selection
//! passes it over until a test succeeds. One long-lived process in each
//! location: nothing is shared, nothing is stored.

use crate::clock::{MINUTE, Micros};
use crate::metrics::Answer;
use crate::policy::{Policy, Site};
use crate::traffic::Ask;
use futures::future::join_all;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Between two tests: sing-box's default.
const INTERVAL: Micros = 3 * MINUTE;

/// By how much another one must be better, ms: sing-box's default.
const TOLERANCE_MS: f64 = 50.0;

/// A location that tests.
pub struct UrlTest {
    site: Site,
    shared: Rc<Shared>,
}

struct Shared {
    results: RefCell<Vec<Option<f64>>>,
    selected: Cell<usize>,
}

impl UrlTest {
    /// Starts the first test at once, and the others at times of its own.
    #[must_use]
    pub fn new(site: Site) -> Self {
        let shared = Rc::new(Shared {
            results: RefCell::new(vec![None; site.network.targets()]),
            selected: Cell::new(0),
        });
        let (prober, results) = (site.clone(), Rc::clone(&shared));
        let offset = (site.dice().uniform() * INTERVAL as f64) as Micros;
        let executor = site.network.executor().clone();
        let timer = executor.clone();
        executor.spawn(async move {
            results.test(&prober).await;
            timer.sleep_until(timer.now() + offset).await;
            loop {
                results.test(&prober).await;
                timer.sleep_until(timer.now() + INTERVAL).await;
            }
        });
        Self { site, shared }
    }
}

impl Shared {
    async fn test(&self, site: &Site) {
        let probes = (0..site.network.targets()).map(|target| site.probe(target));
        *self.results.borrow_mut() = join_all(probes).await;
        self.select();
    }

    fn select(&self) {
        let results = self.results.borrow();
        let known = results
            .iter()
            .enumerate()
            .filter_map(|(target, ms)| ms.map(|ms| (target, ms)));
        let Some((best, best_ms)) = known.min_by(|a, b| a.1.total_cmp(&b.1)) else {
            return;
        };
        let keeps = results[self.selected.get()].is_some_and(|ms| best_ms + TOLERANCE_MS >= ms);
        if !keeps {
            self.selected.set(best);
        }
    }
}

impl Policy for UrlTest {
    async fn serve(self: Rc<Self>, ask: Ask) -> Answer {
        let target = self.shared.selected.get();
        self.site
            .try_in_order(&ask, [target], |target, outcome| {
                // A group dials: what it sees fail is the connection.
                if outcome.is_err() {
                    self.shared.results.borrow_mut()[target] = None;
                    self.shared.select();
                }
            })
            .await
    }
}
