//! The subcommands.

pub mod check;
mod monitoring;
pub mod probe;
mod schema;
pub mod serve;
mod summary;
mod watch;
