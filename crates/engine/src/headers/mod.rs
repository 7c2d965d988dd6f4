//! Which header fields are passed on, upstream and back, and how those are written
//! that the proxy adds.
//!
//! Fields are a list of names and raw values, as `wasi:http` and JavaScript
//! hosts hand them over: order and repetition (several `Set-Cookie`) survive.

mod cached;

use crate::Settings;
use crate::time::{Millis, Timestamp};
pub use cached::is_from_cache;

/// Header or trailer fields, in order, repeated names kept apart.
pub type Fields = Vec<(String, Vec<u8>)>;

/// How often a request may have passed a Function Fetch before it is taken for
/// a loop.
pub const MAX_HOPS: u32 = 5;

/// The fields of one connection (RFC 9110 §7.6.1). `trailer` is listed there
/// too, but announces the trailers that we do pass on, so it stays; of `te` only
/// `trailers` goes on.
pub const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// The longest wait that is read from a `Retry-After`.
const MOST_WAIT_MS: f64 = 86_400_000.0;

/// The entry that is added to the `via` of each request.
pub const VIA: &str = "1.1 function-fetch";

const COOKIE: &str = "cookie";

/// The fields that describe the client to the target.
const FORWARDED: [&str; 3] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

/// Our name in `Via` and `Proxy-Status`.
const PSEUDONYM: &str = "function-fetch";

/// What the platform itself reports about the client: never taken from a header
/// that a client can write.
#[derive(Clone, Debug, Default)]
pub struct ClientFacts {
    /// The client's IP address, without a port.
    pub address: Option<String>,
    /// The host that the client asked for.
    pub host: Option<String>,
    /// `http` or `https`.
    pub scheme: Option<String>,
}

impl ClientFacts {
    /// Whether the client's connection is encrypted: as the host reports it, and with
    /// `FETCH_TRUST_FORWARDED` as the first `X-Forwarded-Proto` says.
    #[must_use]
    pub fn is_https(&self, fields: &Fields, settings: &Settings) -> bool {
        let told = fields
            .iter()
            .find(|(name, _)| settings.trust_forwarded && is(name, "x-forwarded-proto"))
            .and_then(|(_, value)| value.split(|byte| *byte == b',').next());
        match told {
            Some(told) => told.trim_ascii().eq_ignore_ascii_case(b"https"),
            None => self
                .scheme
                .as_ref()
                .is_some_and(|scheme| is(scheme, "https")),
        }
    }
}

/// How many Function Fetches a request has passed, by its `Via` fields
/// (RFC 9110 §7.6.3).
#[must_use]
pub fn hops(fields: &[(String, Vec<u8>)]) -> u32 {
    let count = fields
        .iter()
        .filter(|(name, _)| is(name, "via"))
        .flat_map(|(_, value)| value.split(|byte| *byte == b','))
        .filter(|entry| {
            entry
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty())
                .nth(1)
                .is_some_and(|by| by.eq_ignore_ascii_case(PSEUDONYM.as_bytes()))
        })
        .count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Makes a client's request fields those of the upstream request: without
/// what belongs to the connection or to the host, with the forwarding fields.
///
/// `Via` is added whatever `FETCH_FORWARDED` says: RFC 9110 §7.6.3 requires it
/// of a gateway, and the bound on loops stands on it.
pub fn to_upstream(fields: &mut Fields, client: &ClientFacts, settings: &Settings) {
    let named = named_by_connection(fields);
    fields.retain(|(name, value)| {
        // A gRPC server refuses a request that does not say `te: trailers`.
        if is(name, "te") {
            return value.trim_ascii().eq_ignore_ascii_case(b"trailers");
        }
        // The host has already answered an `Expect` (RFC 9110 §10.1.1).
        !is(name, "host")
            && !is(name, "expect")
            && !starts_with(name, "spin-")
            && !is_hop_by_hop(name)
            && (is(name, "trailer") || !named.iter().any(|other| is(name, other)))
    });
    join_cookies(fields);
    if settings.forwarded {
        fields.retain(|(name, _)| !is_taken_for_ours(name));
        forward(fields, client, settings.trust_forwarded);
    }
    fields.push(("via".into(), VIA.into()));
}

/// Joins several `Cookie` fields: HTTP/2 may split them, HTTP/1.1 has only one
/// (RFC 9113 §8.2.3).
fn join_cookies(fields: &mut Fields) {
    let mut crumbs = fields.iter().filter(|(name, _)| is(name, COOKIE));
    let (Some(_), Some(_)) = (crumbs.next(), crumbs.next()) else {
        return;
    };
    let mut whole = Vec::new();
    for (_, value) in fields.iter().filter(|(name, _)| is(name, COOKIE)) {
        if !whole.is_empty() {
            whole.extend_from_slice(b"; ");
        }
        whole.extend_from_slice(value);
    }
    let mut whole = Some(whole);
    fields.retain_mut(|(name, value)| {
        if !is(name, COOKIE) {
            return true;
        }
        // In the place of the first.
        whole.take().map(|whole| *value = whole).is_some()
    });
}

/// Whether servers that pass fields on as variables (RFC 3875 §4.1.18) cannot
/// tell the name from one that we set: they write `_` for `-`.
fn is_taken_for_ours(name: &str) -> bool {
    let alike = |ours: &str| {
        name.len() >= ours.len()
            && name.bytes().zip(ours.bytes()).all(|(theirs, ours)| {
                theirs.eq_ignore_ascii_case(&ours) || (theirs == b'_' && ours == b'-')
            })
    };
    let exactly = |ours: &str| name.len() == ours.len() && alike(ours);
    let is_written_otherwise = name.contains('_');
    is_written_otherwise && (alike("spin-") || FORWARDED.iter().any(|ours| exactly(ours)))
}

/// Makes an upstream response's fields those of the client's response. Returns whether they differ.
pub fn to_client(fields: &mut Fields, status: u16) -> bool {
    let before = fields.len();
    let named = named_by_connection(fields);
    // A length beside a coding is an error, or an attack, and does not count
    // (RFC 9112 §6.3); a response without content has none (RFC 9110 §8.6).
    let no_length = status == 204 || fields.iter().any(|(name, _)| is(name, "transfer-encoding"));
    let named = |name: &str| named.iter().any(|other| is(name, other));
    fields.retain(|(name, _)| {
        let ours = is_hop_by_hop(name) || (!is(name, "trailer") && named(name));
        let wrong = no_length && is(name, "content-length");
        !ours && !wrong
    });
    fields.len() != before
}

/// A response's `Retry-After`, from `now`: the first, where it is one that
/// [`parse_retry_after`] can read. The clock is read only if there is one.
#[must_use]
pub fn retry_after(
    fields: &[(String, Vec<u8>)],
    now: impl FnOnce() -> Timestamp,
) -> Option<Millis> {
    let (_, value) = fields.iter().find(|(name, _)| is(name, "retry-after"))?;
    parse_retry_after(std::str::from_utf8(value).ok()?, now())
}

/// The value of a `Retry-After` (RFC 9110 §10.2.3), from `now`, a day at most: a
/// number of seconds, or a date.
#[must_use]
pub fn parse_retry_after(value: &str, now: Timestamp) -> Option<Millis> {
    let value = value.trim_ascii();
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let ms = if is_number {
        let seconds = value.parse::<u32>().map_or(f64::INFINITY, f64::from);
        seconds * 1000.0
    } else {
        let date = httpdate::parse_http_date(value).ok()?;
        let at = date.duration_since(std::time::UNIX_EPOCH).ok()?;
        at.as_secs_f64() * 1000.0 - now.0
    };
    (!ms.is_nan()).then(|| Millis(ms.clamp(0.0, MOST_WAIT_MS)))
}

/// The `Proxy-Status` value (RFC 9209) of one of our own errors.
#[must_use]
pub fn proxy_status(error: &str) -> String {
    format!("{PSEUDONYM}; error={error}")
}

/// The `Proxy-Status` value of a response that was passed through, for
/// `FETCH_EXPLAIN`: which target answered, with what, at which attempt.
#[must_use]
pub fn explain(next_hop: &str, status: u16, attempt: u32, source: &str) -> String {
    format!(
        "{PSEUDONYM}; next-hop=\"{next_hop}\"; received-status={status}; \
         details=\"attempt {attempt}, decision from {source}\""
    )
}

fn forward(fields: &mut Fields, client: &ClientFacts, trust: bool) {
    let mut chain: Vec<u8> = Vec::new();
    fields.retain(|(name, value)| {
        let for_field = is(name, "x-forwarded-for");
        if trust {
            if for_field {
                if !chain.is_empty() {
                    chain.extend_from_slice(b", ");
                }
                chain.extend_from_slice(value);
            }
            return !for_field;
        }
        // `Forwarded` (RFC 7239) says the same in another spelling; left in, it
        // would let a client state what the other three no longer can.
        !(is(name, "forwarded") || FORWARDED.iter().any(|ours| is(name, ours)))
    });
    if let Some(address) = &client.address {
        if !chain.is_empty() {
            chain.extend_from_slice(b", ");
        }
        chain.extend_from_slice(address.as_bytes());
    }
    if !chain.is_empty() {
        fields.push(("x-forwarded-for".into(), chain));
    }
    // A scheme that no listener has was the client's choice.
    let scheme = client
        .scheme
        .as_ref()
        .filter(|scheme| is(scheme, "http") || is(scheme, "https"));
    for (field, value) in [
        ("x-forwarded-host", client.host.as_ref()),
        ("x-forwarded-proto", scheme),
    ] {
        let told = fields.iter().any(|(name, _)| is(name, field));
        if let (false, Some(value)) = (told, value) {
            fields.push((field.into(), value.clone().into_bytes()));
        }
    }
}

fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.iter().any(|other| is(name, other))
}

/// The names that `Connection` lists as its own.
fn named_by_connection(fields: &[(String, Vec<u8>)]) -> Vec<String> {
    fields
        .iter()
        .filter(|(name, _)| is(name, "connection"))
        .flat_map(|(_, value)| value.split(|byte| *byte == b','))
        .filter_map(|name| std::str::from_utf8(name.trim_ascii()).ok())
        .map(str::to_owned)
        .collect()
}

fn is(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests;
