//! An engine, a clock that the test moves, and the words of a conversation.

use function_fetch_engine::attempt::Body;
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Action, Capabilities, Engine, Event, Exchange, Failure, Forward, Notice, ProbeOutcome, Request,
    Settings, Step, Stored,
};

/// Three targets; the settings of a test come on top.
const TARGETS: &str = "http://a.test http://b.test http://c.test";

pub struct Talk {
    pub engine: Engine,
    pub now: f64,
}

impl Talk {
    /// Without a store.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        Self::on(Capabilities::default(), settings)
    }

    /// With Spin's store.
    pub fn with_store(settings: &[(&str, &str)]) -> Self {
        let store = Some(StoreKind::Spin);
        let host = Capabilities {
            store,
            ..Capabilities::default()
        };
        Self::on(host, settings)
    }

    /// Where each call into the engine is dear.
    pub fn with_sampled_reports(settings: &[(&str, &str)]) -> Self {
        let host = Capabilities {
            sampled_reports: true,
            ..Capabilities::default()
        };
        Self::on(host, settings)
    }

    fn on(host: Capabilities, settings: &[(&str, &str)]) -> Self {
        let settings = Settings::read(host, |name| {
            settings
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
                .or_else(|| (name == "FETCH_TARGETS").then(|| TARGETS.to_owned()))
        });
        assert_eq!(settings.problems, []);
        Self {
            engine: Engine::new(settings, 7),
            now: 1_700_000_000_000.0,
        }
    }

    /// With a decision: the targets measured at 5, 60 and 300 ms.
    pub fn warm(settings: &[(&str, &str)]) -> Self {
        let mut talk = Self::new(settings);
        talk.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
        talk.engine.take_notices();
        talk
    }

    pub fn wait(&mut self, ms: f64) {
        self.now += ms;
    }

    pub fn begin(&mut self, method: &str) -> Step {
        let request = Request {
            method,
            path: "/",
            hops: 0,
            has_body: false,
        };
        self.engine.begin(&request, self.now)
    }

    pub fn settle(&mut self, exchange: Exchange, event: Event) -> Step {
        self.engine.settle(exchange, event, self.now)
    }

    pub fn status(&mut self, step: &Step, status: u16) -> Step {
        let event = Event::Response {
            status,
            retry_after_ms: None,
            head_ms: 5.0,
            body: Body::Untouched,
        };
        self.settle(step.exchange, event)
    }

    pub fn fails(&mut self, step: &Step, failure: Failure) -> Step {
        self.fails_with(step, failure, Body::Untouched)
    }

    pub fn fails_with(&mut self, step: &Step, failure: Failure, body: Body) -> Step {
        self.settle(step.exchange, Event::Failed { failure, body })
    }

    /// What the engine writes to the store; the write goes well.
    pub fn write(&mut self) -> Option<Stored> {
        let write = self.engine.take_write(self.now)?;
        self.engine.store_written(true);
        Some(Stored::Record(write.record))
    }

    /// Runs a whole round; `None` is a target that refuses.
    pub fn round(&mut self, latencies: &[Option<f64>]) {
        let mut next = self.engine.start_round(self.now);
        assert!(next.is_some(), "a round is due");
        while let Some(round) = next {
            for target in round.targets {
                let outcome = probe(latencies[target]);
                self.engine.probed(round.id, target, outcome, self.now);
            }
            next = self.engine.finish_round(round.id, self.now);
        }
    }

    /// A GET that is answered at once: its first step.
    pub fn get(&mut self) -> Step {
        let step = self.begin("GET");
        self.status(&step, 200);
        step
    }

    /// A cold start's round, and the refresh that soon follows it.
    pub fn measure(&mut self, latencies: &[Option<f64>]) {
        self.round(latencies);
        self.wait(60_000.0);
        self.round(latencies);
    }

    /// The target that a new GET goes to.
    pub fn first_choice(&mut self) -> usize {
        target(&self.get())
    }

    pub fn notices(&mut self) -> Vec<Notice> {
        self.engine.take_notices()
    }
}

pub fn probe(latency: Option<f64>) -> ProbeOutcome {
    ProbeOutcome {
        result: latency.map_or(Err(Failure::ConnectionRefused), |_| Ok(200)),
        elapsed_ms: latency.unwrap_or(1.0),
    }
}

pub fn forward(step: &Step) -> Forward {
    match step.action {
        Action::Forward(forward) => forward,
        ref other => panic!("no attempt: {other:?}"),
    }
}

pub fn target(step: &Step) -> usize {
    forward(step).target
}

/// The status of the proxy's own reply.
pub fn own_status(step: &Step) -> u16 {
    match &step.action {
        Action::Reply(reply) => reply.status,
        other => panic!("no reply: {other:?}"),
    }
}
