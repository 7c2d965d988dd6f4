//! What probes look like.

use function_fetch_engine::USER_AGENT;
use function_fetch_engine::headers::Fields;

/// How much of a probe's answer is read behind the measurement, bytes: to its
/// end, the connection can be kept, and the target sees no broken pipe. A longer
/// one is not worth that.
pub const READ_BYTES: usize = 64 * 1024;

/// The header fields of a probe.
#[must_use]
pub fn fields() -> Fields {
    vec![
        ("user-agent".to_owned(), USER_AGENT.into()),
        ("accept".to_owned(), b"*/*".to_vec()),
        // A cache on the way would answer for a target that is down.
        ("cache-control".to_owned(), b"no-store".to_vec()),
    ]
}
