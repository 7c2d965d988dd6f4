//! WASI 0.3 as the driver's platform.

use crate::outbound::{self, Inbound, UpstreamResponse};
use crate::{store, waiting};
use function_fetch_component::{memory, notice, record};
use function_fetch_driver::{Head, Platform, StoreError};
use function_fetch_engine::attempt::Body;
use function_fetch_engine::{Engine, Failure, Forward, Notice, Record, Stored, Target};
use std::cell::Cell;
use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;
use wasip3::clocks::{monotonic_clock, system_clock};

pub fn monotonic_ms() -> f64 {
    monotonic_clock::now() as f64 / 1e6
}

pub fn now_ms() -> f64 {
    let now = system_clock::now();
    now.seconds as f64 * 1e3 + f64::from(now.nanoseconds) / 1e6
}

pub async fn sleep(ms: f64) {
    monotonic_clock::wait_for((ms.max(0.0) * 1e6) as u64).await;
}

#[derive(Clone, Copy)]
pub struct Wasi;

impl Platform for Wasi {
    type Request = Inbound;
    type Response = UpstreamResponse;
    type Sending = Pin<Box<dyn Future<Output = Result<UpstreamResponse, Failure>>>>;

    fn now_ms(&self) -> f64 {
        now_ms()
    }

    fn monotonic_ms(&self) -> f64 {
        monotonic_ms()
    }

    async fn sleep(&self, ms: f64) {
        sleep(ms).await;
    }

    fn engine<R>(&self, with: impl FnOnce(&mut Engine) -> R) -> R {
        memory::engine(with)
    }

    fn send(&self, request: &mut Inbound, target: &Target, forward: &Forward) -> Self::Sending {
        match outbound::start(request, target, forward) {
            Ok(request) => Box::pin(outbound::finish(request)),
            Err(failure) => Box::pin(ready(Err(failure))),
        }
    }

    fn body(&self, request: &Inbound) -> Body {
        request.body.state()
    }

    async fn reclaim(&self, request: &mut Inbound) -> Body {
        request.body.reclaim().await
    }

    fn hides_closed_connections(&self, request: &Inbound) -> bool {
        request.hides_closed_connections
    }

    fn upload_progress(&self, request: &Inbound) -> Rc<Cell<f64>> {
        request.body.progress()
    }

    fn head(&self, response: &UpstreamResponse) -> Head {
        Head {
            status: response.status,
            retry_after_ms: response.retry_after_ms,
        }
    }

    async fn probe(&self, target: &Target, path: &str) -> Result<u16, Failure> {
        let within = self.engine(|engine| engine.settings().health_timeout_ms);
        outbound::probe(target, path, f64::from(within)).await
    }

    async fn store_get(&self) -> Result<Option<Stored>, StoreError> {
        Ok(store::get().await?.map(|value| record::decode(&value)))
    }

    async fn store_put(&self, record: Record, _ttl_seconds: u32) -> Result<(), StoreError> {
        store::put(record::encode(&record)).await
    }

    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        wasip3::spawn(work);
    }

    async fn round_progress(&self) {
        waiting::wait().await;
    }

    fn round_progressed(&self) {
        waiting::wake();
    }

    fn notice(&self, notice: &Notice) {
        notice::write(notice);
    }
}
