//! More than one attempt at a time: hedging, the raced cold start, and the
//! attempt whose target turns out to be lost while it waits.

use crate::attempt::{Event, Step};
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::settings::ColdStart;

impl Engine {
    /// The request may go to another target as well, since no head has come
    /// within [`crate::Forward::widen_ms`]. First good head wins; the host drops
    /// the others.
    pub fn widen(&mut self, exchange: Exchange, now: f64) -> Option<Step> {
        let most = if exchange.racing {
            self.settings.max_probes
        } else {
            self.settings.max_attempts
        };
        // A race takes the place of the probes; a hedge is a retry before its
        // time, and costs the targets the same.
        self.another(exchange, most, !exchange.racing, now)
    }

    /// When [`Engine::widen`] is to be asked, ms after the attempt's start.
    pub(crate) fn widen_after(&self, x: &Exchange) -> f64 {
        // A body is read once; two attempts cannot both have it.
        if x.racing {
            0.0
        } else if self.settings.hedge_ms > 0 && x.may_run_twice() {
            f64::from(self.settings.hedge_ms)
        } else {
            f64::INFINITY
        }
    }

    /// Whether a cold request is raced to the targets: the one that finds
    /// nothing known and no round running.
    pub(crate) fn may_race(&self, x: &Exchange, now: f64) -> bool {
        self.settings.cold_start == ColdStart::Race && x.may_run_twice() && !self.round_runs(now)
    }

    /// Of two attempts that run at once, one is lost, and the other still runs:
    /// what it says of its target.
    pub fn note(&mut self, exchange: &mut Exchange, event: &Event, now: f64) {
        exchange.heard(event);
        match *event {
            Event::Response {
                status,
                retry_after_ms,
                head_ms,
                ..
            } => self.note_status(exchange, status, retry_after_ms, head_ms, now),
            Event::Failed { failure, .. } => self.note_failure(exchange, failure, now),
            _ => {}
        }
    }

    /// The head of an attempt is overdue. True when a round of probes should
    /// start: only a probe can tell a slow endpoint from a dead target.
    pub fn overdue(&mut self, now: f64) -> bool {
        self.wants_round(false, now)
    }

    /// Whether an attempt that still waits should be given up, since a probe
    /// has found its target dead meanwhile and another may have the request.
    #[must_use]
    pub fn is_lost(&self, exchange: &Exchange) -> bool {
        exchange.repeatable
            && self.health[exchange.target].is_ejected()
            && exchange.attempts() < self.settings.max_attempts
            && self.health.iter().any(|health| !health.is_ejected())
    }
}
