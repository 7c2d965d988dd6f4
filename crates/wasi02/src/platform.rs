//! WASI 0.2 as the driver's platform.

use crate::outbound::{self, Inbound, UpstreamResponse};
use crate::wasi::clocks::{monotonic_clock, wall_clock};
use crate::{executor, signal, store};
use function_fetch_component::{memory, notice, record};
use function_fetch_driver::{Head, Platform, ProbeHead, StoreError};
use function_fetch_engine::{
    Attempt, Engine, Failure, Millis, Notice, Record, ReplayState, RetrySafety, Stored, Target,
    Timestamp,
};
use std::cell::Cell;
use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;

pub fn monotonic() -> Millis {
    Millis(monotonic_clock::now() as f64 / 1e6)
}

pub fn now() -> Timestamp {
    let now = wall_clock::now();
    Timestamp(now.seconds as f64 * 1e3 + f64::from(now.nanoseconds) / 1e6)
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
        executor::sleep((time.0.max(0.0) * 1e6) as u64).await;
    }

    fn engine<R>(&self, with: impl FnOnce(&mut Engine) -> R) -> R {
        memory::engine(with)
    }

    fn send(&self, request: &mut Inbound, target: &Target, attempt: &Attempt) -> Self::Sending {
        let sent = match outbound::start(request, target, attempt) {
            Ok(sent) => sent,
            Err(failure) => return Box::pin(ready(Err(failure))),
        };
        let replay = request.body.replay();
        Box::pin(async move {
            let result = outbound::finish(sent).await;
            if let Err(failure) = &result
                && failure.retry_safety() == RetrySafety::Always
            {
                // The host took some of the body, but had no connection to send it
                // on.
                replay.borrow_mut().nothing_was_sent();
            }
            result
        })
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
        Ok(store::get()?.map(|value| record::decode(&value)))
    }

    async fn store_put(&self, record: Record, _ttl_seconds: u32) -> Result<(), StoreError> {
        store::put(&record::encode(&record))
    }

    async fn idle(&self) {
        signal::idle().await;
    }

    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        executor::spawn(work);
    }

    async fn round_progress(&self) {
        signal::round_progress().await;
    }

    fn round_progressed(&self) {
        signal::round_progressed();
    }

    fn notice(&self, notice: &Notice) {
        notice::write(notice);
    }
}
