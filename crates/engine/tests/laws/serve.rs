//! Whole requests in virtual time, against targets whose probes are always well.

use crate::talk::{Talk, failed, probe, request};
use function_fetch_engine::{Action, Event, Millis, Notice, ReplayState, Request, Step};

/// What the targets' probes take, ms.
pub const PROBES: [f64; 3] = [5.0, 60.0, 300.0];

/// What a target does with a request.
#[derive(Clone, Copy)]
pub enum Live {
    /// A status after so many ms.
    Answers(u16, f64),
    /// No answer, ever.
    Hangs,
}

/// An answer as quick as usual.
pub fn status(status: u16) -> Live {
    Live::Answers(status, 5.0)
}

/// What a client got.
pub struct Served {
    pub status: u16,
    /// The targets that had the request, in order.
    pub tried: Vec<usize>,
    /// Whether the first of them was on trial.
    pub trial: bool,
    /// After how many ms.
    pub took: f64,
}

impl Talk {
    /// Plays a request without a body to its end. Rounds of probes and the store
    /// take no time.
    pub fn serve(&mut self, method: &str, live: impl Fn(usize) -> Live) -> Served {
        self.serve_request(&request(method), live)
    }

    pub fn serve_request(&mut self, asked: &Request<'_>, live: impl Fn(usize) -> Live) -> Served {
        let began = self.now;
        let mut step = self.begin_with(asked);
        let (mut tried, mut running, mut last) = (Vec::new(), Vec::new(), 0);
        let mut report = true;
        let trial = step.state.trial;
        let served = loop {
            self.beside(&step);
            match step.action {
                Action::ReadStore => {
                    let event = Event::StoreRead(self.stored.clone());
                    step = self.settle(step.state, event);
                    continue;
                }
                Action::AwaitRound => {
                    step = self.settle(step.state, Event::RoundReady);
                    continue;
                }
                Action::Send(attempt) => {
                    tried.push(attempt.target);
                    running.push((attempt.target, self.now));
                    report = attempt.report;
                }
                Action::Cancel { target, failure } => {
                    running.retain(|(other, _)| *other != target);
                    step = self.settle(step.state, failed(target, failure));
                    continue;
                }
                Action::Wait => {}
                Action::Relay => break last,
                Action::Reply(reply) => break reply.status,
            }
            let answers = running
                .iter()
                .filter_map(|(target, sent)| match live(*target) {
                    Live::Answers(status, ms) => Some((*sent + Millis(ms), *target, status, ms)),
                    Live::Hangs => None,
                });
            let next = answers.min_by(|one, other| one.0.0.total_cmp(&other.0.0));
            let timer = self.now + step.wake_after;
            match next {
                Some((at, target, status, ms)) if at <= timer => {
                    self.now = self.now.max(at);
                    running.retain(|(other, _)| *other != target);
                    if !report && status < 500 {
                        break status;
                    }
                    last = status;
                    step = self.settle(
                        step.state,
                        Event::Response {
                            target,
                            status,
                            retry_after: None,
                            ttfb: Millis(ms),
                            replay: ReplayState::Unsent,
                        },
                    );
                }
                _ => {
                    assert!(step.wake_after.is_finite(), "it would wait for ever");
                    self.now = timer;
                    let waited: Vec<(usize, f64)> = running
                        .iter()
                        .map(|(target, sent)| (*target, (self.now - *sent).0))
                        .collect();
                    step = self.waited(&step, &waited);
                }
            }
        };
        Served {
            status: served,
            tried,
            trial: trial || step.state.trial,
            took: (self.now - began).0,
        }
    }

    /// What a step calls for beside the request.
    fn beside(&mut self, step: &Step) {
        if step.round {
            self.probes_pass();
        }
        if step.write
            && let Some(written) = self.write()
        {
            self.stored = Some(written);
        }
    }

    /// The round that is due, if any: all targets are well.
    pub fn probes_pass(&mut self) {
        let mut next = self.engine.start_round(self.now);
        while let Some(round) = next {
            if round.read_store {
                let stored = self.stored.clone();
                if self.engine.round_read_store(stored.as_ref(), self.now) {
                    return;
                }
            }
            for target in round.targets {
                let outcome = probe(Some(PROBES[target]));
                self.engine.probed(round.id, target, outcome, self.now);
            }
            next = self.engine.finish_round(round.id, self.now);
        }
    }

    /// The ejections since notices were last taken: target, reason, length in ms.
    pub fn ejections(&mut self) -> Vec<(String, String, f64)> {
        let ejection = |notice| match notice {
            Notice::Ejected {
                target,
                reason,
                for_ms,
            } => Some((target, reason, f64::from(for_ms))),
            _ => None,
        };
        self.notices().into_iter().filter_map(ejection).collect()
    }
}
