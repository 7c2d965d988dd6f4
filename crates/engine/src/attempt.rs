//! The attempts of one request: where it goes, when it goes on to the next
//! target, and what the client gets in the end.

use crate::engine::Engine;
use crate::exchange::{Exchange, Stage};
use crate::failure::{Failure, Sent};
use crate::fence;
use crate::headers::MAX_HOPS;
use crate::record::Stored;
use crate::reply::Reply;

/// How long a request waits for the store, ms: a cold start may ask it, but
/// must not hang on it.
pub const STORE_TIMEOUT_MS: f64 = 250.0;

/// How often a good answer is reported at least, ms, where not all are. Well
/// below the least time after which an answer is overdue: any answer clears its
/// target of that suspicion.
const REPORT_EVERY_MS: f64 = 50.0;

/// A client's request, as far as decisions need it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, in upper case as it came.
    pub method: &'a str,
    /// The path as it came, perhaps with its query. Only its dot segments
    /// matter: any path without some may be given as an empty one.
    pub path: &'a str,
    /// How many Function Fetches it has passed: [`crate::headers::hops`].
    pub hops: u32,
    /// Whether it has a body.
    pub has_body: bool,
}

/// What has become of the request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// No byte of it was taken by any target, or there is none.
    Untouched,
    /// All bytes that a target took are in the replay buffer.
    Replayable,
    /// Some bytes are gone: it cannot be sent again.
    Gone,
    /// The client broke it off.
    Broken,
}

impl Body {
    /// Whether a target can still get all of it.
    #[must_use]
    pub fn can_be_sent(self) -> bool {
        matches!(self, Self::Untouched | Self::Replayable)
    }
}

/// What happened to the action that was owed.
#[derive(Clone, Debug)]
pub enum Event {
    /// The store answered, with a value or with none.
    StoreRead(Option<Stored>),
    /// The store failed, or did not answer in time.
    StoreFailed,
    /// The round has its first healthy target, or is over, or took too long.
    RoundReady,
    /// The target answered.
    Response {
        /// The status.
        status: u16,
        /// Its `Retry-After`, ms from now.
        retry_after_ms: Option<f64>,
        /// From the start of the attempt to the response head, ms.
        head_ms: f64,
        /// Of the request's body.
        body: Body,
    },
    /// The target had not answered when a probe found it dead
    /// ([`Engine::is_lost`]).
    Lost {
        /// Of the request's body.
        body: Body,
    },
    /// The target did not answer.
    Failed {
        /// Why.
        failure: Failure,
        /// Of the request's body.
        body: Body,
    },
}

/// What the host does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Read the store, for at most [`STORE_TIMEOUT_MS`].
    ReadStore,
    /// Wait until [`Engine::round_is_ready`], for at most so many milliseconds.
    AwaitRound {
        /// At most, ms.
        timeout_ms: f64,
    },
    /// Send the request to a target.
    Forward(Forward),
    /// Give the client the last response that came, now or earlier.
    Relay,
    /// Answer the client with the proxy's own words.
    Reply(Reply),
}

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forward {
    /// The target's index.
    pub target: usize,
    /// Until the connection stands, ms.
    pub connect_timeout_ms: u32,
    /// Until the response head, ms; infinite for none.
    pub timeout_ms: f64,
    /// Which failure it is when that time runs out.
    pub on_timeout: Failure,
    /// After so long without a head, ms, [`Engine::overdue`] wants to know;
    /// infinite for never.
    pub overdue_ms: f64,
    /// After so long without a head, ms, [`Engine::widen`] may send it to
    /// another target as well; infinite for never.
    pub widen_ms: f64,
    /// When false, a response with a status below 500 may be relayed without
    /// [`Engine::settle`]: the engine does not ask to hear of it. Always true
    /// without [`crate::Capabilities::sampled_reports`].
    pub report: bool,
}

/// An action, with the background work that may start beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// To be given back with the event.
    pub exchange: Exchange,
    /// What the host owes, or the end of the request.
    pub action: Action,
    /// A round of probes is due: [`Engine::start_round`].
    pub round: bool,
    /// The store should be written: [`Engine::take_write`].
    pub write: bool,
}

impl Engine {
    /// Opens the conversation about a request.
    pub fn begin(&mut self, request: &Request<'_>, now: f64) -> Step {
        let repeatable = self.settings.may_repeat(request.method);
        let exchange = Exchange::new(now, repeatable, request.has_body);
        if let Some(error) = &self.settings.no_targets {
            let reply = Reply::unconfigured(error);
            return self.step(exchange, Action::Reply(reply), now);
        }
        if request.method == "CONNECT" {
            return self.step(exchange, Action::Reply(Reply::no_tunnel()), now);
        }
        if request.hops >= MAX_HOPS {
            return self.step(exchange, Action::Reply(Reply::looped()), now);
        }
        if self.settings.is_fenced() && fence::climbs_out(request.path) {
            return self.step(exchange, Action::Reply(Reply::outside()), now);
        }
        self.budget.request();
        self.route(exchange, now)
    }

    /// Says what happened, and gets what comes next.
    pub fn settle(&mut self, exchange: Exchange, event: Event, now: f64) -> Step {
        let mut x = exchange;
        match (x.stage, &event) {
            (Stage::Store, Event::StoreRead(value)) => {
                self.store_worked("read");
                self.adopt(value.as_ref(), now);
                x.store_read = true;
                self.route(x, now)
            }
            (Stage::Store, Event::StoreFailed) => {
                self.store_failed("read");
                x.store_read = true;
                self.route(x, now)
            }
            (Stage::Round, Event::RoundReady) => {
                x.waited = true;
                self.route(x, now)
            }
            (Stage::Attempt, Event::Response { status, body, .. }) => {
                self.note(&mut x, &event, now);
                self.forget_losers(&x);
                if !self.is_good(*status)
                    && x.repeatable
                    && body.can_be_sent()
                    && let Some(step) = self.retry(x, true, now)
                {
                    return step;
                }
                self.step(x, Action::Relay, now)
            }
            (Stage::Attempt, Event::Failed { failure, body }) => {
                // What the client broke off is not the target's doing.
                let (mut failure, body) = (*failure, *body);
                if body == Body::Broken {
                    failure = Failure::HttpRequestIncomplete;
                }
                self.note(&mut x, &Event::Failed { failure, body }, now);
                if let Some(budgeted) = may_move_on(&x, failure, body)
                    && let Some(step) = self.retry(x, budgeted, now)
                {
                    return step;
                }
                self.give_up(x, failure, now)
            }
            (Stage::Attempt, Event::Lost { body }) => {
                // It adds no load: the dead target has let go of as much.
                if body.can_be_sent()
                    && let Some(step) = self.retry(x, false, now)
                {
                    return step;
                }
                let failure = if *body == Body::Broken {
                    Failure::HttpRequestIncomplete
                } else {
                    Failure::AttemptTimeout
                };
                self.give_up(x, failure, now)
            }
            (stage, event) => {
                debug_assert!(false, "{event:?} answers nothing that {stage:?} owes");
                self.give_up(x, Failure::InternalError, now)
            }
        }
    }

    /// Where a request goes that has not been sent yet: on by the decision
    /// that stands, else by the store's, else after the first healthy probe.
    fn route(&mut self, mut x: Exchange, now: f64) -> Step {
        let stands = self.has_decision(now);
        // A round has just failed: list order, until the next one may start.
        let in_vain = !stands && now < self.hold_off_until;
        if self.decides() && !in_vain {
            // With the store alone (`FETCH_CACHE_ADAPTER=kv`) each request asks
            // it; what is in memory is then only the answer for when it fails.
            let asks = !stands || !self.settings.cache_memory;
            let unread = self.settings.cache_store.is_some() && !x.store_read;
            if asks && unread && !self.round_runs(now) {
                return self.step(x, Action::ReadStore, now);
            }
            if !stands && !x.waited && !self.round_has_healthy(now) {
                if self.may_race(&x, now) {
                    x.racing = true;
                    return self.first_attempt(x, now);
                }
                let timeout_ms = self.round_ms(self.settings.targets.len());
                return self.step(x, Action::AwaitRound { timeout_ms }, now);
            }
        }
        self.first_attempt(x, now)
    }

    fn first_attempt(&mut self, x: Exchange, now: f64) -> Step {
        match self.attempt(x, now) {
            Some(step) => step,
            None => self.give_up(x, Failure::DeadlineExceeded, now),
        }
    }

    /// The attempt at the best target that was not tried, within the deadline.
    fn attempt(&mut self, mut x: Exchange, now: f64) -> Option<Step> {
        let left = self.time_left(&x, now);
        if left <= 0.0 {
            return None;
        }
        let target = match self.first_choice(now) {
            Some(choice) if x.tried == 0 => choice,
            _ => self
                .candidates(now)
                .into_iter()
                .find(|index| !x.was_tried(*index))?,
        };
        let own = match self.settings.attempt_timeout_ms {
            0 => f64::INFINITY,
            timeout => f64::from(timeout),
        };
        x.tried |= 1 << target;
        x = x.at(target);
        let widen_ms = self.widen_after(&x);
        let report = widen_ms.is_finite() || self.wants_report(&x, now);
        let mut overdue_ms = f64::INFINITY;
        if self.decides() {
            // What is not reported when it is answered must not count as unanswered.
            if report {
                self.health[target].request_sent(now);
            }
            overdue_ms = self.health[target].overdue_ms();
        }
        let forward = Forward {
            target,
            connect_timeout_ms: self.settings.connect_timeout_ms,
            timeout_ms: own.min(left),
            on_timeout: if own <= left {
                Failure::AttemptTimeout
            } else {
                Failure::DeadlineExceeded
            },
            overdue_ms,
            widen_ms,
            report,
        };
        Some(self.step(x, Action::Forward(forward), now))
    }

    /// Whether a good answer to the attempt that begins must be reported: on
    /// hosts where that is dear, one now and then is enough to see a drift or a
    /// target that hangs, and each while the target has failures to live down.
    fn wants_report(&mut self, x: &Exchange, now: f64) -> bool {
        if !self.settings.sampled_reports {
            return true;
        }
        if !self.decides() {
            return false;
        }
        let in_trouble = x.attempts() > 1 || self.health[x.target].failures > 0;
        if !in_trouble && now < self.next_report_at {
            return false;
        }
        self.next_report_at = now + REPORT_EVERY_MS;
        true
    }

    /// Until the deadline, ms.
    fn time_left(&self, x: &Exchange, now: f64) -> f64 {
        match self.settings.deadline_ms {
            0 => f64::INFINITY,
            deadline => x.since + f64::from(deadline) - now,
        }
    }

    /// The next attempt after one that did not do, where one is allowed.
    fn retry(&mut self, x: Exchange, budgeted: bool, now: f64) -> Option<Step> {
        self.another(x, self.settings.max_attempts, budgeted, now)
    }

    /// One more attempt, after the others or beside them: at most `most` in all,
    /// while a target is untried, time is left, and the budget has a retry.
    pub(crate) fn another(
        &mut self,
        x: Exchange,
        most: u32,
        budgeted: bool,
        now: f64,
    ) -> Option<Step> {
        let untried = x.attempts() < self.settings.targets.len() as u32;
        if !untried || x.attempts() >= most || self.time_left(&x, now) <= 0.0 {
            return None;
        }
        if budgeted && !self.budget.take() {
            return None;
        }
        self.attempt(x, now)
    }

    /// Section 6 of the contract: whether a status is the client's to see, or
    /// worth another attempt.
    #[must_use]
    pub fn is_good(&self, status: u16) -> bool {
        !self.settings.retry_on_5xx || status < 500 || matches!(status, 501 | 505)
    }

    /// No attempt is left: the last real response, else the failure in words.
    fn give_up(&mut self, x: Exchange, failure: Failure, now: f64) -> Step {
        let action = if x.has_response {
            Action::Relay
        } else {
            Action::Reply(Reply::failed(failure))
        };
        self.step(x, action, now)
    }

    fn step(&mut self, mut exchange: Exchange, action: Action, now: f64) -> Step {
        exchange.stage = match action {
            Action::ReadStore => Stage::Store,
            Action::AwaitRound { .. } => Stage::Round,
            Action::Forward(_) => Stage::Attempt,
            Action::Relay | Action::Reply(_) => Stage::Over,
        };
        Step {
            round: self.wants_round(exchange.stage == Stage::Round || exchange.racing, now),
            write: self.write_due && self.settings.cache_store.is_some() && self.decision.is_some(),
            exchange,
            action,
        }
    }
}

/// Section 6 of the contract: whether a failure lets the request go to the next
/// target; `Some(true)` when that costs a retry of the budget. What sent nothing
/// costs the targets nothing, so it is not budgeted.
fn may_move_on(x: &Exchange, failure: Failure, body: Body) -> Option<bool> {
    let sent = match failure.sent() {
        // With TLS 1.3 a server may refuse the client's certificate after the
        // first bytes of the request were on their way.
        Sent::Nothing if failure == Failure::TlsAlertReceived && body != Body::Untouched => {
            Sent::Perhaps
        }
        sent => sent,
    };
    match sent {
        Sent::Nothing if body.can_be_sent() => Some(false),
        Sent::Perhaps if x.repeatable && body.can_be_sent() => Some(true),
        _ => None,
    }
}
