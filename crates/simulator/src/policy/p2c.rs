//! Power of two choices over peak EWMA of live traffic, as in Finagle and
//! Linkerd: of two targets drawn at random the one with the lower
//! `latency × (pending + 1)` gets the request
//! (<https://twitter.github.io/finagle/guide/Clients.html#power-of-two-choices-p2c-least-loaded>,
//! `PeakEwma.scala`; <https://linkerd.io/2/features/load-balancing/>).
//!
//! The latency jumps up with a slower sample and comes down by an EWMA that
//! decays in 10 s. Targets that fail are left out by failure accrual, see
//! [`crate::policy::accrual`]. Retries, of idempotent requests, are Finagle's
//! `RetryFilter` within our number of attempts; each draws again among the
//! untried.

use crate::clock::{Micros, to_ms};
use crate::metrics::Answer;
use crate::policy::accrual::{Accrual, Rule};
use crate::policy::attempt::{MAX_ATTEMPTS, Outcome, may_retry};
use crate::policy::{Policy, Site};
use crate::random::Stream;
use crate::traffic::Ask;
use std::cell::RefCell;
use std::rc::Rc;

/// The decay time of the EWMA, ms: Finagle's default.
const DECAY_MS: f64 = 10_000.0;

/// What an unmeasured target with requests pending is taken for, ms.
const PENALTY_MS: f64 = 1e9;

/// A location that balances by P2C.
pub struct P2c {
    site: Site,
    state: RefCell<State>,
}

struct State {
    dice: Stream,
    targets: Vec<Load>,
}

#[derive(Clone)]
struct Load {
    ewma_ms: f64,
    at: Micros,
    pending: u32,
    accrual: Accrual,
}

impl Load {
    fn decayed(&self, now: Micros) -> f64 {
        self.ewma_ms * (-to_ms(now - self.at) / DECAY_MS).exp()
    }

    fn cost(&self, now: Micros) -> f64 {
        let pending = f64::from(self.pending);
        if self.ewma_ms == 0.0 && self.pending > 0 {
            return PENALTY_MS + pending;
        }
        self.decayed(now) * (pending + 1.0)
    }

    fn observe(&mut self, ms: f64, now: Micros) {
        let decay = (-to_ms(now - self.at) / DECAY_MS).exp();
        self.ewma_ms = if ms > self.ewma_ms {
            ms
        } else {
            self.ewma_ms * decay + ms * (1.0 - decay)
        };
        self.at = now;
    }
}

impl P2c {
    /// See the module.
    #[must_use]
    pub fn new(site: Site, rule: Rule) -> Self {
        let load = Load {
            ewma_ms: 0.0,
            at: 0,
            pending: 0,
            accrual: Accrual::new(rule),
        };
        Self {
            state: RefCell::new(State {
                dice: site.dice(),
                targets: vec![load; site.network.targets()],
            }),
            site,
        }
    }

    fn pick(&self, tried: u32) -> Option<usize> {
        let now = self.site.network.executor().now();
        let State { dice, targets } = &mut *self.state.borrow_mut();
        let untried = |index: &usize| tried & (1 << index) == 0;
        let count = targets.len();
        let open = (0..count)
            .filter(untried)
            .filter(|index| targets[*index].accrual.is_open(now));
        let (mut some, mut length) = ([0usize; 32], 0);
        for index in open {
            some[length] = index;
            length += 1;
        }
        if length == 0 {
            // All are out: Finagle then ignores that.
            for index in (0..count).filter(untried) {
                some[length] = index;
                length += 1;
            }
        }
        if length == 0 {
            return None;
        }
        let first = dice.index(length);
        let picked = if length == 1 {
            some[first]
        } else {
            let second = (first + 1 + dice.index(length - 1)) % length;
            let (a, b) = (some[first], some[second]);
            if targets[b].cost(now) < targets[a].cost(now) {
                b
            } else {
                a
            }
        };
        let load = &mut targets[picked];
        load.pending += 1;
        load.accrual.chosen(now);
        Some(picked)
    }

    fn note(&self, target: usize, outcome: &Outcome, from: Micros) {
        let now = self.site.network.executor().now();
        let State { dice, targets } = &mut *self.state.borrow_mut();
        let load = &mut targets[target];
        load.pending -= 1;
        load.observe(to_ms(now - from), now);
        if matches!(outcome, Ok(..500)) {
            load.accrual.passed(now);
        } else if load.accrual.failed(now, dice.uniform()) {
            self.site.network.recorder().ejection(now);
        }
    }
}

impl Policy for P2c {
    async fn serve(self: Rc<Self>, ask: Ask) -> Answer {
        let executor = self.site.network.executor();
        let mut answer = Answer {
            status: 502,
            target: None,
            first: None,
        };
        let mut tried = 0;
        for _ in 0..MAX_ATTEMPTS {
            let Some(target) = self.pick(tried) else {
                break;
            };
            tried |= 1 << target;
            answer.first.get_or_insert(target);
            let from = executor.now();
            let outcome = self.site.attempt(&ask, target).await;
            self.note(target, &outcome, from);
            answer.hear(target, outcome);
            if !may_retry(&ask, &outcome) {
                break;
            }
        }
        answer
    }
}
