//! Simulates edge locations, targets and the networks between them, in virtual
//! time, with the real engine and driver deciding beside other policies.
//!
//! Everything is drawn from one seed and nothing depends on threads, wall clock
//! or addresses: the same seed gives the same figures, to the last digit.

mod cell;
pub mod clock;
pub mod executor;
pub mod metrics;
pub mod network;
pub mod policy;
pub mod random;
#[cfg(feature = "batch")]
pub mod report;
#[cfg(feature = "batch")]
pub mod run;
pub mod scenario;
pub mod session;
pub mod timers;
pub mod traffic;
