//! What the WASI components share, whatever their version of WASI: the memory of
//! an instance, the sources of settings, the facts about the client, a request's
//! body on its way to targets, the heads of responses, and the text of records
//! and notices.
//!
//! No WASI in here. The two versions generate separate types for the same
//! things; where those matter, macros match on the variants that they have in
//! common.

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
pub mod stats;
pub mod status;
pub mod upload;
pub mod variables;

/// Used by the macros.
pub use function_fetch_engine::Failure;

/// By default, hosts end a silent exchange after ten minutes. A stream of events
/// may be silent for longer, and until the head the proxy's own time-outs apply.
pub const SILENCE_NS: u64 = 24 * 3600 * 1_000_000_000;
