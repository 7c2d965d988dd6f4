//! What a store holds, whoever wrote it.

use function_fetch_component::record::{decode, encode};
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Action, Capabilities, Engine, Event, Failure, Millis, ProbeOutcome, ReplayState, Request,
    Settings, Step, Stored, Timestamp, Waited, record,
};

const NOW: Timestamp = Timestamp(1_790_000_000_000.0);
const TARGETS: usize = 3;

/// A stored value: no value keeps a request from a target, and what an instance that has read it writes can be read
/// by the next one (promise 8 of `docs/behaviour.md`).
pub fn record(input: &[u8]) {
    let stored = decode(input);
    if let Stored::Record(read) = &stored {
        let again = decode(&encode(read));
        assert_eq!(again, stored, "a record is written as it was read");
        // What is meant for these settings gets further than what is not.
        let mut ours = read.clone();
        ours.hash = record::hash(&settings());
        serve_with(Stored::Record(ours));
    }
    serve_with(stored);
}

fn settings() -> Settings {
    let host = Capabilities {
        store: Some(StoreKind::Spin),
        ..Capabilities::default()
    };
    Settings::read(host, |name| match name {
        "FETCH_TARGETS" => Some("http://a.example http://b.example/base http://c.example".into()),
        _ => None,
    })
}

fn serve_with(stored: Stored) {
    let mut engine = Engine::new(settings(), 1);
    let mut now = NOW;
    for (method, failures) in [("GET", 0), ("POST", 1), ("GET", 2), ("GET", 3)] {
        serve(&mut engine, &stored, method, failures, now);
        now = now + Millis(700.0);
    }
    if let Some(write) = engine.take_write(now) {
        assert!(write.ttl_seconds > 0);
        let written = decode(&encode(&write.record));
        assert!(matches!(written, Stored::Record(_)), "{written:?}");
        let mut next = Engine::new(settings(), 2);
        let step = next.begin(&Request::new("GET", "/"), now);
        assert_eq!(step.action, Action::ReadStore);
        let step = next.settle(step.state, Event::StoreRead(Some(written)), now);
        assert!(
            matches!(step.action, Action::Send(_)),
            "the next one starts with it: {step:?}"
        );
    }
}

/// A request to the end. The first `failures` targets refuse it.
fn serve(engine: &mut Engine, stored: &Stored, method: &str, failures: u32, now: Timestamp) {
    let mut step = engine.begin(&Request::new(method, "/"), now);
    for _ in 0..20 {
        assert!(step.wake_after >= Millis::ZERO, "{step:?}");
        if step.round {
            probe(engine, stored, now);
        }
        let event = match &step.action {
            Action::ReadStore => Event::StoreRead(Some(stored.clone())),
            Action::AwaitRound => Event::RoundReady,
            Action::Send(attempt) => {
                // Its timer may fire first.
                if step.wake_after.is_finite() {
                    let waited = Waited {
                        target: attempt.target,
                        time: step.wake_after,
                    };
                    let timer = Event::Timer(vec![waited]);
                    engine
                        .clone()
                        .settle(step.state, timer, now + step.wake_after);
                }
                answer(&step, attempt.target, failures)
            }
            Action::Relay => return,
            Action::Reply(_) => {
                assert_eq!(
                    failures, TARGETS as u32,
                    "a healthy target is enough: {step:?}"
                );
                return;
            }
            Action::Wait | Action::Cancel { .. } => panic!("nothing was waited for: {step:?}"),
        };
        step = engine.settle(step.state, event, now);
    }
    panic!("the request does not end: {step:?}");
}

fn answer(step: &Step, target: usize, failures: u32) -> Event {
    let replay = ReplayState::Unsent;
    if step.state.attempts() <= failures {
        let failure = Failure::ConnectionRefused;
        return Event::Failed {
            target,
            failure,
            replay,
        };
    }
    Event::Response {
        target,
        status: 200,
        retry_after: None,
        ttfb: Millis(20.0),
        replay,
    }
}

fn probe(engine: &mut Engine, stored: &Stored, now: Timestamp) {
    let mut next = engine.start_round(now);
    while let Some(round) = next {
        assert!(round.targets.iter().all(|target| *target < TARGETS));
        if round.read_store && engine.round_read_store(Some(stored), now) {
            return;
        }
        for target in round.targets {
            let outcome = ProbeOutcome {
                result: Ok(200),
                took: Millis(5.0 + target as f64),
                cached: false,
            };
            engine.probed(round.id, target, outcome, now);
        }
        next = engine.finish_round(round.id, now);
    }
}
