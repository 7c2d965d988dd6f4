//! Attempts under way: usually one, two with a hedge, several in a raced cold
//! start.

use crate::exchange::{ask, start_background, start_round, within};
use crate::platform::Platform;
use function_fetch_engine::{Event, Exchange, Failure, Forward, Step};
use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use std::future::pending;
use std::pin::pin;

/// How an attempt ended.
struct Ended<R> {
    forward: Forward,
    head_ms: f64,
    /// Whether it may have met no more than a closed connection.
    hung_up: bool,
    result: Result<R, End>,
}

/// Why there is no head.
enum End {
    Failed(Failure),
    /// A probe has found the target dead meanwhile.
    Lost,
}

/// Makes the attempt that the engine called for, and others beside it where it
/// says so; what it says to how they went. The last real response is left in
/// `response`; attempts that lost are dropped, which cancels them.
pub(crate) async fn run<P: Platform>(
    platform: &P,
    mut exchange: Exchange,
    forward: Forward,
    request: &mut P::Request,
    response: &mut Option<P::Response>,
) -> Step {
    // An earlier attempt may have been answered while it still took the body;
    // if it took more than can be sent again, this one must not start.
    if exchange.attempts() > 1 {
        let body = platform.reclaim(request).await;
        if !body.can_be_sent() {
            let failure = Failure::InternalError;
            let event = Event::Failed { failure, body };
            return ask(platform, |engine, now| engine.settle(exchange, event, now));
        }
    }
    let mut running = FuturesUnordered::new();
    running.push(one(platform, exchange, forward, request));
    let mut widen_ms = forward.widen_ms;
    let mut sent_once_more = false;
    loop {
        let widen = async move {
            if widen_ms.is_finite() {
                platform.sleep(widen_ms).await;
            } else {
                pending::<()>().await;
            }
        };
        let ended = match select(running.next(), pin!(widen)).await {
            Either::Left((Some(ended), _)) => ended,
            Either::Left((None, _)) => unreachable!("it settles when the last one has ended"),
            Either::Right(((), _)) => {
                widen_ms = f64::INFINITY;
                if let Some(step) = ask(platform, |engine, now| engine.widen(exchange, now)) {
                    start_background(platform, &step);
                    exchange = step.exchange;
                    if let function_fetch_engine::Action::Forward(forward) = step.action {
                        widen_ms = forward.widen_ms;
                        running.push(one(platform, exchange, forward, request));
                    }
                }
                continue;
            }
        };
        exchange = exchange.at(ended.forward.target);
        let (event, good) = match ended.result {
            Ok(head) => {
                let facts = platform.head(&head);
                *response = Some(head);
                let event = Event::Response {
                    status: facts.status,
                    retry_after_ms: facts.retry_after_ms,
                    head_ms: ended.head_ms,
                    body: platform.body(request),
                };
                (
                    event,
                    platform.engine(|engine| engine.is_good(facts.status)),
                )
            }
            Err(end) => {
                let body = platform.reclaim(request).await;
                if ended.hung_up
                    && !sent_once_more
                    && platform.hides_closed_connections(request)
                    && exchange.repeatable
                    && body.can_be_sent()
                {
                    sent_once_more = true;
                    let timeout_ms = ended.forward.timeout_ms - ended.head_ms;
                    let forward = Forward {
                        timeout_ms,
                        ..ended.forward
                    };
                    running.push(one(platform, exchange, forward, request));
                    continue;
                }
                let event = match end {
                    End::Failed(failure) => Event::Failed { failure, body },
                    End::Lost => Event::Lost { body },
                };
                (event, false)
            }
        };
        if good || running.is_empty() {
            return ask(platform, |engine, now| engine.settle(exchange, event, now));
        }
        ask(platform, |engine, now| {
            engine.note(&mut exchange, &event, now);
        });
    }
}

/// One attempt, up to its response's head.
fn one<'a, P: Platform>(
    platform: &'a P,
    exchange: Exchange,
    forward: Forward,
    request: &mut P::Request,
) -> impl Future<Output = Ended<P::Response>> + use<'a, P> {
    let target = platform.engine(|engine| engine.settings().targets[forward.target].clone());
    let sending = platform.send(request, &target, &forward);
    let uploaded = platform.upload_progress(request);
    async move {
        let started = platform.monotonic_ms();
        // The time that the client takes to send its body is not the target's.
        let quiet_ms = || (platform.monotonic_ms() - started.max(uploaded.get())).max(0.0);
        let result = watch(platform, &exchange, &forward, sending, quiet_ms).await;
        let hung_up =
            matches!(&result, Err(End::Failed(failure)) if failure.may_be_closed_connection());
        Ended {
            forward,
            head_ms: platform.monotonic_ms() - started,
            hung_up,
            result: result.and_then(|response| final_response(platform, response)),
        }
    }
}

/// A response that can be handed on. None has asked for an upgrade, so an
/// interim status is none, and above 599 there is nothing (RFC 9110 §15).
fn final_response<P: Platform>(platform: &P, response: P::Response) -> Result<P::Response, End> {
    if (200..600).contains(&platform.head(&response).status) {
        Ok(response)
    } else {
        Err(End::Failed(Failure::HttpProtocolError))
    }
}

/// Waits for the head. When it is overdue a probe asks whether the target is
/// still there, and if it is not, the attempt is given up long before its time.
async fn watch<P: Platform>(
    platform: &P,
    exchange: &Exchange,
    forward: &Forward,
    sending: P::Sending,
    quiet_ms: impl Fn() -> f64,
) -> Result<P::Response, End> {
    let mut sending = pin!(sending);
    while let Some(left) = left_of(forward.overdue_ms.min(forward.timeout_ms), quiet_ms()) {
        if let Some(result) = within(platform, left, sending.as_mut()).await {
            return result.map_err(End::Failed);
        }
    }
    if forward.overdue_ms < forward.timeout_ms && ask(platform, |engine, now| engine.overdue(now)) {
        start_round(platform);
    }
    while let Some(left) = left_of(forward.timeout_ms, quiet_ms()) {
        let head_or_loss = async {
            loop {
                let progress = pin!(platform.round_progress());
                match select(sending.as_mut(), progress).await {
                    Either::Left((result, _)) => return result.map_err(End::Failed),
                    Either::Right(((), _))
                        if platform.engine(|engine| engine.is_lost(exchange)) =>
                    {
                        return Err(End::Lost);
                    }
                    Either::Right(((), _)) => {}
                }
            }
        };
        if let Some(result) = within(platform, left, head_or_loss).await {
            return result;
        }
    }
    Err(End::Failed(forward.on_timeout))
}

/// What is left of a time-out, if anything worth a timer is.
fn left_of(timeout_ms: f64, quiet_ms: f64) -> Option<f64> {
    let left = timeout_ms - quiet_ms;
    (left > 0.01).then_some(left)
}
