//! Runs what the engine decides: one request's attempts, the rounds of probes
//! and the store traffic, over any [`Platform`].
//!
//! There is no clock, no socket and no executor here; a platform brings them.
//! The WASI components and the simulator bring different ones and share
//! everything else, so races, time-outs and cancellation are simulated as they
//! run.

mod attempt;
mod exchange;
mod platform;
mod round;
mod store;

pub use exchange::{Outcome, serve};
pub use platform::{Head, Platform, StoreError};
