//! The engine's rules, told as conversations.

mod attempts;
mod decisions;
mod failures;
mod properties;
mod talk;
