//! Policies that measure nothing: the order of the list, and turns.
//!
//! *Static order* is Caddy's `lb_policy first` with `lb_retries 2` and, as by
//! default, no health checks
//! (<https://caddyserver.com/docs/caddyfile/directives/reverse_proxy>).
//!
//! *Round robin* is nginx's default: the next in turn, and a target that failed
//! gets nothing for 10 s (`max_fails=1 fail_timeout=10s`,
//! <https://nginx.org/en/docs/http/ngx_http_upstream_module.html>); failed
//! requests go on as with `proxy_next_upstream error timeout http_502 http_503
//! http_504`, non-idempotent ones only when nothing was sent.

use crate::clock::{Micros, SECOND};
use crate::metrics::Answer;
use crate::policy::{Policy, Site};
use crate::traffic::Ask;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The list from its top, for every request.
pub struct StaticOrder {
    site: Site,
}

impl StaticOrder {
    /// See the module.
    #[must_use]
    pub fn new(site: Site) -> Self {
        Self { site }
    }
}

impl Policy for StaticOrder {
    async fn serve(self: Rc<Self>, ask: Ask) -> Answer {
        let order = 0..self.site.network.targets();
        self.site.try_in_order(&ask, order, |_, _| {}).await
    }
}

/// How long a target that failed is left out.
const FAIL_TIMEOUT: Micros = 10 * SECOND;

/// Each target in turn.
pub struct RoundRobin {
    site: Site,
    next: Cell<usize>,
    out_until: RefCell<Vec<Micros>>,
}

impl RoundRobin {
    /// See the module.
    #[must_use]
    pub fn new(site: Site) -> Self {
        Self {
            next: Cell::new(site.number),
            out_until: RefCell::new(vec![0; site.network.targets()]),
            site,
        }
    }
}

impl Policy for RoundRobin {
    async fn serve(self: Rc<Self>, ask: Ask) -> Answer {
        let executor = self.site.network.executor();
        let count = self.site.network.targets();
        let turn = self.next.replace((self.next.get() + 1) % count);
        let in_turn = (0..count).map(|step| (turn + step) % count);
        let now = executor.now();
        let mut order: Vec<usize> = {
            let out_until = self.out_until.borrow();
            in_turn
                .clone()
                .filter(|target| out_until[*target] <= now)
                .collect()
        };
        if order.is_empty() {
            order = in_turn.collect();
        }
        self.site
            .try_in_order(&ask, order, |target, outcome| {
                if !matches!(outcome, Ok(..500)) {
                    let out_until = &mut self.out_until.borrow_mut()[target];
                    let now = executor.now();
                    if *out_until <= now {
                        self.site.network.recorder().ejection(now);
                    }
                    *out_until = now + FAIL_TIMEOUT;
                }
            })
            .await
    }
}
