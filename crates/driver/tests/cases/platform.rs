//! The driver's platform: one instance, whose network is pretended.

use crate::network::{Answered, Network};
use function_fetch_cases::Seen;
use function_fetch_component::{notice, probe, record};
use function_fetch_driver::{Head, Platform, ProbeHead, StoreError};
use function_fetch_engine::headers::{self, Fields};
use function_fetch_engine::{
    Attempt, Engine, Failure, Millis, Notice, Record, ReplayState, Settings, Stored, Target,
    Timestamp,
};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// When every case begins, by the wall clock.
const EPOCH: Timestamp = Timestamp(1_750_000_000_000.0);

/// Any instance's seed.
const SEED: u64 = 0x5eed;

/// One instance. A handle: clones share it.
#[derive(Clone)]
pub struct Instance(Rc<Shared>);

struct Shared {
    network: Network,
    started: Instant,
    engine: RefCell<Option<Engine>>,
    store: RefCell<Option<Vec<u8>>>,
    said: RefCell<Vec<String>>,
    round: Notify,
}

/// A client's request on its way through.
pub struct Inbound {
    pub method: String,
    pub path: String,
    pub fields: Fields,
    pub body: Vec<u8>,
    pub taken: Rc<Cell<usize>>,
    pub replay: usize,
}

impl Instance {
    pub fn new(network: Network) -> Self {
        Self(Rc::new(Shared {
            network,
            started: Instant::now(),
            engine: RefCell::default(),
            store: RefCell::default(),
            said: RefCell::default(),
            round: Notify::new(),
        }))
    }

    pub fn start(&self, settings: Settings, stored: Option<Vec<u8>>) {
        *self.0.engine.borrow_mut() = Some(Engine::new(settings, SEED));
        *self.0.store.borrow_mut() = stored;
    }

    pub fn wall(&self) -> Timestamp {
        EPOCH + self.monotonic()
    }

    /// Its notices for the operator.
    pub fn said(&self) -> Vec<String> {
        self.0.said.borrow().clone()
    }

    pub fn stored(&self) -> Option<Vec<u8>> {
        self.0.store.borrow().clone()
    }
}

impl Platform for Instance {
    type Request = Inbound;
    type Response = Answered;
    type Sending = Pin<Box<dyn Future<Output = Result<Answered, Failure>>>>;

    fn now(&self) -> Timestamp {
        self.wall()
    }

    fn monotonic(&self) -> Millis {
        Millis(self.0.started.elapsed().as_secs_f64() * 1e3)
    }

    async fn sleep(&self, time: Millis) {
        sleep(Duration::from_secs_f64(time.0.max(0.0) / 1e3)).await;
    }

    fn engine<R>(&self, with: impl FnOnce(&mut Engine) -> R) -> R {
        let mut engine = self.0.engine.borrow_mut();
        with(engine.as_mut().expect("it was started"))
    }

    fn send(&self, request: &mut Inbound, target: &Target, _: &Attempt) -> Self::Sending {
        let authority = target.authority().to_owned();
        let mut fields = request.fields.clone();
        fields.push(("host".into(), authority.clone().into_bytes()));
        let sized = fields.iter().any(|(name, _)| name == "content-length");
        if !request.body.is_empty() && !sized {
            fields.push(("transfer-encoding".into(), b"chunked".to_vec()));
        }
        let sent = Seen {
            method: request.method.clone(),
            path: target.path_for(&request.path),
            fields,
            body: request.body.clone(),
        };
        let (network, taken) = (self.0.network.clone(), Rc::clone(&request.taken));
        Box::pin(async move {
            let length = sent.body.len();
            network
                .exchange(&authority, sent, || taken.set(length))
                .await
        })
    }

    fn replay_state(&self, request: &Inbound) -> ReplayState {
        match request.taken.get() {
            0 => ReplayState::Unsent,
            taken if taken <= request.replay => ReplayState::Replayable,
            _ => ReplayState::Consumed,
        }
    }

    async fn stop_upload(&self, request: &mut Inbound) -> ReplayState {
        self.replay_state(request)
    }

    fn head(&self, response: &Answered) -> Head {
        Head {
            status: response.status,
            retry_after: headers::retry_after(&response.fields, || self.now()),
        }
    }

    async fn probe(&self, target: &Target, path: &str) -> Result<ProbeHead, Failure> {
        let request = Seen {
            method: "GET".into(),
            path: path.into(),
            fields: probe::fields(),
            body: Vec::new(),
        };
        let network = self.0.network.clone();
        let answered = network.exchange(target.authority(), request, || ()).await?;
        Ok(ProbeHead {
            status: answered.status,
            cached: headers::is_from_cache(&answered.fields),
        })
    }

    async fn store_get(&self) -> Result<Option<Stored>, StoreError> {
        Ok(self.stored().map(|value| record::decode(&value)))
    }

    async fn store_put(&self, record: Record, _: u32) -> Result<(), StoreError> {
        *self.0.store.borrow_mut() = Some(record::encode(&record));
        Ok(())
    }

    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        tokio::task::spawn_local(work);
    }

    async fn round_progress(&self) {
        self.0.round.notified().await;
    }

    fn round_progressed(&self) {
        self.0.round.notify_waiters();
    }

    fn notice(&self, notice: &Notice) {
        self.0.said.borrow_mut().push(notice::line(notice));
    }
}
