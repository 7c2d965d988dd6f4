//! What probes look like.

use function_fetch_engine::USER_AGENT;
use function_fetch_engine::headers::Fields;

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
