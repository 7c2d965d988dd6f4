//! WASI 0.2 as the driver's platform.

use crate::outbound::{self, Inbound, UpstreamResponse};
use crate::wasi::clocks::{monotonic_clock, wall_clock};
use crate::{executor, signal, store};
use function_fetch_component::{memory, notice, record};
use function_fetch_driver::{Head, Platform, StoreError};
use function_fetch_engine::attempt::Body;
use function_fetch_engine::{Engine, Failure, Forward, Notice, Record, Sent, Stored, Target};
use std::cell::Cell;
use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;

pub fn monotonic_ms() -> f64 {
    monotonic_clock::now() as f64 / 1e6
}

pub fn now_ms() -> f64 {
    let now = wall_clock::now();
    now.seconds as f64 * 1e3 + f64::from(now.nanoseconds) / 1e6
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
        executor::sleep((ms.max(0.0) * 1e6) as u64).await;
    }

    fn engine<R>(&self, with: impl FnOnce(&mut Engine) -> R) -> R {
        memory::engine(with)
    }

    fn send(&self, request: &mut Inbound, target: &Target, forward: &Forward) -> Self::Sending {
        let sent = match outbound::start(request, target, forward) {
            Ok(sent) => sent,
            Err(failure) => return Box::pin(ready(Err(failure))),
        };
        let replay = request.body.replay();
        Box::pin(async move {
            let result = outbound::finish(sent).await;
            if let Err(failure) = &result
                && failure.sent() == Sent::Nothing
            {
                // The host took some of the body, but had no connection to send it
                // on.
                replay.borrow_mut().nothing_was_sent();
            }
            result
        })
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
        Ok(store::get()?.map(|value| record::decode(&value)))
    }

    async fn store_put(&self, record: Record, _ttl_seconds: u32) -> Result<(), StoreError> {
        store::put(&record::encode(&record))
    }

    async fn leisure(&self) {
        signal::client_served().await;
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
