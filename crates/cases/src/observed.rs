//! What a runner observed, to be compared with what a case expects.

use function_fetch_engine::headers::Fields;

/// A response as the client got it.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its header fields, as on the wire.
    pub fields: Fields,
    /// Its body.
    pub body: Vec<u8>,
    /// Its trailer fields.
    pub trailers: Fields,
    /// Whether the body ended before its end.
    pub broken: bool,
}

/// A request as an upstream got it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Its method.
    pub method: String,
    /// Its path and query, byte for byte.
    pub path: String,
    /// Its header fields, as on the wire.
    pub fields: Fields,
    /// What has arrived of its body.
    pub body: Vec<u8>,
}

/// The values of all fields of a name, in order.
pub(crate) fn values_of(fields: &Fields, name: &str) -> Vec<String> {
    fields
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect()
}
