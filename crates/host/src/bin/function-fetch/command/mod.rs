//! The subcommands.

pub mod check;
mod monitoring;
pub mod probe;
pub mod serve;
mod summary;
mod watch;
