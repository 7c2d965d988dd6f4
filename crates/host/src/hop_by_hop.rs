//! Headers that `Connection` lists (RFC 9110 section 7.6.1).
//!
//! wasmtime removes `Connection` before the guest sees it, so the guest cannot know what it listed: this is the last
//! place that does.

use http::HeaderMap;
use http::header::{CONNECTION, HOST, HeaderName, TE, TRAILER};

/// Removes the headers that `Connection` lists. `TE` and `Trailer` stay: trailers pass through this host, and the guest
/// handles both as hop-by-hop.
pub(crate) fn remove_named_by_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| ![TE, TRAILER, HOST].contains(name))
        .collect();
    for name in named {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn removes_what_is_named_and_nothing_else() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, X-Private"),
            ("connection", "te, not a name, x-other"),
            ("x-private", "1"),
            ("x-other", "2"),
            ("te", "trailers"),
            ("accept", "*/*"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        remove_named_by_connection(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "connection", "te"]);
    }
}
