//! WASI 0.3 as the driver's platform.

use crate::outbound::{self, Inbound, UpstreamResponse};
use crate::{store, waiting};
use function_fetch_component::{memory, notice, record};
use function_fetch_driver::{Head, Platform, ProbeHead, StoreError};
use function_fetch_engine::{
    Attempt, Engine, Failure, Millis, Notice, Record, ReplayState, Stored, Target, Timestamp,
};
use std::cell::Cell;
use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;
use wasip3::clocks::{monotonic_clock, system_clock};

pub fn monotonic() -> Millis {
    Millis(monotonic_clock::now() as f64 / 1e6)
}

pub fn now() -> Timestamp {
    let now = system_clock::now();
    Timestamp(now.seconds as f64 * 1e3 + f64::from(now.nanoseconds) / 1e6)
}

pub async fn sleep(time: Millis) {
    monotonic_clock::wait_for((time.0.max(0.0) * 1e6) as u64).await;
}

#[derive(Clone, Copy)]
pub struct Wasi;

impl Platform for Wasi {
    type Request = Inbound;
    type Response = UpstreamResponse;
    type Sending = Pin<Box<dyn Future<Output = Result<UpstreamResponse, Failure>>>>;

    fn now(&self) -> Timestamp {
        now()
    }

    fn monotonic(&self) -> Millis {
        monotonic()
    }

    async fn sleep(&self, time: Millis) {
        sleep(time).await;
    }

    fn engine<R>(&self, with: impl FnOnce(&mut Engine) -> R) -> R {
        memory::engine(with)
    }

    fn send(&self, request: &mut Inbound, target: &Target, attempt: &Attempt) -> Self::Sending {
        match outbound::start(request, target, attempt) {
            Ok(request) => Box::pin(outbound::finish(request)),
            Err(failure) => Box::pin(ready(Err(failure))),
        }
    }

    fn replay_state(&self, request: &Inbound) -> ReplayState {
        request.body.state()
    }

    async fn stop_upload(&self, request: &mut Inbound) -> ReplayState {
        request.body.stop().await
    }

    fn upload_progress(&self, request: &Inbound) -> Rc<Cell<Millis>> {
        request.body.progress()
    }

    fn head(&self, response: &UpstreamResponse) -> Head {
        Head {
            status: response.status,
            retry_after: response.retry_after,
        }
    }

    async fn probe(&self, target: &Target, path: &str) -> Result<ProbeHead, Failure> {
        let within = self.engine(|engine| engine.settings().health_timeout);
        outbound::probe(target, path, within).await
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
