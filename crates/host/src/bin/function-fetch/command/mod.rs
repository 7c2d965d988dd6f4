//! The subcommands.

pub mod check;
pub mod probe;
pub mod serve;
