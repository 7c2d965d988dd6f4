//! Runs what the engine decides: one request's attempts, the rounds of probes
//! and the store traffic, over any [`Platform`].
//!
//! There is no clock, no socket and no executor here; a platform brings them.
//! The WASI components and the simulator bring different ones and share
//! everything else, so races, time-outs and cancellation are simulated as they
//! run.
//!
//! A minimal platform: targets that answer at once, no store, and nothing in the
//! background.
//!
//! ```
//! use function_fetch_driver::{Head, Outcome, Platform, ProbeHead, StoreError, serve};
//! use function_fetch_engine::{
//!     Attempt, Capabilities, Engine, Failure, Millis, Notice, Record, ReplayState, Request,
//!     Settings, Stored, Target, Timestamp,
//! };
//! use std::cell::RefCell;
//! use std::future::{Future, Ready, pending, ready};
//! use std::rc::Rc;
//!
//! #[derive(Clone)]
//! struct Network(Rc<RefCell<Engine>>);
//!
//! impl Platform for Network {
//!     type Request = ();
//!     type Response = u16;
//!     type Sending = Ready<Result<u16, Failure>>;
//!
//!     fn now(&self) -> Timestamp { Timestamp(1_790_000_000_000.0) }
//!     fn monotonic(&self) -> Millis { Millis::ZERO }
//!     async fn sleep(&self, _: Millis) { pending().await }
//!     fn engine<R>(&self, with: impl FnOnce(&mut Engine) -> R) -> R { with(&mut self.0.borrow_mut()) }
//!     fn send(&self, _: &mut (), target: &Target, _: &Attempt) -> Self::Sending {
//!         let dead = target.authority() == "a.example";
//!         ready(if dead { Err(Failure::ConnectionRefused) } else { Ok(200) })
//!     }
//!     fn replay_state(&self, _: &()) -> ReplayState { ReplayState::Unsent }
//!     async fn stop_upload(&self, _: &mut ()) -> ReplayState { ReplayState::Unsent }
//!     fn head(&self, status: &u16) -> Head { Head { status: *status, retry_after: None } }
//!     async fn probe(&self, _: &Target, _: &str) -> Result<ProbeHead, Failure> {
//!         Ok(ProbeHead { status: 200, cached: false })
//!     }
//!     async fn store_get(&self) -> Result<Option<Stored>, StoreError> { Ok(None) }
//!     async fn store_put(&self, _: Record, _: u32) -> Result<(), StoreError> { Ok(()) }
//!     fn spawn(&self, _: impl Future<Output = ()> + 'static) {}
//!     async fn round_progress(&self) { pending().await }
//!     fn round_progressed(&self) {}
//!     fn notice(&self, notice: &Notice) { eprintln!("{notice:?}") }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let settings = Settings::read(Capabilities::default(), |name| match name {
//!     "FETCH_TARGETS" => Some("http://a.example http://b.example".to_owned()),
//!     "FETCH_CACHE_ADAPTER" => Some("none".to_owned()),
//!     _ => None,
//! });
//! let network = Network(Rc::new(RefCell::new(Engine::new(settings, 42))));
//! let request = Request::new("GET", "/");
//! let outcome = serve(&network, &request, &mut ()).await;
//! assert!(matches!(outcome, Outcome::Relay { response: 200, .. }));
//! # });
//! ```

mod attempts;
mod platform;
mod round;
mod serve;
mod store;

pub use platform::{Head, Platform, ProbeHead, StoreError};
pub use serve::{Explanation, Outcome, ask, serve};
pub use store::read as read_store;
