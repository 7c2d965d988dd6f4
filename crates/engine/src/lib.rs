//! The decisions of Function Fetch, and nothing else.
//!
//! The engine does no I/O, and has no clock and no source of random numbers of its
//! own: the time and a seed are arguments, actions come out, events go in. Every
//! host drives the same engine, so a rule fixed here is fixed on all of them.
//!
//! A request is a short conversation: [`Engine::begin`] opens it,
//! [`Engine::settle`] answers what happened, until an action ends it. All that
//! must be kept between the calls is a [`RequestState`], a `Copy` value, so a
//! client that goes away leaves nothing behind.
//!
//! The invariant, which every step ends with: *either exactly one
//! action is owed by the host, or the request is over.* The engine owns time, too:
//! a step says when the host is to report an [`Event::Timer`], and the engine
//! decides what has run out by then.
//!
//! The whole loop, in front of two targets of which the first is dead:
//!
//! ```
//! use function_fetch_engine::{
//!     Action, Capabilities, Engine, Event, Failure, Millis, ReplayState, Request, Settings,
//!     Timestamp,
//! };
//!
//! let settings = Settings::read(Capabilities::default(), |name| match name {
//!     "FETCH_TARGETS" => Some("http://a.example http://b.example".to_owned()),
//!     // Nothing is probed and nothing remembered: the order of the list.
//!     "FETCH_CACHE_ADAPTER" => Some("none".to_owned()),
//!     _ => None,
//! });
//! let mut engine = Engine::new(settings, 42);
//! let request = Request::new("GET", "/");
//! let mut now = Timestamp(1_790_000_000_000.0);
//! let mut step = engine.begin(&request, now);
//! while let Action::Send(attempt) = step.action {
//!     // A host sends the request here, and waits for the response's head, for at
//!     // most `step.wake_after`.
//!     let ttfb = Millis(5.0);
//!     now = now + ttfb;
//!     let replay = ReplayState::Unsent;
//!     let target = attempt.target;
//!     let event = if target == 0 {
//!         Event::Failed { target, failure: Failure::ConnectionRefused, replay }
//!     } else {
//!         Event::Response { target, status: 200, retry_after: None, ttfb, replay }
//!     };
//!     step = engine.settle(step.state, event, now);
//! }
//! assert_eq!(step.action, Action::Relay);
//! assert_eq!(step.state.attempts(), 2);
//! ```

mod conversation;
mod decision;
mod drift;
mod engine;
mod evidence;
pub mod failure;
mod fence;
mod hash;
pub mod headers;
mod health;
mod hedging;
mod json;
mod judging;
mod knowledge;
mod latency;
mod limits;
mod local_reply;
mod math;
mod notice;
mod random;
mod rank;
pub mod record;
mod request;
mod retry;
mod round;
pub mod settings;
mod sharing;
mod sort;
pub mod stats;
pub mod status;
pub mod store_key;
mod sync;
pub mod target;
mod time;
mod trial;
mod watch;

pub use conversation::{
    Action, Attempt, Event, ReplayState, STORE_TIMEOUT, STORE_WRITE_TIMEOUT, Step, Waited,
};
pub use engine::Engine;
pub use evidence::{Pairs, Tally};
pub use failure::{Failure, FaultOrigin, RetrySafety};
pub use local_reply::LocalReply;
pub use notice::{ChangeReason, Notice, StoreOperation};
pub use record::{Record, Stored};
pub use request::{Request, RequestState, Stage, TargetSet};
pub use round::{ProbeOutcome, Round};
pub use settings::{Capabilities, Settings};
pub use sharing::StoreWrite;
pub use status::Status;
pub use target::{Preference, Target};
pub use time::{Millis, Timestamp};
pub use trial::{HalfOpen, LatencyTrial, LogTimes};

/// The `user-agent` of probes.
pub const USER_AGENT: &str = concat!("function-fetch/", env!("CARGO_PKG_VERSION"));

/// The most targets that one configuration may name; each is a bit of the
/// [`RequestState`].
pub const MAX_TARGETS: usize = 32;
