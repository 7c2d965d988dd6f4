//! A message on its way to a target, and its answer on the way back.

use crate::clock::from_ms;
use crate::executor::Sleep;
use crate::network::fault::{FaultKind, Scope};
use crate::network::{Message, Network};
use function_fetch_engine::Failure;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Resolves with the status, or with why there is none. Dropping it ends it,
/// and its connection; what a target's server has begun it still finishes.
pub struct Sending {
    network: Network,
    location: usize,
    target: usize,
    message: Message,
    /// Until the next thing happens; none when nothing ever will.
    sleep: Option<Sleep>,
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    /// It is back.
    Back(Result<u16, Failure>),
    /// It stands in the target's queue, for so much work, then so far back,
    /// with this status.
    Queue {
        service_ms: f64,
        back_ms: f64,
        status: u16,
    },
}

impl Sending {
    pub(super) fn start(
        network: &Network,
        location: usize,
        target: usize,
        message: Message,
        connect_ms: f64,
    ) -> Self {
        let now = network.0.executor.now();
        let link = network.link(location, target);
        let pool = &mut network.0.pools.borrow_mut()[link];
        let fault = network.fault(location, target, message);
        let scope = fault.map(|fault| fault.scope);
        let kind = fault.map(|fault| fault.kind);
        let round_trip = |slow: f64| {
            let median = network.round_trip_ms(location, target);
            network.jittered(location, median) * slow
        };
        let (after_ms, then) = match kind {
            Some(FaultKind::Hang) => {
                let sent = !message.is_pooled() || pool.take(now);
                let never = sent || connect_ms.is_infinite();
                let after = if never { f64::INFINITY } else { connect_ms };
                (after, Then::Back(Err(Failure::ConnectionTimeout)))
            }
            Some(FaultKind::Refuse) => {
                pool.reset();
                (round_trip(1.0), Then::Back(Err(Failure::ConnectionRefused)))
            }
            Some(FaultKind::Status(status, ms)) => (ms, Then::Back(Ok(status))),
            Some(FaultKind::Slow(_) | FaultKind::Stall | FaultKind::Answer(..)) | None => {
                let slow = match kind {
                    Some(FaultKind::Slow(factor)) => factor,
                    _ => 1.0,
                };
                let slow_to_connect = match scope {
                    Some(Scope::Everything) => slow,
                    _ => 1.0,
                };
                let handshake = if !message.is_pooled() || pool.take(now) {
                    0.0
                } else {
                    round_trip(slow_to_connect)
                };
                let there_and_back = round_trip(slow);
                let cost = network.cost_ms(location, message) * slow;
                let status = network.status(location, kind);
                if handshake > connect_ms {
                    (connect_ms, Then::Back(Err(Failure::ConnectionTimeout)))
                } else if kind == Some(FaultKind::Stall) {
                    (f64::INFINITY, Then::Back(Ok(status)))
                } else if let Some((_, pace)) = &network.0.queues.borrow()[target] {
                    let there = handshake + there_and_back / 2.0;
                    let queue = Then::Queue {
                        service_ms: cost * pace,
                        back_ms: there_and_back / 2.0,
                        status,
                    };
                    (there, queue)
                } else {
                    (handshake + there_and_back + cost, Then::Back(Ok(status)))
                }
            }
        };
        let sleep = after_ms
            .is_finite()
            .then(|| network.0.executor.sleep_until(now + from_ms(after_ms)));
        Self {
            network: network.clone(),
            location,
            target,
            message,
            sleep,
            then,
        }
    }

    fn step(&mut self) -> Option<Result<u16, Failure>> {
        let network = &self.network.0;
        let now = network.executor.now();
        match self.then {
            Then::Back(result) => {
                let link = self.network.link(self.location, self.target);
                let fault = self.network.fault(self.location, self.target, self.message);
                match fault.map(|fault| fault.kind) {
                    // It died with this under way.
                    Some(FaultKind::Refuse) if result == Ok(200) => {
                        network.pools.borrow_mut()[link].reset();
                        return Some(Err(Failure::ConnectionTerminated));
                    }
                    Some(FaultKind::Hang | FaultKind::Stall) if result == Ok(200) => {
                        self.sleep = None;
                        return None;
                    }
                    _ => {}
                }
                if result.is_ok() && self.message.is_pooled() {
                    network.pools.borrow_mut()[link].put(now);
                }
                Some(result)
            }
            Then::Queue {
                service_ms,
                back_ms,
                status,
            } => {
                let mut queues = network.queues.borrow_mut();
                let done = queues[self.target]
                    .as_mut()
                    .and_then(|(queue, _)| queue.enter(now, from_ms(service_ms)));
                let status = if done.is_some() { status } else { 503 };
                let back = done.unwrap_or(now) + from_ms(back_ms);
                self.then = Then::Back(Ok(status));
                self.sleep = Some(network.executor.sleep_until(back));
                None
            }
        }
    }
}

impl Future for Sending {
    type Output = Result<u16, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let Some(sleep) = &mut self.sleep else {
                return Poll::Pending;
            };
            ready!(Pin::new(sleep).poll(context));
            if let Some(result) = self.step() {
                return Poll::Ready(result);
            }
        }
    }
}
