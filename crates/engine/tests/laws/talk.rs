//! An engine, a clock that the test moves, and the words of a conversation.

use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Action, Attempt, Capabilities, Engine, Event, Failure, Millis, Notice, ProbeOutcome,
    ReplayState, Request, RequestState, Settings, Step, Stored, Timestamp, Waited,
};

/// Three targets; the settings of a test come on top.
const TARGETS: &str = "http://a.test http://b.test http://c.test";

pub struct Talk {
    pub engine: Engine,
    pub now: Timestamp,
    /// What the store holds, for those laws that play whole requests.
    pub stored: Option<Stored>,
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

    /// Where each call into the engine is expensive.
    pub fn with_sampled_reports(settings: &[(&str, &str)]) -> Self {
        let host = Capabilities {
            sampled_reports: true,
            ..Capabilities::default()
        };
        Self::on(host, settings)
    }

    /// On a host that can do this.
    pub fn on(host: Capabilities, settings: &[(&str, &str)]) -> Self {
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
            now: Timestamp(1_700_000_000_000.0),
            stored: None,
        }
    }

    /// With a decision: the targets measured at 5, 60 and 300 ms.
    pub fn warm(settings: &[(&str, &str)]) -> Self {
        let mut talk = Self::new(settings);
        talk.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
        talk.engine.take_notices(talk.now);
        talk
    }

    /// Starts anew as an instance with other random numbers.
    pub fn reseed(&mut self, seed: u64) {
        self.engine = Engine::new(self.engine.settings().clone(), seed);
    }

    pub fn wait(&mut self, ms: f64) {
        self.now = self.now + Millis(ms);
    }

    pub fn begin(&mut self, method: &str) -> Step {
        self.begin_with(&request(method))
    }

    pub fn begin_with(&mut self, request: &Request<'_>) -> Step {
        self.engine.begin(request, self.now)
    }

    pub fn settle(&mut self, state: RequestState, event: Event) -> Step {
        self.engine.settle(state, event, self.now)
    }

    /// The timer: for how many milliseconds each target was waited for.
    pub fn waited(&mut self, step: &Step, times: &[(usize, f64)]) -> Step {
        self.settle(step.state, timer(times))
    }

    pub fn status(&mut self, step: &Step, status: u16) -> Step {
        self.settle(step.state, response(target(step), status))
    }

    /// A good answer whose first byte takes so long.
    pub fn answers_in(&mut self, step: &Step, ms: f64) -> Step {
        let event = Event::Response {
            target: target(step),
            status: 200,
            retry_after: None,
            ttfb: Millis(ms),
            replay: ReplayState::Unsent,
        };
        self.settle(step.state, event)
    }

    pub fn fails(&mut self, step: &Step, failure: Failure) -> Step {
        self.fails_with(step, failure, ReplayState::Unsent)
    }

    pub fn fails_with(&mut self, step: &Step, failure: Failure, replay: ReplayState) -> Step {
        let target = target(step);
        let event = Event::Failed {
            target,
            failure,
            replay,
        };
        self.settle(step.state, event)
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
        self.engine.take_notices(self.now)
    }
}

/// A request without a body.
pub fn request(method: &str) -> Request<'_> {
    Request::new(method, "/")
}

/// A target's answer after 5 ms.
pub fn response(target: usize, status: u16) -> Event {
    Event::Response {
        target,
        status,
        retry_after: None,
        ttfb: Millis(5.0),
        replay: ReplayState::Unsent,
    }
}

/// An answer that wishes for peace, for so many milliseconds, and took `ttfb` of them.
pub fn wish(target: usize, status: u16, retry_after: f64, ttfb: f64) -> Event {
    Event::Response {
        target,
        status,
        retry_after: Some(Millis(retry_after)),
        ttfb: Millis(ttfb),
        replay: ReplayState::Unsent,
    }
}

/// The timer: for how many milliseconds each target was waited for.
pub fn timer(times: &[(usize, f64)]) -> Event {
    let waited = times.iter().map(|(target, ms)| Waited {
        target: *target,
        time: Millis(*ms),
    });
    Event::Timer(waited.collect())
}

pub fn failed(target: usize, failure: Failure) -> Event {
    Event::Failed {
        target,
        failure,
        replay: ReplayState::Unsent,
    }
}

pub fn probe(latency: Option<f64>) -> ProbeOutcome {
    ProbeOutcome {
        result: latency.map_or(Err(Failure::ConnectionRefused), |_| Ok(200)),
        took: Millis(latency.unwrap_or(1.0)),
        cached: false,
    }
}

pub fn attempt(step: &Step) -> Attempt {
    match step.action {
        Action::Send(attempt) => attempt,
        ref other => panic!("no attempt: {other:?}"),
    }
}

/// The target that the request is sent to, or whose attempt is given up.
pub fn target(step: &Step) -> usize {
    match step.action {
        Action::Cancel { target, .. } => target,
        _ => attempt(step).target,
    }
}

/// The status of the proxy's own reply.
pub fn own_status(step: &Step) -> u16 {
    match &step.action {
        Action::Reply(reply) => reply.status,
        other => panic!("no reply: {other:?}"),
    }
}
