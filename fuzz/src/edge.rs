//! The engine behind `wit/engine.wit`, beside the engine itself.

use arbitrary::{Result, Unstructured};
use function_fetch_edge::Edge;
use function_fetch_edge::wit::{self, Guest};
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Action, Capabilities, Engine, Event, Failure, Millis, ProbeOutcome, ReplayState, Request,
    Settings, Step, Timestamp, Waited,
};

const SEED: f64 = 0.25;
const MOST_CALLS: usize = 200;
const METHODS: [&str; 3] = ["GET", "POST", "HEAD"];

/// First the same calls to both: what is packed into numbers between two calls, and comes back, decides as what was
/// never packed. Then calls with arguments that nobody has handed out: none of them traps.
pub fn edge(input: &[u8]) {
    let mut choices = Unstructured::new(input);
    let _ = alike(&mut choices);
    let _ = harmless(&mut choices);
}

/// A step of both.
struct Pair {
    plain: Step,
    packed: wit::Step,
}

impl Pair {
    fn check(&self) {
        let Self { plain, packed } = self;
        let alike = match (&plain.action, &packed.action) {
            (Action::ReadStore, wit::Action::ReadStore)
            | (Action::AwaitRound, wit::Action::AwaitRound)
            | (Action::Wait, wit::Action::Wait)
            | (Action::Relay, wit::Action::Relay) => true,
            (Action::Send(one), wit::Action::Send(other)) => {
                one.target == other.target as usize && one.report == other.report
            }
            (Action::Cancel { target, .. }, wit::Action::Cancel(other)) => {
                *target == other.target as usize
            }
            (Action::Reply(one), wit::Action::Reply(other)) => one.status == other.status,
            _ => false,
        };
        assert!(alike, "{plain:?} and {packed:?}");
        assert_eq!(plain.wake_after.0, packed.wake_after);
        assert_eq!(
            (plain.wake_on_round, plain.round, plain.write),
            (packed.wake_on_round, packed.round, packed.write)
        );
    }
}

fn configured(choices: &mut Unstructured<'_>) -> Result<Engine> {
    let bits: u8 = choices.arbitrary()?;
    let targets = (0..1 + bits % 4).map(|index| format!("http://{index}.example"));
    let given = vec![
        (
            "FETCH_TARGETS".to_owned(),
            targets.collect::<Vec<_>>().join(" "),
        ),
        (
            "FETCH_HEDGE_MS".to_owned(),
            if bits & 4 != 0 { "50" } else { "off" }.to_owned(),
        ),
        (
            "FETCH_COLD_START".to_owned(),
            if bits & 8 != 0 { "race" } else { "probe" }.to_owned(),
        ),
        ("FETCH_SPREAD".to_owned(), (bits & 16 != 0).to_string()),
    ];
    let store = bits & 32 != 0;
    let limits = wit::Limits {
        store: store.then_some(wit::StoreKind::Custom),
        max_probes: None,
    };
    Edge::configure(given.clone(), limits, SEED);
    let host = Capabilities {
        store: store.then_some(StoreKind::Custom),
        max_probes: None,
        sampled_reports: true,
    };
    Ok(Engine::new(Settings::of(host, &given), SEED.to_bits()))
}

fn alike(choices: &mut Unstructured<'_>) -> Result<()> {
    let mut engine = configured(choices)?;
    let targets = engine.settings().targets.len();
    let mut now = Timestamp(1_790_000_000_000.0);
    let mut open: Vec<Pair> = Vec::new();
    for _ in 0..MOST_CALLS {
        if choices.is_empty() {
            break;
        }
        match choices.int_in_range(0..=7_u8)? {
            0 | 1 => {
                let method = METHODS[choices.choose_index(METHODS.len())?];
                let has_body = choices.arbitrary()?;
                let request = Request {
                    has_body,
                    ..Request::new(method, "")
                };
                let pair = Pair {
                    plain: engine.begin(&request, now),
                    packed: Edge::begin(method.to_owned(), String::new(), 0, has_body, now.0),
                };
                pair.check();
                open.push(pair);
            }
            2..=4 if !open.is_empty() => {
                let index = choices.choose_index(open.len())?;
                let (plain, packed) = events(&open[index].plain, choices)?;
                let pair = &open[index];
                let pair = Pair {
                    plain: engine.settle(pair.plain.state, plain, now),
                    packed: Edge::settle(pair.packed.state, packed, now.0),
                };
                pair.check();
                open[index] = pair;
                if matches!(open[index].plain.action, Action::Relay | Action::Reply(_)) {
                    open.swap_remove(index);
                }
            }
            5 => now = now + Millis(f64::from(choices.arbitrary::<u16>()?) * 4.0),
            6 => probe(&mut engine, targets, now, choices)?,
            7 => {
                let (plain, packed) = (engine.take_write(now), Edge::take_write(now.0));
                assert_eq!(
                    plain.map(|write| (write.record.primary, write.ttl_seconds)),
                    packed.map(|write| (write.record.primary, write.ttl_seconds))
                );
                engine.store_written(true);
                Edge::store_written(true);
            }
            _ => {}
        }
        let (plain, packed) = (engine.take_notices(now), Edge::take_notices(now.0));
        assert_eq!(plain.len(), packed.len());
    }
    Ok(())
}

/// What answers the step, for both.
fn events(step: &Step, choices: &mut Unstructured<'_>) -> Result<(Event, wit::Event)> {
    let running: Vec<usize> = (0..32)
        .filter(|one| step.state.running.contains(*one))
        .collect();
    let target = match &step.action {
        Action::ReadStore => return Ok((Event::StoreFailed, wit::Event::StoreFailed)),
        Action::AwaitRound => return Ok((Event::RoundReady, wit::Event::RoundReady)),
        Action::Cancel { target, .. } => *target,
        _ => running[choices.choose_index(running.len())?],
    };
    let (replay, packed_replay) = match choices.int_in_range(0..=3_u8)? {
        0 => (ReplayState::Unsent, wit::ReplayState::Unsent),
        1 => (ReplayState::Replayable, wit::ReplayState::Replayable),
        2 => (ReplayState::Consumed, wit::ReplayState::Consumed),
        _ => (ReplayState::Aborted, wit::ReplayState::Aborted),
    };
    let cancelled = matches!(step.action, Action::Cancel { .. });
    Ok(match choices.int_in_range(0..=2_u8)? {
        0 if !cancelled => {
            let (status, ttfb) = (
                choices.int_in_range(200..=599)?,
                choices.arbitrary::<u16>()?,
            );
            let plain = Event::Response {
                target,
                status,
                retry_after: None,
                ttfb: Millis(ttfb.into()),
                replay,
            };
            let packed = wit::Response {
                target: target as u32,
                status,
                replay: packed_replay,
                retry_after: None,
                ttfb: ttfb.into(),
            };
            (plain, wit::Event::Response(packed))
        }
        1 if !cancelled => {
            let mut times = Vec::new();
            for target in running {
                times.push((target, f64::from(choices.arbitrary::<u16>()?)));
            }
            let plain = times.iter().map(|(target, time)| Waited {
                target: *target,
                time: Millis(*time),
            });
            let packed = times.iter().map(|(target, time)| wit::Waited {
                target: *target as u32,
                time: *time,
            });
            let packed = wit::Event::Timer(packed.collect());
            (Event::Timer(plain.collect()), packed)
        }
        _ => {
            let (failure, packed_failure) = match choices.int_in_range(0..=3_u8)? {
                0 => (Failure::ConnectionRefused, wit::Failure::ConnectionRefused),
                1 => (
                    Failure::ConnectionTerminated,
                    wit::Failure::ConnectionTerminated,
                ),
                2 => (Failure::AttemptTimeout, wit::Failure::AttemptTimeout),
                _ => (Failure::TargetLost, wit::Failure::TargetLost),
            };
            let plain = Event::Failed {
                target,
                failure,
                replay,
            };
            let packed = wit::Failed {
                target: target as u32,
                failure: packed_failure,
                replay: packed_replay,
            };
            (plain, wit::Event::Failed(packed))
        }
    })
}

/// A whole round, in both.
fn probe(
    engine: &mut Engine,
    targets: usize,
    now: Timestamp,
    choices: &mut Unstructured<'_>,
) -> Result<()> {
    let mut next = (engine.start_round(now), Edge::start_round(now.0));
    loop {
        let (plain, packed) = match next {
            (Some(plain), Some(packed)) => (plain, packed),
            (plain, packed) => {
                assert!(plain.is_none() && packed.is_none());
                return Ok(());
            }
        };
        let same = plain.targets.iter().map(|target| *target as u32);
        assert!(same.eq(packed.targets) && plain.id == packed.id);
        for target in plain.targets {
            assert!(target < targets);
            let (healthy, took) = (choices.ratio(3, 4)?, choices.int_in_range(1..=2000_u16)?);
            let outcome = ProbeOutcome {
                result: if healthy {
                    Ok(200)
                } else {
                    Err(Failure::ConnectionRefused)
                },
                took: Millis(took.into()),
                cached: false,
            };
            let packed = match healthy {
                true => wit::ProbeResult::Response(wit::ProbeResponse {
                    status: 200,
                    age: None,
                    x_cache: None,
                    cf_cache_status: None,
                }),
                false => wit::ProbeResult::Failed(wit::Failure::ConnectionRefused),
            };
            engine.probed(plain.id, target, outcome, now);
            let ready = Edge::probed(plain.id, target as u32, packed, took.into(), now.0);
            assert_eq!(ready, engine.round_is_ready(now));
        }
        next = (
            engine.finish_round(plain.id, now),
            Edge::finish_round(plain.id, now.0),
        );
    }
}

/// Calls with any arguments.
fn harmless(choices: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..MOST_CALLS {
        if choices.is_empty() {
            break;
        }
        let state = wit::RequestState {
            began: choices.arbitrary()?,
            sent: choices.arbitrary()?,
            tried: choices.arbitrary()?,
            running: choices.arbitrary()?,
            failed: choices.arbitrary()?,
            bits: choices.arbitrary()?,
        };
        let (now, target): (f64, u32) = (choices.arbitrary()?, choices.arbitrary::<u8>()?.into());
        let number: f64 = choices.arbitrary()?;
        match choices.int_in_range(0..=8_u8)? {
            0 => {
                let timer = vec![wit::Waited {
                    target,
                    time: number,
                }];
                Edge::settle(state, wit::Event::Timer(timer), now);
            }
            1 => {
                let response = wit::Response {
                    target,
                    status: choices.arbitrary()?,
                    replay: wit::ReplayState::Unsent,
                    retry_after: Some(choices.arbitrary::<&str>()?.to_owned()),
                    ttfb: number,
                };
                Edge::settle(state, wit::Event::Response(response), now);
            }
            2 => {
                let failed = wit::Failed {
                    target,
                    failure: wit::Failure::ConnectionTerminated,
                    replay: wit::ReplayState::Replayable,
                };
                Edge::settle(state, wit::Event::Failed(failed), now);
            }
            3 => drop(Edge::settle(state, wit::Event::RoundReady, now)),
            4 => drop(Edge::settle(state, wit::Event::StoreRead(None), now)),
            5 => drop(Edge::explain(state, choices.arbitrary()?)),
            6 => drop(Edge::start_round(now)),
            7 => {
                let failed = wit::ProbeResult::Failed(wit::Failure::DnsError);
                Edge::probed(
                    choices.arbitrary::<u8>()?.into(),
                    target,
                    failed,
                    number,
                    now,
                );
            }
            _ => drop(Edge::finish_round(choices.arbitrary::<u8>()?.into(), now)),
        }
    }
    let step = Edge::begin(
        "GET".to_owned(),
        String::new(),
        0,
        false,
        1_790_000_000_000.0,
    );
    assert!(!matches!(
        step.action,
        wit::Action::Cancel(_) | wit::Action::Wait
    ));
    Ok(())
}
