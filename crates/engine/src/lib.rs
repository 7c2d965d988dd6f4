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
