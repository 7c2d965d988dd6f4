//! What the engine does for a request, and when an instance starts: measured in time (`engine.rs`), in instructions
//! (`instructions.rs`) and in allocations (`allocations.rs`).

use std::hint::black_box;

use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Action, Capabilities, Engine, Event, Millis, ProbeOutcome, Record, ReplayState, Request,
    Settings, Timestamp,
};

/// The wall clock, which stands still: what is measured is a request between two refreshes.
const NOW: Timestamp = Timestamp(1_700_000_000_000.0);

/// The engine of an instance that has measured its targets.
struct Warm {
    engine: Engine,
    /// What it writes to the store, as hosts keep it.
    record: Vec<u8>,
}

impl Warm {
    /// With so many targets, of which the first is the fastest.
    fn new(targets: usize) -> Self {
        let mut engine = Engine::new(parse_settings(&addresses(targets)), 7);
        // A full round, and the comparisons that follow it.
        let mut next = engine.start_round(NOW);
        while let Some(round) = next {
            for target in round.targets {
                let outcome = ProbeOutcome {
                    result: Ok(200),
                    took: Millis(5.0 + 20.0 * target as f64),
                    cached: false,
                };
                engine.probed(round.id, target, outcome, NOW);
            }
            next = engine.finish_round(round.id, NOW);
        }
        let write = engine.take_write(NOW).expect("a decision is written");
        engine.store_written(true);
        engine.take_notices(NOW);
        let record = serde_json::to_vec(&write.record).expect("a record is JSON");
        let mut warm = Self { engine, record };
        // The first answers fill what later ones only update.
        for _ in 0..1_000 {
            warm.get();
        }
        warm
    }

    /// A GET that its target answers well: both calls of it.
    fn get(&mut self) {
        let request = Request::new("GET", black_box("/hello"));
        let sent = self.engine.begin(black_box(&request), NOW);
        let Action::Send(attempt) = sent.action else {
            unreachable!("a warm engine sends: {:?}", sent.action);
        };
        let answer = Event::Response {
            target: attempt.target,
            status: 200,
            retry_after: None,
            ttfb: black_box(Millis(5.0)),
            replay: ReplayState::Unsent,
        };
        black_box(self.engine.settle(sent.state, answer, NOW));
    }
}

/// `FETCH_TARGETS` with so many.
fn addresses(targets: usize) -> String {
    let addresses: Vec<String> = (0..targets)
        .map(|target| format!("https://region-{target}.example.com"))
        .collect();
    addresses.join(" ")
}

/// The settings of an instance that starts.
fn parse_settings(targets: &str) -> Settings {
    let given = [
        ("FETCH_TARGETS", targets),
        ("FETCH_HEALTH_PATH", "/health"),
        ("FETCH_RETRY_STATUSES", "429,500,502-504,506-599"),
        ("FETCH_SWITCH_MARGIN", "20%,10ms"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let host = Capabilities {
        store: Some(StoreKind::Spin),
        ..Capabilities::default()
    };
    Settings::of(host, black_box(&given))
}

/// Reads the store's value of an instance that starts.
fn decode_record(value: &[u8]) -> Record {
    let text = str::from_utf8(black_box(value)).expect("JSON is UTF-8");
    Record::from_json(text).expect("it was encoded so")
}

/// One thing that the engine does, by the name that reports use.
pub struct Operation {
    /// Its name.
    pub name: &'static str,
    /// Does it once.
    pub run: Box<dyn FnMut()>,
}

/// All that is measured.
pub fn all() -> [Operation; 5] {
    let (mut few, mut many) = (Warm::new(2), Warm::new(32));
    let (targets, record) = (addresses(2), few.record.clone());
    let all_targets = addresses(32);
    [
        operation("warm-get-2-targets", move || few.get()),
        operation("warm-get-32-targets", move || many.get()),
        operation("parse-settings-2-targets", move || {
            black_box(parse_settings(&targets));
        }),
        operation("parse-settings-32-targets", move || {
            black_box(parse_settings(&all_targets));
        }),
        operation("decode-record-2-targets", move || {
            black_box(decode_record(&record));
        }),
    ]
}

fn operation(name: &'static str, run: impl FnMut() + 'static) -> Operation {
    let run = Box::new(run);
    Operation { name, run }
}
