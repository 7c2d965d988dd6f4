//! Requests that are open at once, and what must hold of each step whatever happens
//! to them.

use crate::properties::Move;
use crate::talk::{Talk, failed, probe, request};
use function_fetch_engine::{
    Action, Event, Failure, Millis, Notice, ReplayState, Request, RetrySafety, Round, Step, Stored,
    Timestamp,
};
use std::collections::BTreeMap;

/// A request under way, and what has become of it so far.
struct Open {
    step: Step,
    idempotent: bool,
    has_body: bool,
    /// Whether it may go to the same target once more.
    may_resend: bool,
    began: Timestamp,
    attempts: Vec<usize>,
    running: Vec<usize>,
    /// Whether a target may have received it.
    perhaps_received: bool,
    /// The failure that the last step answers.
    failed: Option<(usize, Failure)>,
}

impl Open {
    /// Whether two targets may have it at once.
    fn may_run_twice(&self) -> bool {
        self.idempotent && !self.has_body
    }

    fn one_of_running(&self, index: usize) -> usize {
        self.running[index % self.running.len()]
    }
}

pub struct World {
    talk: Talk,
    open: Vec<Open>,
    round: Option<Round>,
    /// What the store shows.
    stored: Option<Stored>,
    most_attempts: usize,
    deadline: Millis,
    /// Of each target that is ejected and was not found fit since: for how long
    /// the last time, ms.
    ejected: BTreeMap<String, u32>,
    /// Whether every ejection was heard of: one that is in the store is another
    /// instance's to tell.
    hears_all: bool,
}

pub const TARGETS: usize = 5;

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "HEAD"];

fn replay_state(index: u8) -> ReplayState {
    [
        ReplayState::Unsent,
        ReplayState::Replayable,
        ReplayState::Consumed,
        ReplayState::Aborted,
    ][usize::from(index)]
}

/// Whether an ejection is for what no request could get around.
fn is_outage(reason: &str) -> bool {
    let unreachable = |failure: &&Failure| failure.retry_safety() == RetrySafety::Always;
    let mut failures = Failure::ALL.iter().filter(unreachable);
    reason.starts_with("probe ") || failures.any(|failure| failure.proxy_error() == reason)
}

impl World {
    pub fn new(race: bool, hedge: bool, spread: bool, store: bool) -> Self {
        let settings = [
            (
                "FETCH_TARGETS",
                "http://a http://b http://c http://d http://e",
            ),
            ("FETCH_COLD_START", if race { "race" } else { "probe" }),
            ("FETCH_HEDGE_MS", if hedge { "50" } else { "off" }),
            ("FETCH_SPREAD", if spread { "true" } else { "false" }),
        ];
        Self {
            talk: if store {
                Talk::with_store(&settings)
            } else {
                Talk::new(&settings)
            },
            open: Vec::new(),
            round: None,
            stored: None,
            // A raced cold start goes to as many targets as a round of probes.
            most_attempts: if race { 5 } else { 3 },
            deadline: Millis(60_000.0),
            ejected: BTreeMap::new(),
            hears_all: !store,
        }
    }

    pub fn play(&mut self, next: Move) {
        self.happen(next);
        self.hear();
    }

    fn hear(&mut self) {
        for notice in self.talk.notices() {
            match notice {
                Notice::Ejected {
                    target,
                    for_ms,
                    reason,
                } => {
                    let others = self.ejected.keys().filter(|other| **other != target);
                    assert!(
                        !self.hears_all || is_outage(&reason) || others.count() < TARGETS - 1,
                        "{target} was the last that is fit: {reason}"
                    );
                    let before = self.ejected.insert(target, for_ms).unwrap_or(0);
                    // Jitter is a tenth either way; the longest does not grow.
                    assert!(
                        10 * for_ms >= 8 * before && for_ms <= 330_000,
                        "an ejection of {for_ms} ms after one of {before} ms"
                    );
                }
                Notice::Recovered { target } => drop(self.ejected.remove(&target)),
                _ => {}
            }
        }
    }

    fn happen(&mut self, next: Move) {
        match next {
            Move::Begin {
                method,
                has_body,
                may_meet_closed_connection,
            } => self.begin(&Request {
                has_body,
                may_meet_closed_connection,
                ..request(METHODS[usize::from(method)])
            }),
            Move::Answer { open, .. }
            | Move::Fail { open, .. }
            | Move::Timer { open, .. }
            | Move::Leave { open }
                if !self.open.is_empty() =>
            {
                let (index, rest) = (open % self.open.len(), open / self.open.len());
                match next {
                    Move::Answer { status, replay, .. } => {
                        let target = self.open[index].one_of_running(rest);
                        self.answered(index, target, status, replay_state(replay));
                    }
                    Move::Fail {
                        failure, replay, ..
                    } => {
                        let target = self.open[index].one_of_running(rest);
                        let failure = Failure::ALL[failure];
                        self.failed(index, target, failure, replay_state(replay));
                    }
                    Move::Timer { waited, replay, .. } => {
                        self.timer(index, waited, replay_state(replay));
                    }
                    _ => drop(self.open.swap_remove(index)),
                }
            }
            Move::Answer { .. } | Move::Fail { .. } | Move::Timer { .. } | Move::Leave { .. } => {}
            Move::Wait { ms } => self.talk.wait(f64::from(ms)),
            Move::Probe { healthy, ms } => self.probe(healthy.then(|| f64::from(ms))),
            Move::AbandonRound => self.round = None,
            Move::Write => {
                let write = self.talk.engine.take_write(self.talk.now);
                // Now and then it is another instance's, from a while ago, that the store shows.
                if let Some(write) = write.filter(|_| self.talk.now.0 % 2.0 == 0.0) {
                    self.stored = Some(Stored::Record(write.record));
                }
                self.talk.engine.store_written(true);
            }
        }
    }

    fn begin(&mut self, request: &Request<'_>) {
        let step = self.talk.begin_with(request);
        let idempotent = matches!(request.method, "GET" | "HEAD");
        self.open.push(Open {
            idempotent,
            has_body: request.has_body,
            may_resend: idempotent && request.may_meet_closed_connection,
            began: self.talk.now,
            attempts: Vec::new(),
            running: Vec::new(),
            perhaps_received: false,
            failed: None,
            step,
        });
        let index = self.open.len() - 1;
        self.follow(index);
    }

    /// Answers what the step at `index` asks, until attempts run or it is over.
    fn follow(&mut self, index: usize) {
        loop {
            if self.open[index].step.round {
                self.start_round();
            }
            let step = &self.open[index].step;
            let event = match &step.action {
                Action::ReadStore => Event::StoreFailed,
                Action::AwaitRound => {
                    assert!(step.wake_after.is_finite());
                    Event::RoundReady
                }
                Action::Send(attempt) => {
                    let target = attempt.target;
                    self.sent(index, target);
                    return;
                }
                Action::Wait => {
                    assert!(!self.open[index].running.is_empty(), "nothing to wait for");
                    return;
                }
                Action::Cancel { .. } => panic!("only a timer gives an attempt up"),
                Action::Relay | Action::Reply(_) => {
                    self.open.swap_remove(index);
                    return;
                }
            };
            let state = step.state;
            self.open[index].step = self.talk.settle(state, event);
        }
    }

    fn is_ejected(&self, target: usize) -> bool {
        let settings = self.talk.engine.settings();
        self.ejected.contains_key(&settings.targets[target].url())
    }

    /// A request goes to an ejected target while another is fit only as a trial,
    /// which has its fallback in hand.
    fn goes_to_a_fit_target(&self, index: usize, target: usize) {
        let open = &self.open[index];
        let fit = |other: &usize| !open.attempts.contains(other) && !self.is_ejected(*other);
        if self.hears_all
            && self.is_ejected(target)
            && !open.attempts.contains(&target)
            && (0..TARGETS).any(|other| fit(&other))
        {
            assert!(
                open.attempts.is_empty() && open.step.state.trial,
                "no trial"
            );
        }
        assert!(
            !open.step.state.trial || open.may_run_twice(),
            "a trial without a fallback"
        );
    }

    fn sent(&mut self, index: usize, target: usize) {
        self.hear();
        self.goes_to_a_fit_target(index, target);
        let open = &mut self.open[index];
        assert!(
            !open.perhaps_received || open.idempotent,
            "a request that a target may have received was sent again"
        );
        assert!(
            open.running.is_empty() || open.may_run_twice(),
            "only these may run twice"
        );
        if open.attempts.contains(&target) {
            let closed = open
                .failed
                .is_some_and(|(at, why)| at == target && why.may_be_closed_connection());
            assert!(closed && open.may_resend, "the same target twice");
            open.may_resend = false;
        } else {
            open.attempts.push(target);
        }
        assert!(!open.running.contains(&target), "it runs there already");
        open.running.push(target);
        assert!(open.attempts.len() <= self.most_attempts);
        let left = open.began + self.deadline - self.talk.now;
        assert!(
            open.step.wake_after <= left && left > Millis::ZERO,
            "past the deadline"
        );
        assert!(open.step.wake_after >= Millis::ZERO);
    }

    fn answered(&mut self, index: usize, target: usize, status: u16, replay: ReplayState) {
        let event = Event::Response {
            target,
            status,
            retry_after: status.is_multiple_of(3).then_some(Millis(30_000.0)),
            ttfb: Millis(f64::from(status)),
            replay,
        };
        self.open[index].perhaps_received = true;
        self.open[index].failed = None;
        self.ended(index, target, event, replay);
    }

    fn failed(&mut self, index: usize, target: usize, failure: Failure, replay: ReplayState) {
        let late_alert = failure == Failure::TlsAlertReceived && replay != ReplayState::Unsent;
        let event = Event::Failed {
            target,
            failure,
            replay,
        };
        self.open[index].perhaps_received |=
            failure.retry_safety() != RetrySafety::Always || late_alert;
        self.open[index].failed = Some((target, failure));
        self.ended(index, target, event, replay);
    }

    /// An attempt has ended.
    fn ended(&mut self, index: usize, target: usize, event: Event, replay: ReplayState) {
        let open = &mut self.open[index];
        open.running.retain(|other| *other != target);
        open.step = self.talk.settle(open.step.state, event);
        let others_run = !open.running.is_empty();
        match &open.step.action {
            Action::Send(attempt) => {
                assert!(replay.can_be_sent(), "a consumed body was sent again");
                let again = open.attempts.contains(&attempt.target);
                assert!(again || !others_run, "a retry beside others");
            }
            Action::Wait => assert_eq!(open.step.wake_after, Millis::ZERO),
            Action::Reply(_) => assert!(!others_run, "a reply before the others end"),
            _ => {}
        }
        self.follow(index);
    }

    /// The timer of the attempts that run. `replay` is of the request's body, if
    /// one of them is given up.
    fn timer(&mut self, index: usize, waited: [u32; TARGETS], replay: ReplayState) {
        let open = &mut self.open[index];
        // Of targets where none runs, the engine takes no notice.
        let times: Vec<(usize, f64)> = waited.map(f64::from).into_iter().enumerate().collect();
        open.step = self.talk.waited(&open.step, &times);
        open.failed = None;
        match open.step.action {
            Action::Cancel { target, failure } => {
                assert!(open.running.contains(&target), "it does not run");
                self.failed(index, target, failure, replay);
                return;
            }
            Action::Wait => {
                let wait = open.step.wake_after;
                assert!(wait > Millis::ZERO, "the timer would spin");
                let left = open.began + self.deadline - self.talk.now;
                // An upload may take its time.
                let most = if open.has_body { self.deadline } else { left };
                assert!(wait <= most, "past the deadline");
            }
            _ => {}
        }
        self.follow(index);
    }

    fn start_round(&mut self) {
        if let Some(round) = self.talk.engine.start_round(self.talk.now) {
            assert!(
                self.talk.engine.start_round(self.talk.now).is_none(),
                "one round at a time"
            );
            assert!(round.read_store || !round.targets.is_empty());
            if round.read_store
                && let Some(value) = &self.stored
                && self
                    .talk
                    .engine
                    .round_read_store(Some(value), self.talk.now)
            {
                return;
            }
            let mut once = round.targets.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(
                once.len(),
                round.targets.len(),
                "no target twice in a round"
            );
            self.round = Some(round);
        }
    }

    /// The order of attempts is a permutation of the targets, whatever is known
    /// of them: each once, until the attempts are used up.
    pub fn tries_each_target_once(mut self) {
        let mut step = self.talk.begin("POST");
        let mut tried = Vec::new();
        loop {
            let event = match &step.action {
                Action::ReadStore => Event::StoreRead(None),
                Action::AwaitRound => Event::RoundReady,
                Action::Send(attempt) => {
                    tried.push(attempt.target);
                    failed(attempt.target, Failure::ConnectionRefused)
                }
                Action::Cancel { .. } | Action::Wait => panic!("{step:?}"),
                Action::Relay | Action::Reply(_) => break,
            };
            step = self.talk.settle(step.state, event);
        }
        assert_eq!(tried.len(), 3, "{tried:?}");
        tried.sort_unstable();
        tried.dedup();
        assert!(tried.len() == 3 && tried.iter().all(|target| *target < TARGETS));
    }

    fn probe(&mut self, latency: Option<f64>) {
        let Some(round) = &mut self.round else {
            return;
        };
        match round.targets.pop() {
            Some(target) => {
                let (id, now) = (round.id, self.talk.now);
                self.talk.engine.probed(id, target, probe(latency), now);
            }
            None => {
                let id = round.id;
                self.round = self.talk.engine.finish_round(id, self.talk.now);
            }
        }
    }
}
