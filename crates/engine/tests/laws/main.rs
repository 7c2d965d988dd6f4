//! The engine's rules, as conversations.

mod attempts;
mod decisions;
mod failures;
mod judgement;
mod preference;
mod problems;
mod properties;
mod reports;
mod sync;
mod talk;
