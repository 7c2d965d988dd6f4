//! The engine's rules, told as conversations.

mod attempts;
mod decisions;
mod failures;
mod judgement;
mod properties;
mod reports;
mod sync;
mod talk;
mod told;
