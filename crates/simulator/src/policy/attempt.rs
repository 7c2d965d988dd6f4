//! What the compared policies share: one attempt, and its time-outs.
//!
//! The time-outs and the number of attempts are Function Fetch's own defaults,
//! so that policies differ in judgement and not in patience.

use crate::metrics::Answer;
use crate::network::Message;
use crate::policy::Site;
use crate::traffic::Ask;
use function_fetch_engine::Failure;
use function_fetch_engine::RetrySafety;
use futures::future::{Either, select};

/// `FETCH_MAX_ATTEMPTS`.
pub const MAX_ATTEMPTS: usize = 3;

/// `FETCH_CONNECT_TIMEOUT_MS`.
const CONNECT_MS: f64 = 3_000.0;

/// `FETCH_ATTEMPT_TIMEOUT_MS`.
const ATTEMPT_MS: f64 = 30_000.0;

/// `FETCH_HEALTH_TIMEOUT_MS`.
pub const PROBE_MS: f64 = 1_500.0;

/// How an attempt or a probe went.
pub type Outcome = Result<u16, Failure>;

impl Site {
    /// Sends a request once.
    pub async fn attempt(&self, ask: &Ask, target: usize) -> Outcome {
        self.send(
            target,
            Message::Request(ask.cost_ms),
            CONNECT_MS,
            ATTEMPT_MS,
        )
        .await
    }

    /// Probes a target: how long it took, ms, when it is healthy.
    pub async fn probe(&self, target: usize) -> Option<f64> {
        let executor = self.network.executor();
        let from = executor.now();
        let outcome = self
            .send(target, Message::Probe, f64::INFINITY, PROBE_MS)
            .await;
        let took = crate::clock::to_ms(executor.now() - from);
        matches!(outcome, Ok(200..=499)).then_some(took)
    }

    async fn send(&self, target: usize, message: Message, connect: f64, within: f64) -> Outcome {
        let sending = self.network.send(self.location, target, message, connect);
        let timeout = self.network.executor().sleep_ms(within);
        match select(sending, timeout).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Err(Failure::AttemptTimeout),
        }
    }

    /// Tries targets in an order, where and as long as a retry is allowed: the
    /// answer, and how each attempt went through `note`.
    pub async fn try_in_order(
        &self,
        ask: &Ask,
        order: impl IntoIterator<Item = usize>,
        mut note: impl FnMut(usize, &Outcome),
    ) -> Answer {
        let mut answer = Answer {
            status: 502,
            target: None,
            first: None,
        };
        for target in order.into_iter().take(MAX_ATTEMPTS) {
            answer.first.get_or_insert(target);
            let outcome = self.attempt(ask, target).await;
            note(target, &outcome);
            answer.hear(target, outcome);
            if !may_retry(ask, &outcome) {
                break;
            }
        }
        answer
    }
}

/// Whether a request may go to another target: anything but a POST that may
/// have been received.
#[must_use]
pub fn may_retry(ask: &Ask, outcome: &Outcome) -> bool {
    match outcome {
        Ok(status) => *status >= 500 && !ask.post,
        Err(failure) => !ask.post || failure.retry_safety() == RetrySafety::Always,
    }
}
