//! The driver's platform: one instance, whose network is pretended.

use crate::network::{Answered, Network};
use function_fetch_cases::Seen;
use function_fetch_component::record;
use function_fetch_driver::{Head, Platform, StoreError};
use function_fetch_engine::attempt::Body;
use function_fetch_engine::headers::{self, Fields};
use function_fetch_engine::{
    Engine, Failure, Forward, Notice, Record, Settings, Stored, Target, USER_AGENT,
};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// When every case begins, by the wall clock: ms since the Unix epoch.
const EPOCH_MS: f64 = 1_750_000_000_000.0;

/// Any instance's dice.
const SEED: u64 = 0x5eed;

/// One instance. A handle: clones share it.
#[derive(Clone)]
pub struct Instance(Rc<Shared>);

struct Shared {
    network: Network,
    started: Instant,
    engine: RefCell<Option<Engine>>,
    store: RefCell<Option<Vec<u8>>>,
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
            round: Notify::new(),
        }))
    }

    pub fn start(&self, settings: Settings, stored: Option<Vec<u8>>) {
        *self.0.engine.borrow_mut() = Some(Engine::new(settings, SEED));
        *self.0.store.borrow_mut() = stored;
    }

    pub fn wall_ms(&self) -> f64 {
        EPOCH_MS + self.monotonic_ms()
    }

    pub fn stored(&self) -> Option<Vec<u8>> {
        self.0.store.borrow().clone()
    }
}

impl Platform for Instance {
    type Request = Inbound;
    type Response = Answered;
    type Sending = Pin<Box<dyn Future<Output = Result<Answered, Failure>>>>;

    fn now_ms(&self) -> f64 {
        self.wall_ms()
    }

    fn monotonic_ms(&self) -> f64 {
        self.0.started.elapsed().as_secs_f64() * 1e3
    }

    async fn sleep(&self, ms: f64) {
        sleep(Duration::from_secs_f64(ms.max(0.0) / 1e3)).await;
    }

    fn engine<R>(&self, with: impl FnOnce(&mut Engine) -> R) -> R {
        let mut engine = self.0.engine.borrow_mut();
        with(engine.as_mut().expect("it was started"))
    }

    fn send(&self, request: &mut Inbound, target: &Target, _: &Forward) -> Self::Sending {
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

    fn body(&self, request: &Inbound) -> Body {
        match request.taken.get() {
            0 => Body::Untouched,
            taken if taken <= request.replay => Body::Replayable,
            _ => Body::Gone,
        }
    }

    async fn reclaim(&self, request: &mut Inbound) -> Body {
        self.body(request)
    }

    fn head(&self, response: &Answered) -> Head {
        Head {
            status: response.status,
            retry_after_ms: headers::retry_after_ms(&response.fields, self.now_ms()),
        }
    }

    async fn probe(&self, target: &Target, path: &str) -> Result<u16, Failure> {
        let request = Seen {
            method: "GET".into(),
            path: path.into(),
            fields: vec![("user-agent".into(), USER_AGENT.into())],
            body: Vec::new(),
        };
        let network = self.0.network.clone();
        let answered = network.exchange(target.authority(), request, || ()).await?;
        Ok(answered.status)
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

    fn notice(&self, _: &Notice) {}
}
