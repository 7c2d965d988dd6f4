//! One request, from the first step to the last.

use crate::platform::Platform;
use crate::{attempt, round, store};
use function_fetch_engine::{Action, Engine, Event, Exchange, Failure, Reply, Request, Step};
use futures::future::{Either, select};
use std::future::Future;
use std::pin::pin;

/// What the client gets.
#[derive(Debug)]
pub enum Outcome<R> {
    /// A target's response, as it is.
    Relay {
        /// The response.
        response: R,
        /// Its `Proxy-Status`, with `FETCH_EXPLAIN`.
        explain: Option<String>,
        /// From the request's arrival to this head, ms.
        elapsed_ms: f64,
    },
    /// The proxy's own words.
    Reply(Reply),
}

/// Serves one request: does what the engine says until an action ends it.
pub async fn serve<P: Platform>(
    platform: &P,
    about: &Request<'_>,
    request: &mut P::Request,
) -> Outcome<P::Response> {
    let started = platform.monotonic_ms();
    let mut response = None;
    let mut step = ask(platform, |engine, now| engine.begin(about, now));
    loop {
        start_background(platform, &step);
        let exchange = step.exchange;
        step = match step.action {
            Action::ReadStore => match store::read(platform).await {
                Ok(value) => settle(platform, exchange, Event::StoreRead(value)),
                Err(_) => settle(platform, exchange, Event::StoreFailed),
            },
            Action::AwaitRound { timeout_ms } => {
                await_round(platform, timeout_ms).await;
                settle(platform, exchange, Event::RoundReady)
            }
            Action::Forward(forward) => {
                attempt::run(platform, exchange, forward, request, &mut response).await
            }
            Action::Relay => {
                // The engine says so only after an `Event::Response`.
                let Some(response) = response else {
                    return Outcome::Reply(Reply::failed(Failure::InternalError));
                };
                let status = platform.head(&response).status;
                return Outcome::Relay {
                    explain: platform.engine(|engine| engine.explain(&exchange, status)),
                    elapsed_ms: platform.monotonic_ms() - started,
                    response,
                };
            }
            Action::Reply(reply) => return Outcome::Reply(reply),
        };
    }
}

async fn await_round<P: Platform>(platform: &P, timeout_ms: f64) {
    let ready = async {
        while !ask(platform, |engine, now| engine.round_is_ready(now)) {
            platform.round_progress().await;
        }
    };
    within(platform, timeout_ms, ready).await;
}

fn settle<P: Platform>(platform: &P, exchange: Exchange, event: Event) -> Step {
    ask(platform, |engine, now| engine.settle(exchange, event, now))
}

pub(crate) fn start_background<P: Platform>(platform: &P, step: &Step) {
    if step.round {
        start_round(platform);
    }
    if step.write {
        store::write_due(platform);
    }
}

pub(crate) fn start_round<P: Platform>(platform: &P) {
    if let Some(round) = ask(platform, |engine, now| engine.start_round(now)) {
        platform.spawn(round::run(platform.clone(), round));
    }
}

/// A call into the engine, after which the operator hears what changed.
pub(crate) fn ask<P: Platform, R>(platform: &P, call: impl FnOnce(&mut Engine, f64) -> R) -> R {
    let now = platform.now_ms();
    let (result, notices) = platform.engine(|engine| (call(engine, now), engine.take_notices()));
    for notice in &notices {
        platform.notice(notice);
    }
    result
}

/// What `work` brings, or nothing when it takes longer; then it is dropped.
pub(crate) async fn within<P: Platform, T>(
    platform: &P,
    ms: f64,
    work: impl Future<Output = T>,
) -> Option<T> {
    if ms.is_infinite() {
        return Some(work.await);
    }
    match select(pin!(work), pin!(platform.sleep(ms))).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(((), _)) => None,
    }
}
