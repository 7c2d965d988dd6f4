//! The decisions of Function Fetch, and nothing else.
//!
//! The engine does no I/O, has no clock and no dice of its own: the time and a
//! seed are arguments, actions come out, events go in. Every host drives the
//! same engine, so a rule fixed here is fixed on all of them.
//!
//! A request is a short conversation: [`Engine::begin`] opens it,
//! [`Engine::settle`] answers what happened, until an action ends it. All that
//! must be kept between the calls is an [`Exchange`], a `Copy` value, so a
//! client that goes away leaves nothing behind.
//!
//! The invariant, which every step ends with: *either exactly one
//! action is owed by the host, or the request is over.*
//!
//! The whole loop, in front of two targets of which the first is dead:
//!
//! ```
//! use function_fetch_engine::attempt::Body;
//! use function_fetch_engine::{Action, Capabilities, Engine, Event, Failure, Request, Settings};
//!
//! let settings = Settings::read(Capabilities::default(), |name| match name {
//!     "FETCH_TARGETS" => Some("http://a.example http://b.example".to_owned()),
//!     // Nothing is probed and nothing remembered: the order of the list.
//!     "FETCH_CACHE_ADAPTER" => Some("none".to_owned()),
//!     _ => None,
//! });
//! let mut engine = Engine::new(settings, 42);
//! let request = Request { method: "GET", path: "/", hops: 0, has_body: false };
//! let mut now = 1_790_000_000_000.0;
//! let mut step = engine.begin(&request, now);
//! while let Action::Forward(forward) = step.action {
//!     // A host sends the request here, and waits for the response's head.
//!     now += 5.0;
//!     let body = Body::Untouched;
//!     let event = if forward.target == 0 {
//!         Event::Failed { failure: Failure::ConnectionRefused, body }
//!     } else {
//!         Event::Response { status: 200, retry_after_ms: None, head_ms: 5.0, body }
//!     };
//!     step = engine.settle(step.exchange, event, now);
//! }
//! assert_eq!(step.action, Action::Relay);
//! assert_eq!(step.exchange.attempts(), 2);
//! ```
//!
//! Times are milliseconds since the Unix epoch, as `f64` (JavaScript hosts have
//! no 64-bit integer that is cheap to pass).

pub mod attempt;
mod budget;
mod curve;
mod decision;
mod drift;
mod engine;
mod exchange;
pub mod failure;
mod fence;
pub mod headers;
mod health;
mod latency;
mod notice;
mod parallel;
pub mod probe;
mod rank;
pub mod record;
pub mod reply;
pub mod settings;
pub mod store_key;
mod sync;
pub mod target;

pub use attempt::{Action, Event, Forward, Request, Step};
pub use decision::StoreWrite;
pub use engine::Engine;
pub use exchange::{Exchange, Stage};
pub use failure::{Failure, Sent};
pub use notice::Notice;
pub use probe::{ProbeOutcome, Round};
pub use record::{Record, Stored};
pub use reply::Reply;
pub use settings::{Capabilities, Settings};
pub use target::Target;

/// The `user-agent` of probes.
pub const USER_AGENT: &str = concat!("function-fetch/", env!("CARGO_PKG_VERSION"));

/// The most targets that one configuration may name; each is a bit of the
/// [`Exchange`].
pub const MAX_TARGETS: usize = 32;
