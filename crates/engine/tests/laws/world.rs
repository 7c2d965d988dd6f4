//! Requests that are open at once, and what must hold of each step whatever happens
//! to them.

use crate::moves::{Move, Setup, TARGETS};
use crate::open_request::Open;
use crate::talk::{Talk, failed, probe, request};
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Action, Capabilities, Event, Failure, Millis, Notice, ReplayState, Request, RetrySafety, Round,
    Stored,
};
use std::collections::BTreeMap;

pub struct World {
    talk: Talk,
    open: Vec<Open>,
    round: Option<Round>,
    /// What the store shows.
    stored: Option<Stored>,
    most_attempts: usize,
    most_raced: usize,
    deadline: Millis,
    /// Of each target that is ejected and was not found fit since: for how long
    /// the last time, ms.
    ejected: BTreeMap<String, u32>,
    /// Whether every ejection and recovery was heard of: what is in the store is
    /// another instance's to tell.
    hears_all: bool,
}

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
    pub fn new(setup: Setup) -> Self {
        let targets = if setup.tiers {
            r#"["http://a", {"url": "http://b", "tier": 2}, {"url": "http://c", "weight": 3},
               {"url": "http://d", "tier": 2}, {"url": "http://e", "tier": 3}]"#
        } else {
            "http://a http://b http://c http://d http://e"
        };
        let max_attempts = setup.max_attempts.to_string();
        let settings = [
            ("FETCH_TARGETS", targets),
            ("FETCH_MAX_ATTEMPTS", &max_attempts),
            (
                "FETCH_CACHE_ADAPTER",
                if setup.ranks { "auto" } else { "none" },
            ),
            (
                "FETCH_COLD_START",
                if setup.race { "race" } else { "probe" },
            ),
            ("FETCH_HEDGE_MS", if setup.hedge { "50" } else { "off" }),
            ("FETCH_SPREAD", if setup.spread { "true" } else { "false" }),
        ];
        let host = Capabilities {
            store: setup.store.then_some(StoreKind::Spin),
            sampled_reports: setup.sampled_reports,
            ..Capabilities::default()
        };
        Self {
            talk: Talk::on(host, &settings),
            open: Vec::new(),
            round: None,
            stored: None,
            most_attempts: usize::from(setup.max_attempts),
            // A raced cold start goes to as many targets as a round of probes.
            most_raced: if setup.race { TARGETS } else { 0 },
            deadline: Millis(60_000.0),
            ejected: BTreeMap::new(),
            hears_all: !setup.store,
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
                    assert!(for_ms <= 330_000, "an ejection of {for_ms} ms");
                    assert!(
                        !self.hears_all || 10 * for_ms >= 8 * before,
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
                reads_store,
            } => {
                let request = Request {
                    has_body,
                    may_meet_closed_connection,
                    ..request(METHODS[usize::from(method)])
                };
                self.begin(&request, reads_store);
            }
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
            Move::StepBack { ms } => self.talk.wait(-f64::from(ms)),
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

    fn begin(&mut self, request: &Request<'_>, reads_store: bool) {
        let step = self.talk.begin_with(request);
        let idempotent = matches!(request.method, "GET" | "HEAD");
        self.open.push(Open {
            idempotent,
            has_body: request.has_body,
            may_resend: idempotent && request.may_meet_closed_connection,
            reads_store,
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
            self.open[index].check();
            let step = &self.open[index].step;
            let event = match &step.action {
                Action::ReadStore if self.open[index].reads_store => {
                    Event::StoreRead(self.stored.clone())
                }
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
            self.settle(index, event);
        }
    }

    fn settle(&mut self, index: usize, event: Event) {
        let open = &mut self.open[index];
        // The wall clock may have been set back.
        open.began = open.began.min(self.talk.now);
        open.step = self.talk.settle(open.step.state, event);
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
        let raced = usize::from(open.step.state.racing) * self.most_raced;
        assert!(open.attempts.len() <= self.most_attempts.max(raced));
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
        self.open[index].running.retain(|other| *other != target);
        self.settle(index, event);
        let open = &self.open[index];
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
        // Of targets where none runs, the engine takes no notice.
        let times: Vec<(usize, f64)> = waited.map(f64::from).into_iter().enumerate().collect();
        self.settle(index, crate::talk::timer(&times));
        let open = &mut self.open[index];
        open.check();
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
        assert_eq!(tried.len(), self.most_attempts, "{tried:?}");
        tried.sort_unstable();
        tried.dedup();
        assert!(tried.len() == self.most_attempts && tried.iter().all(|target| *target < TARGETS));
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
