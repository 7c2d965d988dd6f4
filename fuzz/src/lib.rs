//! What every input is held to: one function for each fuzz target, which panics where a promise is broken.
//!
//! Inputs of `settings`, `record`, `headers` and `fence` are text, so that the corpus can be read and written by hand.
//! Those of `conversation` and `edge` are bytes that `arbitrary` turns into choices. Those of `status` begin as the
//! former and end as the latter.

mod conversation;
mod edge;
mod fence;
mod headers;
mod record;
mod settings;
mod status;

// The laws of the engine, as its own tests hold them: here the fuzzer chooses what happens.
#[path = "../../crates/engine/tests/laws/moves.rs"]
mod moves;
#[path = "../../crates/engine/tests/laws/open_request.rs"]
mod open_request;
#[allow(dead_code, reason = "other tests of the engine use the rest")]
#[path = "../../crates/engine/tests/laws/talk.rs"]
mod talk;
#[path = "../../crates/engine/tests/laws/world.rs"]
mod world;

pub use conversation::conversation;
pub use edge::edge;
pub use fence::fence;
pub use headers::headers;
pub use record::record;
pub use settings::settings;
pub use status::status;

/// A fuzz target: its name, which is also its folder's in `corpus`, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 7] = [
    ("settings", settings),
    ("record", record),
    ("headers", headers),
    ("fence", fence),
    ("conversation", conversation),
    ("edge", edge),
    ("status", status),
];
