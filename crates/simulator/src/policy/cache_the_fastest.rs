//! *Cache the fastest*: the rules of the TypeScript original
//! (`behaviour.md`, section 11).
//!
//! Without a decision it probes all targets and waits for the last; the fastest
//! is kept in memory and in the store for a TTL. Every success writes the key
//! again, so under traffic the TTL never ends and nothing is probed again. A
//! value of the store comes to memory with a full new TTL. A request that fails
//! goes on in list order, which changes nothing that is kept. No single flight:
//! requests that find no decision each probe for themselves.
//!
//! [`Renewal::Never`] is the same without that re-writing, as its author will
//! have meant it: each TTL ends, and then the fastest is found again, without
//! any margin. A failed first choice is forgotten at once.

use crate::clock::{Micros, SECOND};
use crate::metrics::Answer;
use crate::policy::fleet::Fleet;
use crate::policy::{Policy, Site};
use crate::traffic::Ask;
use futures::future::join_all;
use std::cell::Cell;
use std::rc::Rc;

/// `FETCH_CACHE_TTL_SECONDS`.
const TTL: Micros = 300 * SECOND;

/// When what is kept is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// By every success, as the original does.
    Always,
    /// Never.
    Never,
}

/// A location that caches the fastest.
pub struct CacheTheFastest {
    site: Site,
    renewal: Renewal,
    fleet: Fleet<Memory>,
}

/// The target, and until when it holds.
type Memory = Cell<Option<(usize, Micros)>>;

impl CacheTheFastest {
    /// See the module.
    #[must_use]
    pub fn new(site: Site, renewal: Renewal) -> Self {
        Self {
            fleet: Fleet::new(&site.network),
            renewal,
            site,
        }
    }

    async fn decide(&self, memory: &Memory) -> Option<usize> {
        let network = &self.site.network;
        let now = network.executor().now();
        if let Some((target, until)) = memory.get()
            && now < until
        {
            return Some(target);
        }
        // A record is the target and its age, in the store's own TTL.
        if let Ok(Some(value)) = network.store_get(self.site.location).await
            && let Some((target, until)) = decode(&value)
            && network.executor().now() < until
        {
            let until = match self.renewal {
                Renewal::Always => network.executor().now() + TTL,
                Renewal::Never => until,
            };
            memory.set(Some((target, until)));
            return Some(target);
        }
        let probes = (0..network.targets()).map(|target| self.site.probe(target));
        let found = join_all(probes).await;
        let healthy = found
            .iter()
            .enumerate()
            .filter_map(|(target, ms)| ms.map(|ms| (target, ms)));
        let (target, _) = healthy.min_by(|a, b| a.1.total_cmp(&b.1))?;
        self.keep(memory, target);
        Some(target)
    }

    /// Writes memory and store; nobody waits for the store.
    fn keep(&self, memory: &Memory, target: usize) {
        let executor = self.site.network.executor();
        let until = executor.now() + TTL;
        memory.set(Some((target, until)));
        let site = self.site.clone();
        executor.spawn(async move {
            let value = encode(target, until);
            // The original swallows errors, too.
            let _ = site.network.store_put(site.location, value).await;
        });
    }

    fn forget(&self, memory: &Memory) {
        memory.set(None);
        let site = self.site.clone();
        self.site.network.executor().spawn(async move {
            let _ = site.network.store_put(site.location, encode(0, 0)).await;
        });
    }
}

impl Policy for CacheTheFastest {
    async fn serve(self: Rc<Self>, ask: Ask) -> Answer {
        let lease = self.fleet.lease(Memory::default);
        let memory = lease.memory();
        let best = self.decide(memory).await;
        let others = (0..self.site.network.targets()).filter(|target| Some(*target) != best);
        let order: Vec<usize> = best.into_iter().chain(others).collect();
        let mut best_worked = false;
        let answer = self
            .site
            .try_in_order(&ask, order, |target, outcome| {
                best_worked |= Some(target) == best && matches!(outcome, Ok(..500));
            })
            .await;
        match (best, best_worked, self.renewal) {
            (Some(best), true, Renewal::Always) => self.keep(memory, best),
            (Some(_), false, Renewal::Never) => self.forget(memory),
            _ => {}
        }
        answer
    }
}

fn encode(target: usize, until: Micros) -> Vec<u8> {
    let mut value = until.to_le_bytes().to_vec();
    value.push(target as u8);
    value
}

fn decode(value: &[u8]) -> Option<(usize, Micros)> {
    let (until, target) = value.split_first_chunk()?;
    Some((usize::from(*target.first()?), Micros::from_le_bytes(*until)))
}
