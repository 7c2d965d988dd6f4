//! The laws, whatever happens in whatever order: random requests, failures,
//! probes, store values and waits, many requests open at once.

use crate::talk::{Talk, probe};
use function_fetch_engine::attempt::Body;
use function_fetch_engine::failure::Sent;
use function_fetch_engine::{
    Action, Event, Failure, Forward, Notice, Request, Round, Step, Stored,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Move {
    Begin {
        method: u8,
        has_body: bool,
    },
    Answer {
        open: usize,
        status: u16,
        body: u8,
    },
    Fail {
        open: usize,
        failure: usize,
        body: u8,
    },
    Widen {
        open: usize,
    },
    Leave {
        open: usize,
    },
    Wait {
        ms: u32,
    },
    Probe {
        healthy: bool,
        ms: u16,
    },
    AbandonRound,
    Write,
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0..4u8, any::<bool>()).prop_map(|(method, has_body)| Move::Begin { method, has_body }),
        4 => (any::<usize>(), 200..600u16, 0..3u8)
            .prop_map(|(open, status, body)| Move::Answer { open, status, body }),
        4 => (any::<usize>(), 0..Failure::ALL.len(), 0..3u8)
            .prop_map(|(open, failure, body)| Move::Fail { open, failure, body }),
        1 => any::<usize>().prop_map(|open| Move::Widen { open }),
        1 => any::<usize>().prop_map(|open| Move::Leave { open }),
        3 => (0..400_000u32).prop_map(|ms| Move::Wait { ms }),
        2 => (0..5_000u32).prop_map(|ms| Move::Wait { ms }),
        5 => (any::<bool>(), 1..2000u16).prop_map(|(healthy, ms)| Move::Probe { healthy, ms }),
        1 => Just(Move::AbandonRound),
        1 => Just(Move::Write),
    ]
}

/// A request under way, and what has become of it so far.
struct Open {
    step: Step,
    idempotent: bool,
    begun: f64,
    attempts: Vec<usize>,
    /// Whether a target may have received it.
    perhaps_received: bool,
}

struct World {
    talk: Talk,
    open: Vec<Open>,
    round: Option<Round>,
    /// What the store shows.
    stored: Option<Stored>,
    most_attempts: usize,
    deadline_ms: f64,
    /// Of each target that is ejected and was not found healthy since: for how
    /// long the last time, ms.
    ejected: BTreeMap<String, u32>,
}

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "HEAD"];

fn body(index: u8) -> Body {
    [Body::Untouched, Body::Replayable, Body::Gone][usize::from(index)]
}

impl World {
    fn new(race: bool, hedge: bool, spread: bool, store: bool) -> Self {
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
            deadline_ms: 60_000.0,
            ejected: BTreeMap::new(),
        }
    }

    fn play(&mut self, next: Move) {
        self.happen(next);
        for notice in self.talk.notices() {
            match notice {
                Notice::Ejected { target, for_ms, .. } => {
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
            Move::Begin { method, has_body } => self.begin(METHODS[usize::from(method)], has_body),
            Move::Answer {
                open,
                status,
                body: b,
            } => {
                let event = Event::Response {
                    status,
                    retry_after_ms: None,
                    head_ms: f64::from(status),
                    body: body(b),
                };
                self.settle(open, event, true);
            }
            Move::Fail {
                open,
                failure,
                body: b,
            } => {
                let failure = Failure::ALL[failure];
                let late_alert = failure == Failure::TlsAlertReceived && body(b) != Body::Untouched;
                let received = failure.sent() != Sent::Nothing || late_alert;
                let event = Event::Failed {
                    failure,
                    body: body(b),
                };
                self.settle(open, event, received);
            }
            Move::Widen { open } => self.widen(open),
            Move::Leave { open } if !self.open.is_empty() => {
                let index = open % self.open.len();
                self.open.swap_remove(index);
            }
            Move::Leave { .. } => {}
            Move::Wait { ms } => self.talk.wait(f64::from(ms)),
            Move::Probe { healthy, ms } => self.probe(healthy.then(|| f64::from(ms))),
            Move::AbandonRound => self.round = None,
            Move::Write => {
                let write = self.talk.engine.take_write(self.talk.now);
                // Now and then it is another instance's, from a while ago, that the store shows.
                if let Some(write) = write.filter(|_| self.talk.now % 2.0 == 0.0) {
                    self.stored = Some(Stored::Record(write.record));
                }
                self.talk.engine.store_written(true);
            }
        }
    }

    fn begin(&mut self, method: &'static str, has_body: bool) {
        let request = Request {
            method,
            path: "/",
            hops: 0,
            has_body,
        };
        let step = self.talk.engine.begin(&request, self.talk.now);
        self.open.push(Open {
            idempotent: matches!(method, "GET" | "HEAD"),
            begun: self.talk.now,
            attempts: Vec::new(),
            perhaps_received: false,
            step,
        });
        let index = self.open.len() - 1;
        self.follow(index);
    }

    /// Answers what the step at `index` asks, until it is an attempt or over.
    fn follow(&mut self, index: usize) {
        loop {
            if self.open[index].step.round {
                self.start_round();
            }
            let exchange = self.open[index].step.exchange;
            let event = match &self.open[index].step.action {
                Action::ReadStore => Event::StoreFailed,
                Action::AwaitRound { timeout_ms } => {
                    assert!(timeout_ms.is_finite());
                    Event::RoundReady
                }
                Action::Forward(forward) => {
                    let forward = *forward;
                    self.attempted(index, &forward);
                    return;
                }
                Action::Relay | Action::Reply(_) => {
                    self.open.swap_remove(index);
                    return;
                }
            };
            self.open[index].step = self.talk.settle(exchange, event);
        }
    }

    fn attempted(&mut self, index: usize, forward: &Forward) {
        let open = &mut self.open[index];
        assert!(
            !open.perhaps_received || open.idempotent,
            "a request that a target may have received was sent again"
        );
        assert!(
            !open.attempts.contains(&forward.target),
            "the same target twice"
        );
        open.attempts.push(forward.target);
        assert!(open.attempts.len() <= self.most_attempts);
        let left = open.begun + self.deadline_ms - self.talk.now;
        assert!(
            forward.timeout_ms <= left && left > 0.0,
            "past the deadline"
        );
    }

    fn settle(&mut self, open: usize, event: Event, received: bool) {
        if self.open.is_empty() {
            return;
        }
        let index = open % self.open.len();
        self.open[index].perhaps_received |= received;
        let exchange = self.open[index].step.exchange;
        self.open[index].step = self.talk.settle(exchange, event);
        self.follow(index);
    }

    fn widen(&mut self, open: usize) {
        if self.open.is_empty() {
            return;
        }
        let index = open % self.open.len();
        let Action::Forward(forward) = self.open[index].step.action else {
            return;
        };
        if forward.widen_ms.is_infinite() {
            return;
        }
        let exchange = self.open[index].step.exchange;
        let Some(step) = self.talk.engine.widen(exchange, self.talk.now) else {
            return;
        };
        assert!(self.open[index].idempotent, "only these may run twice");
        self.open[index].step = step;
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
    fn tries_each_target_once(mut self) {
        let mut step = self.talk.begin("POST");
        let mut tried = Vec::new();
        loop {
            let event = match &step.action {
                Action::ReadStore => Event::StoreRead(None),
                Action::AwaitRound { .. } => Event::RoundReady,
                Action::Forward(forward) => {
                    tried.push(forward.target);
                    Event::Failed {
                        failure: Failure::ConnectionRefused,
                        body: Body::Untouched,
                    }
                }
                Action::Relay | Action::Reply(_) => break,
            };
            step = self.talk.settle(step.exchange, event);
        }
        assert_eq!(tried.len(), 3, "{tried:?}");
        tried.sort_unstable();
        tried.dedup();
        assert!(tried.len() == 3 && tried.iter().all(|target| *target < 5));
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_whatever_happens(
        race: bool, hedge: bool, spread: bool, store: bool,
        moves in prop::collection::vec(a_move(), 1..200),
    ) {
        let mut world = World::new(race, hedge, spread, store);
        for next in moves {
            world.play(next);
        }
        world.tries_each_target_once();
    }

    #[test]
    fn a_request_reaches_a_healthy_target_whatever_the_others_do(
        failures in prop::collection::vec(0..Failure::ALL.len(), 4),
        healthy in 0..3usize,
    ) {
        let mut talk = Talk::new(&[]);
        let mut step = talk.begin("GET");
        talk.round(&[None, None, None]);
        if let Action::AwaitRound { .. } = step.action {
            step = talk.settle(step.exchange, Event::RoundReady);
        }
        let mut failures = failures.into_iter();
        while let Action::Forward(forward) = step.action {
            let failure = Failure::ALL[failures.next().unwrap_or(0)];
            step = if forward.target == healthy {
                talk.status(&step, 200)
            } else if failure.sent() == Sent::Pointless {
                talk.fails(&step, Failure::ConnectionRefused)
            } else {
                talk.fails(&step, failure)
            };
        }
        prop_assert_eq!(step.action, Action::Relay);
    }

    #[test]
    fn no_text_makes_the_settings_panic(text in "\\PC{0,80}", name in 0..27usize) {
        let name = function_fetch_engine::settings::NAMES[name];
        let _ = function_fetch_engine::Settings::read(
            function_fetch_engine::Capabilities::default(),
            |asked| (asked == name).then(|| text.clone()),
        );
    }

    #[test]
    fn no_stored_value_is_more_than_a_miss_or_a_record(value in "\\PC{0,300}") {
        let mut talk = Talk::with_store(&[]);
        let step = talk.begin("GET");
        talk.settle(step.exchange, Event::StoreRead(Some(Stored::Text(value))));
    }
}
