//! The request of a probe.

use function_fetch_engine::USER_AGENT;
use function_fetch_engine::headers::Fields;

/// How much of a probe's response is read after the measurement, bytes: read to
/// its end, the connection can be kept, and the target sees no broken pipe. A
/// longer one is not worth that.
pub const READ_BYTES: usize = 64 * 1024;

/// The header fields of a probe.
#[must_use]
pub fn fields() -> Fields {
    vec![
        ("user-agent".to_owned(), USER_AGENT.into()),
        ("accept".to_owned(), b"*/*".to_vec()),
        // A cache in between would answer for a target that is down: it is to ask the
        // target at least whether what it has is still good (RFC 9111 §5.2.1.4).
        ("cache-control".to_owned(), b"no-cache".to_vec()),
    ]
}
