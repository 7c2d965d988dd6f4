//! One request, from the first step to the last: do the action, report the event,
//! start the work that may run beside it.

use crate::attempts::Attempts;
use crate::platform::Platform;
use crate::{round, store};
use function_fetch_engine::{
    Action, Engine, Event, Failure, LocalReply, Millis, Request, Step, Timestamp,
};
use futures::future::{Either, select};
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

/// What the client gets.
#[derive(Debug)]
pub enum Outcome<R> {
    /// A target's response, as it is.
    Relay {
        /// The response.
        response: R,
        /// With `FETCH_EXPLAIN`.
        explanation: Option<Explanation>,
    },
    /// A response that the proxy makes itself.
    Reply(LocalReply),
}

/// How a response came about.
#[derive(Debug)]
pub struct Explanation {
    /// Its `Proxy-Status`.
    pub proxy_status: String,
    /// From the request's arrival to the response's head.
    pub elapsed: Millis,
}

/// Serves one request: carries out the engine's actions until one ends it.
pub async fn serve<P: Platform>(
    platform: &P,
    about: &Request<'_>,
    request: &mut P::Request,
) -> Outcome<P::Response> {
    // A host's clock is a call out of the component, so it is read only where somebody asks.
    let started = platform
        .engine(|engine| engine.settings().explain)
        .then(|| platform.monotonic());
    let mut attempts = Attempts::new();
    let mut step = ask(platform, |engine, now| engine.begin(about, now));
    loop {
        start_background(platform, &step);
        let event = match &step.action {
            Action::ReadStore => match store::read(platform, step.wake_after).await {
                Ok(value) => Event::StoreRead(value),
                Err(_) => Event::StoreFailed,
            },
            Action::AwaitRound => {
                await_round(platform, step.wake_after).await;
                Event::RoundReady
            }
            Action::Send(attempt) => match attempts.send(platform, attempt, request).await {
                Some(failed) => failed,
                None => attempts.next(platform, &step, request).await,
            },
            Action::Cancel { target, failure } => {
                attempts.cancel(platform, *target, *failure, request).await
            }
            Action::Wait => {
                yield_now().await;
                attempts.next(platform, &step, request).await
            }
            Action::Relay => {
                // The engine relays only after an `Event::Response`.
                let Some(response) = attempts.response.take() else {
                    return Outcome::Reply(LocalReply::failed(Failure::InternalError));
                };
                let status = platform.head(&response).status;
                let explanation = started.and_then(|started| {
                    Some(Explanation {
                        proxy_status: platform
                            .engine(|engine| engine.explain(&step.state, status))?,
                        elapsed: platform.monotonic() - started,
                    })
                });
                return Outcome::Relay {
                    response,
                    explanation,
                };
            }
            Action::Reply(reply) => return Outcome::Reply(reply.clone()),
        };
        step = ask(platform, |engine, now| {
            engine.settle(step.state, event, now)
        });
    }
}

/// Lets what was spawned begin: WASI 0.3 polls it only with the task that spawned
/// it, which may have nothing else to be polled for until its time-out.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn await_round<P: Platform>(platform: &P, timeout: Millis) {
    let ready = async {
        while !ask(platform, |engine, now| engine.round_is_ready(now)) {
            platform.round_progress().await;
        }
    };
    within(platform, timeout, ready).await;
}

fn start_background<P: Platform>(platform: &P, step: &Step) {
    if step.round
        && let Some(round) = ask(platform, |engine, now| engine.start_round(now))
    {
        platform.spawn(round::run(platform.clone(), round));
    }
    if step.write {
        store::write_due(platform);
    }
}

/// A call into the engine, after which its notices are reported.
pub fn ask<P: Platform, R>(platform: &P, call: impl FnOnce(&mut Engine, Timestamp) -> R) -> R {
    let now = platform.now();
    let (result, notices) = platform.engine(|engine| (call(engine, now), engine.take_notices(now)));
    for notice in &notices {
        platform.notice(notice);
    }
    result
}

/// The result of `work`, or `None` if it takes longer; then it is dropped.
pub(crate) async fn within<P: Platform, T>(
    platform: &P,
    time: Millis,
    work: impl Future<Output = T>,
) -> Option<T> {
    until(platform, time, pin!(pending()), work).await
}

/// The result of `work`, or `None` if `time` has passed or `event` has happened
/// first.
pub(crate) async fn until<P: Platform, T>(
    platform: &P,
    time: Millis,
    event: Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let timer = async {
        if time.is_finite() {
            platform.sleep(time).await;
        } else {
            pending().await
        }
    };
    match select(pin!(work), select(pin!(timer), event)).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}
