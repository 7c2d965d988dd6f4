//! The heads of responses, as the client gets them.

use function_fetch_engine::Reply;
use function_fetch_engine::headers::{self, Fields};

/// Makes a target's fields the client's; `explain` is its `Proxy-Status` and
/// the milliseconds that it took, where the settings ask for them.
pub fn to_client(fields: &mut Fields, explain: Option<(String, f64)>) {
    headers::to_client(fields);
    if let Some((text, elapsed_ms)) = explain {
        fields.push(("proxy-status".into(), text.into_bytes()));
        let timing = format!("function-fetch;dur={elapsed_ms:.1}");
        fields.push(("server-timing".into(), timing.into_bytes()));
    }
}

/// Whether a response has no content, whatever its fields say (RFC 9110
/// §6.4.1).
#[must_use]
pub fn is_bodiless(status: u16, to_head: bool) -> bool {
    to_head || matches!(status, 204 | 304)
}

/// The fields and the body of the proxy's own words.
#[must_use]
pub fn own_words(reply: Reply) -> (Fields, Vec<u8>) {
    let body = reply.body.into_bytes();
    let fields = vec![
        ("content-type".into(), b"text/plain; charset=utf-8".to_vec()),
        ("content-length".into(), body.len().to_string().into_bytes()),
        ("cache-control".into(), b"no-store".to_vec()),
        ("proxy-status".into(), reply.proxy_status.into_bytes()),
    ];
    (fields, body)
}

/// The `Content-Length`, where there is a sound one.
#[must_use]
pub fn content_length(fields: &Fields) -> Option<u64> {
    let (_, value) = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}
