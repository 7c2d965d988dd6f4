//! What the WASI components share, whatever their version of WASI: the memory
//! of an instance, where settings come from, what is known of the client, what
//! is kept of a request's body, the heads of responses, and the text of records
//! and notices.
//!
//! No WASI in here. The two versions generate types of their own for the same
//! things; where those matter, macros match on the variants they agree on.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod client;
mod error_code;
pub mod framing;
pub mod memory;
mod method;
pub mod notice;
pub mod probe;
pub mod record;
pub mod replay;
pub mod response;
pub mod settings;
pub mod variables;

/// Named by the macros.
pub use function_fetch_engine::Failure;

/// Hosts end a silent exchange after ten minutes by themselves. A stream of
/// events may be silent for longer, and until the head our own timers decide.
pub const SILENCE_NS: u64 = 24 * 3600 * 1_000_000_000;

/// How long a request without `Content-Length` may take to show whether it has
/// a body: 10 ms. A client that streams one may send its first byte much later.
pub const FIRST_BYTES_NS: u64 = 10_000_000;
