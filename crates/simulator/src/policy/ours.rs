//! Function Fetch itself: the real engine and the real driver, over the
//! simulated network.

use crate::clock::{EPOCH_MS, to_ms};
use crate::metrics::Answer;
use crate::network::{Message, Network, Sending};
use crate::policy::fleet::Fleet;
use crate::policy::{Policy, Site};
use crate::random::Stream;
use crate::traffic::Ask;
use function_fetch_component::{notice as text, record};
use function_fetch_driver::{Head, Outcome, Platform, ProbeHead, StoreError, serve};
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Attempt, Capabilities, ChangeReason, Engine, Failure, Millis, Notice, Record, ReplayState,
    Request, Settings, StoreOperation, Stored, Target, Timestamp,
};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

/// A location that runs Function Fetch.
pub struct Ours {
    site: Site,
    settings: Settings,
    dice: RefCell<Stream>,
    fleet: Fleet<Instance>,
}

/// What is switched on beside the scenario's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Nothing.
    Default,
    /// `FETCH_SPREAD=true`.
    Spread,
    /// `FETCH_HEDGE_MS`, a little above the usual latency.
    Hedge,
    /// `FETCH_COLD_START=race`.
    Race,
}

impl Variant {
    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Default => &[],
            Self::Spread => &[("FETCH_SPREAD", "true")],
            Self::Hedge => &[("FETCH_HEDGE_MS", "500")],
            Self::Race => &[("FETCH_COLD_START", "race")],
        }
    }
}

impl Ours {
    /// A location that has never served.
    #[must_use]
    pub fn new(site: Site, variant: Variant) -> Self {
        let scenario = site.network.scenario();
        let targets: Vec<String> = (0..scenario.targets.len())
            .map(|index| format!("https://t{index:02}"))
            .collect();
        let targets = targets.join(" ");
        // The network's store is one of an edge: what is written shows elsewhere
        // after a while, and each read has its price.
        let store = Some(StoreKind::WorkersKv);
        let host = Capabilities {
            store,
            ..Capabilities::default()
        };
        let settings = Settings::read(host, |name| {
            if name == "FETCH_TARGETS" {
                return Some(targets.clone());
            }
            let own = variant.settings().iter().chain(&scenario.settings);
            own.rev()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        });
        assert!(settings.problems.is_empty(), "{:?}", settings.problems);
        Self {
            dice: RefCell::new(site.dice()),
            fleet: Fleet::new(&site.network),
            settings,
            site,
        }
    }
}

impl Policy for Ours {
    async fn serve(self: Rc<Self>, ask: Ask) -> Answer {
        let lease = self.fleet.lease(|| {
            let seed = self.dice.borrow_mut().bits();
            Instance::new(&self.site, Engine::new(self.settings.clone(), seed))
        });
        let about = Request {
            has_body: ask.post,
            ..Request::new(if ask.post { "POST" } else { "GET" }, ask.path)
        };
        let mut request = Sent { ask, first: None };
        let outcome = serve(lease.memory(), &about, &mut request).await;
        let first = request.first;
        match outcome {
            Outcome::Relay { response, .. } => Answer {
                status: response.status,
                target: Some(response.target),
                first,
            },
            Outcome::Reply(reply) => Answer {
                status: reply.status,
                target: None,
                first,
            },
        }
    }
}

/// One instance: an engine, and the simulated host around it.
#[derive(Clone)]
pub struct Instance(Rc<Host>);

struct Host {
    network: Network,
    location: usize,
    engine: RefCell<Engine>,
    /// Grows with each call of `round_progressed`.
    progress: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
    dead_attempts: Cell<u64>,
}

impl Instance {
    fn new(site: &Site, engine: Engine) -> Self {
        Self(Rc::new(Host {
            network: site.network.clone(),
            location: site.location,
            engine: RefCell::new(engine),
            progress: Cell::new(0),
            waiting: RefCell::default(),
            dead_attempts: Cell::new(0),
        }))
    }
}

/// The client's request, with where it was sent first.
pub struct Sent {
    ask: Ask,
    first: Option<usize>,
}

/// A response's head.
#[derive(Clone, Copy, Debug)]
pub struct Response {
    status: u16,
    target: usize,
}

/// An attempt on its way.
pub struct Flight {
    sending: Sending,
    target: usize,
}

impl Future for Flight {
    type Output = Result<Response, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.sending).poll(context));
        let target = self.target;
        Poll::Ready(result.map(|status| Response { status, target }))
    }
}

impl Platform for Instance {
    type Request = Sent;
    type Response = Response;
    type Sending = Flight;

    fn now(&self) -> Timestamp {
        Timestamp(EPOCH_MS) + self.monotonic()
    }

    fn monotonic(&self) -> Millis {
        Millis(to_ms(self.0.network.executor().now()))
    }

    fn sleep(&self, time: Millis) -> impl Future<Output = ()> {
        self.0.network.executor().sleep_ms(time.0)
    }

    fn engine<R>(&self, with: impl FnOnce(&mut Engine) -> R) -> R {
        with(&mut self.0.engine.borrow_mut())
    }

    fn send(&self, request: &mut Sent, _: &Target, attempt: &Attempt) -> Flight {
        let Host {
            network, location, ..
        } = &*self.0;
        let target = attempt.target;
        request.first.get_or_insert(target);
        let message = Message::Request(request.ask);
        let fault = network.fault(*location, target, message);
        if fault.is_some_and(|fault| fault.kind.is_dead()) {
            self.0.dead_attempts.set(self.0.dead_attempts.get() + 1);
            let now = network.executor().now();
            network
                .recorder()
                .dead_attempt(self.0.dead_attempts.get(), now);
        }
        let connect_ms = attempt.connect_timeout.0;
        Flight {
            sending: network.send(*location, target, message, connect_ms),
            target,
        }
    }

    // The bodies of simulated POSTs are small: they always fit the buffer.
    fn replay_state(&self, request: &Sent) -> ReplayState {
        if request.ask.post {
            ReplayState::Replayable
        } else {
            ReplayState::Unsent
        }
    }

    async fn stop_upload(&self, request: &mut Sent) -> ReplayState {
        self.replay_state(request)
    }

    fn head(&self, response: &Response) -> Head {
        Head {
            status: response.status,
            retry_after: None,
        }
    }

    async fn probe(&self, target: &Target, _: &str) -> Result<ProbeHead, Failure> {
        let index = target.authority()[1..].parse();
        let index = index.map_err(|_| Failure::InternalError)?;
        let Host {
            network, location, ..
        } = &*self.0;
        let from = self.monotonic();
        let result = network
            .send(*location, index, Message::Probe, f64::INFINITY)
            .await;
        let Millis(took) = self.monotonic() - from;
        network.trace(*location, || {
            format!("probe of {index}: {result:?} after {took:.1} ms")
        });
        result.map(|status| ProbeHead {
            status,
            cached: false,
        })
    }

    async fn store_get(&self) -> Result<Option<Stored>, StoreError> {
        let got = self.0.network.store_get(self.0.location).await;
        Ok(got
            .map_err(|()| StoreError)?
            .map(|value| record::decode(&value)))
    }

    async fn store_put(&self, record: Record, _: u32) -> Result<(), StoreError> {
        let value = record::encode(&record);
        let put = self.0.network.store_put(self.0.location, value).await;
        put.map_err(|()| StoreError)
    }

    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.0.network.executor().spawn(work);
    }

    fn round_progress(&self) -> impl Future<Output = ()> {
        let since = self.0.progress.get();
        std::future::poll_fn(move |context| {
            if self.0.progress.get() != since {
                return Poll::Ready(());
            }
            self.0.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
    }

    fn round_progressed(&self) {
        self.0.progress.set(self.0.progress.get() + 1);
        for waker in self.0.waiting.take() {
            waker.wake();
        }
    }

    fn notice(&self, notice: &Notice) {
        let now = self.0.network.executor().now();
        let recorder = self.0.network.recorder();
        self.0.network.trace(self.0.location, || text::line(notice));
        recorder.told(self.0.location, now, notice);
        if let Notice::Ejected { .. } = notice {
            recorder.ejection(now);
        }
        let kind = match notice {
            // What an instance starts with is no change.
            Notice::PrimaryChanged { from: None, .. } => return,
            Notice::PrimaryChanged { reason, .. } => format!("switch: {}", name(*reason)),
            Notice::Ejected { reason, .. } => format!("ejected: {reason}"),
            Notice::Recovered { .. } => "recovered".to_owned(),
            Notice::NoHealthyTarget => "no healthy target".to_owned(),
            Notice::StoreFailed { operation } => match operation {
                StoreOperation::Read => "store: read failed".to_owned(),
                StoreOperation::Write => "store: write failed".to_owned(),
            },
            other => format!("{other:?}"),
        };
        recorder.notice(kind);
    }
}

fn name(reason: ChangeReason) -> &'static str {
    match reason {
        ChangeReason::Probed => "probed",
        ChangeReason::Store => "store",
        ChangeReason::Failover => "failover",
        ChangeReason::Recovered => "recovered",
    }
}
