//! The engine's rules, as conversations.

mod attempts;
mod decisions;
mod failures;
mod judgement;
mod live;
mod live_instances;
mod live_latency;
mod live_shared;
mod moves;
mod open_request;
mod preference;
mod problems;
mod properties;
mod reports;
mod resends;
mod serve;
mod stats;
mod status;
mod sync;
mod talk;
mod world;
