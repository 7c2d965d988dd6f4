//! Simulates edge locations, targets and the networks between them.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
pub mod clock;
pub mod executor;
pub mod random;
pub mod timers;
