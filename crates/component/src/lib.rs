//! What the WASI components share, whatever their version of WASI: the memory
//! of an instance, where settings come from, what is known of the client, a
//! request's body on its way to targets, the heads of responses, and the text of
//! records and notices.
//!
//! No WASI in here. The two versions generate types of their own for the same
//! things; where those matter, macros match on the variants they agree on.

pub mod client;
mod error_code;
pub mod framing;
pub mod memory;
mod method;
pub mod notice;
pub mod probe;
pub mod record;
pub mod replay;
pub mod request;
pub mod response;
pub mod settings;
pub mod upload;
pub mod variables;

/// Named by the macros.
pub use function_fetch_engine::Failure;

/// Hosts end a silent exchange after ten minutes by themselves. A stream of
/// events may be silent for longer, and until the head our own timers decide.
pub const SILENCE_NS: u64 = 24 * 3600 * 1_000_000_000;
