//! The attempts of one request that run: usually one, two with a hedge, several
//! in a raced cold start.

use crate::platform::Platform;
use crate::serve::until;
use function_fetch_engine::{Attempt, Event, Failure, Millis, Step, Waited};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

/// The attempts that run, and the last real response.
pub(crate) struct Attempts<P: Platform> {
    running: Vec<Running<P>>,
    sent: usize,
    /// The last real response that came.
    pub(crate) response: Option<P::Response>,
}

struct Running<P: Platform> {
    target: usize,
    started: Millis,
    /// When the target last took some of the request's body.
    uploaded: Rc<Cell<Millis>>,
    sending: Pin<Box<P::Sending>>,
}

impl<P: Platform> Attempts<P> {
    pub(crate) fn new() -> Self {
        Self {
            running: Vec::new(),
            sent: 0,
            response: None,
        }
    }

    /// Starts one. If it cannot start, returns the failure to report.
    pub(crate) async fn send(
        &mut self,
        platform: &P,
        attempt: &Attempt,
        request: &mut P::Request,
    ) -> Option<Event> {
        // An earlier attempt may have been answered while it still took the body;
        // if it took more than can be sent again, this one must not start.
        if self.sent > 0 {
            let replay = platform.stop_upload(request).await;
            if !replay.can_be_sent() {
                return Some(Event::Failed {
                    target: attempt.target,
                    failure: Failure::InternalError,
                    replay,
                });
            }
        }
        self.sent += 1;
        let target = platform.engine(|engine| engine.settings().targets[attempt.target].clone());
        let sending = platform.send(request, &target, attempt);
        self.running.push(Running {
            target: attempt.target,
            started: platform.monotonic(),
            uploaded: platform.upload_progress(request),
            sending: Box::pin(sending),
        });
        None
    }

    /// Gives one up: dropping its future cancels it.
    pub(crate) async fn cancel(
        &mut self,
        platform: &P,
        target: usize,
        failure: Failure,
        request: &mut P::Request,
    ) -> Event {
        self.running.retain(|running| running.target != target);
        let replay = platform.stop_upload(request).await;
        Event::Failed {
            target,
            failure,
            replay,
        }
    }

    /// What happens next: one of them ends, or the step's timer fires.
    pub(crate) async fn next(
        &mut self,
        platform: &P,
        step: &Step,
        request: &mut P::Request,
    ) -> Event {
        let progress = async {
            if step.wake_on_round {
                platform.round_progress().await;
            } else {
                std::future::pending().await
            }
        };
        let ended = until(platform, step.wake_after, pin!(progress), self.ended()).await;
        let Some((running, result)) = ended else {
            return Event::Timer(self.waited(platform.monotonic()));
        };
        let target = running.target;
        match result.and_then(|response| final_response(platform, response)) {
            Ok(response) => {
                let head = platform.head(&response);
                self.response = Some(response);
                Event::Response {
                    target,
                    status: head.status,
                    retry_after: head.retry_after,
                    ttfb: platform.monotonic() - running.started,
                    replay: platform.replay_state(request),
                }
            }
            Err(failure) => Event::Failed {
                target,
                failure,
                replay: platform.stop_upload(request).await,
            },
        }
    }

    /// The first one to end.
    fn ended(&mut self) -> impl Future<Output = (Running<P>, Result<P::Response, Failure>)> {
        poll_fn(|context| {
            for index in 0..self.running.len() {
                let sending = self.running[index].sending.as_mut();
                if let Poll::Ready(result) = sending.poll(context) {
                    return Poll::Ready((self.running.remove(index), result));
                }
            }
            Poll::Pending
        })
    }

    fn waited(&self, now: Millis) -> Vec<Waited> {
        self.running
            .iter()
            .map(|running| Waited {
                target: running.target,
                // The time that the client takes to send its body is not the
                // target's.
                time: (now - running.started.max(running.uploaded.get())).max(Millis::ZERO),
            })
            .collect()
    }
}

/// A response that can be relayed. No request asks for an upgrade, so an interim
/// status is an error, and so is one above 599 (RFC 9110 §15).
fn final_response<P: Platform>(
    platform: &P,
    response: P::Response,
) -> Result<P::Response, Failure> {
    if (200..600).contains(&platform.head(&response).status) {
        Ok(response)
    } else {
        Err(Failure::HttpProtocolError)
    }
}
