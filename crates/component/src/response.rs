//! The heads of responses to the client.

use function_fetch_driver::Explanation;
use function_fetch_engine::LocalReply;
use function_fetch_engine::headers::Fields;

/// The fields that `FETCH_EXPLAIN` adds to an upstream's: its `Proxy-Status`,
/// and how long it took, ms.
#[must_use]
pub fn explanation(explanation: Explanation) -> [(&'static str, Vec<u8>); 2] {
    // In whole tenths: what writes any fraction would be 13 KB of code.
    let tenths = (explanation.elapsed.0 * 10.0).round_ties_even() as u64;
    let timing = format!("function-fetch;dur={}.{}", tenths / 10, tenths % 10);
    [
        ("proxy-status", explanation.proxy_status.into_bytes()),
        ("server-timing", timing.into_bytes()),
    ]
}

/// Whether a response has no content, whatever its fields say (RFC 9110
/// §6.4.1).
#[must_use]
pub fn is_bodiless(status: u16, to_head: bool) -> bool {
    to_head || matches!(status, 204 | 304)
}

/// The fields and the body of a local reply.
#[must_use]
pub fn local_reply(reply: LocalReply) -> (Fields, Vec<u8>) {
    let body = reply.body.into_bytes();
    let length = ("content-length", body.len().to_string());
    let fields = reply.fields.into_iter().chain([length]);
    let fields = fields.map(|(name, value)| (name.to_owned(), value.into_bytes()));
    (fields.collect(), body)
}
