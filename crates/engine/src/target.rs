//! A target: one upstream that requests may go to, fixed by the settings.

use crate::text;
use std::fmt;

/// An upstream's address, normalised: lower-case scheme and host, no default
/// port, a base path without its trailing slash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    https: bool,
    authority: String,
    base_path: String,
}

/// Why an entry of `FETCH_TARGETS` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
#[non_exhaustive]
pub enum TargetError {
    /// No `http://` or `https://` in front.
    NoScheme,
    /// Some other scheme.
    Scheme(String),
    /// `user:password@` in the address.
    UserInfo,
    /// Nothing where the host should be.
    NoHost,
    /// The port is not a number from 1 to 65535.
    Port,
    /// A host or path with characters that may not stand in an address.
    Syntax,
    /// More targets than the engine takes.
    TooMany,
}

impl TargetError {
    /// What is wrong with the entry, and what to do.
    pub(crate) fn message(&self) -> String {
        let text = match self {
            Self::NoScheme => "has no scheme; write it as https://… or http://…",
            // Which one is in the entry, if it is a scheme at all.
            Self::Scheme(_) => "has another scheme; only http and https are served",
            Self::UserInfo => "carries a user name or password; remove what stands before the @",
            Self::NoHost => "names no host",
            Self::Port => "has a port that is not a number from 1 to 65535",
            Self::Syntax => {
                "is not a valid address; write other characters percent-encoded, \
                 other scripts' host names in punycode"
            }
            Self::TooMany => {
                let most = text::digits(crate::MAX_TARGETS as f64);
                return text::concat(&["is one too many; at most ", &most, " targets are taken"]);
            }
        };
        text.to_owned()
    }
}

impl Target {
    /// Reads one entry of `FETCH_TARGETS`. Query and fragment are dropped.
    ///
    /// # Errors
    ///
    /// A [`TargetError`] that says what to change.
    pub fn parse(entry: &str) -> Result<Self, TargetError> {
        let (scheme, rest) = text::cut(entry, b":");
        let Some(rest) = rest.strip_prefix("://") else {
            return Err(TargetError::NoScheme);
        };
        let https = scheme.eq_ignore_ascii_case("https");
        if !https && !scheme.eq_ignore_ascii_case("http") {
            return Err(TargetError::Scheme(scheme.to_owned()));
        }
        // The query and the fragment go first: an `@` in them is no user name.
        let (rest, _) = text::cut(rest, b"?#");
        let (authority, path) = text::cut(rest, b"/");
        if !text::cut(authority, b"@").1.is_empty() {
            return Err(TargetError::UserInfo);
        }
        // The colons of an IPv6 address are between brackets.
        let (address, after) = text::cut(authority, b"]");
        let (host, port) = match after.strip_prefix("]") {
            Some(port) => (&authority[..=address.len()], port),
            None => text::cut(authority, b":"),
        };
        if host.is_empty() {
            return Err(TargetError::NoHost);
        }
        let host = host.to_ascii_lowercase();
        if !is_host(&host) || !may_stand_in_path(path) {
            return Err(TargetError::Syntax);
        }
        let default_port = if https { 443.0 } else { 80.0 };
        let port = match port.strip_prefix(":") {
            None if !port.is_empty() => f64::NAN,
            None | Some("") => default_port,
            Some(digits) => text::whole_number(digits),
        };
        if !(1.0..=65535.0).contains(&port) {
            return Err(TargetError::Port);
        }
        let authority = if port == default_port {
            host
        } else {
            text::concat(&[&host, ":", &text::digits(port)])
        };
        let mut base_path = path;
        while let Some(shorter) = base_path.strip_suffix("/") {
            base_path = shorter;
        }
        Ok(Self {
            https,
            authority,
            base_path: base_path.to_owned(),
        })
    }

    /// The address as it was understood.
    #[must_use]
    pub fn url(&self) -> String {
        text::concat(&[&self.origin(), self.base_path()])
    }

    /// Scheme, host and port, without a trailing slash.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.https { "https://" } else { "http://" };
        text::concat(&[scheme, &self.authority])
    }

    /// Whether the target is spoken to over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Host, and port where it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What stands before each request's path: empty, or from `/` on, without a
    /// trailing slash.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Where a request for `path` (with its query, as it came) goes on this
    /// target: the base path and the path, byte for byte, joined with exactly
    /// one `/`.
    #[must_use]
    pub fn path_for(&self, path: &str) -> String {
        // `OPTIONS *` speaks of the server as a whole (RFC 9110 §7.1); behind
        // a base path, and on hosts that cannot say `*`, that is the root.
        let path = if path == "*" { "/" } else { path };
        let slash = if path.starts_with('/') { "" } else { "/" };
        text::concat(&[self.base_path(), slash, path])
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

/// Whether all of it may stand in a path or a query (RFC 3986 §3.3, §3.4, and
/// what is common beyond).
pub(crate) fn may_stand_in_path(path: &str) -> bool {
    path.bytes()
        .all(|byte| byte.is_ascii_graphic() && !text::is_one_of(byte, b"\"<>\\`#"))
}

/// A DNS name, an IPv4 address or a bracketed IPv6 address, already in lower
/// case. Stricter than RFC 3986's reg-name, which takes almost anything.
fn is_host(host: &str) -> bool {
    match host.strip_prefix("[") {
        Some(rest) => rest.strip_suffix("]").is_some_and(is_ipv6),
        None => host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')),
    }
}

/// An IPv6 address (RFC 4291 §2.2): eight groups of up to four digits, some of
/// them left out by one `::`, the last two perhaps as an IPv4 address. The
/// standard library's parser is six times the code.
fn is_ipv6(address: &str) -> bool {
    let mut groups = 0;
    let mut gap = false;
    let mut rest = address;
    if let Some(after) = rest.strip_prefix("::") {
        gap = true;
        rest = after;
    }
    while !rest.is_empty() {
        let (group, after) = text::cut(rest, b":");
        if after.is_empty() && is_ipv4(group) {
            groups += 2;
        } else if (1..=4).contains(&group.len())
            && group.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            groups += 1;
        } else {
            return false;
        }
        rest = match after {
            "" => "",
            // Nothing follows the last colon.
            ":" => return false,
            _ if !gap && after.starts_with("::") => {
                gap = true;
                &after[2..]
            }
            _ => &after[1..],
        };
    }
    if gap { groups < 8 } else { groups == 8 }
}

fn is_ipv4(address: &str) -> bool {
    let mut rest = address;
    for last in [false, false, false, true] {
        let (number, after) = text::cut(rest, b".");
        // Zeros in front mean octal to some.
        let plain = number == "0" || !number.starts_with('0');
        let fits = text::whole_number(number) <= 255.0;
        if !plain || !fits || after.is_empty() != last {
            return false;
        }
        rest = after.strip_prefix(".").unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises() {
        for (given, wanted) in [
            ("https://US.Example.com", "https://us.example.com"),
            ("HTTPS://a.com:443/", "https://a.com"),
            ("http://a.com:80/base/", "http://a.com/base"),
            ("http://a.com:8080/b//", "http://a.com:8080/b"),
            ("https://a.com/x?q=1#f", "https://a.com/x"),
            ("https://a.com?next=b@c", "https://a.com"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://127.0.0.1:", "http://127.0.0.1"),
        ] {
            assert_eq!(Target::parse(given).unwrap().to_string(), wanted, "{given}");
        }
    }

    #[test]
    fn refuses_with_the_reason() {
        for (given, wanted) in [
            ("a.com", TargetError::NoScheme),
            ("ftp://a.com", TargetError::Scheme("ftp".into())),
            ("https://u:p@a.com", TargetError::UserInfo),
            ("https://", TargetError::NoHost),
            ("https://:443", TargetError::NoHost),
            ("https://a.com:0", TargetError::Port),
            ("https://a.com:70000", TargetError::Port),
            ("https://a.com:+80", TargetError::Port),
            ("https://ex ample.com", TargetError::Syntax),
            ("https://bücher.example", TargetError::Syntax),
            ("https://a.com/ü", TargetError::Syntax),
            ("http://[::1", TargetError::Syntax),
            ("http://a,b.com", TargetError::Syntax),
        ] {
            assert_eq!(Target::parse(given), Err(wanted), "{given}");
        }
    }

    proptest::proptest! {
        #[test]
        fn ipv6_is_what_the_standard_library_takes_for_it(text in "[0-9a-f:.]{0,24}|(::)?([0-9a-f]{1,5}:){0,8}(:[0-9a-f]{1,4}){0,3}([0-9]{1,3}[.]){0,4}[0-9]{0,3}") {
            let theirs = text.parse::<std::net::Ipv6Addr>().is_ok();
            proptest::prop_assert_eq!(is_ipv6(&text), theirs, "{}", text);
        }
    }

    #[test]
    fn joins_with_exactly_one_slash_and_changes_nothing_else() {
        let plain = Target::parse("https://a.com").unwrap();
        let based = Target::parse("https://a.com/api/").unwrap();
        for (path, on_plain, on_based) in [
            ("/", "/", "/api/"),
            ("/x?y=%2f&z", "/x?y=%2f&z", "/api/x?y=%2f&z"),
            ("//evil.com/x", "//evil.com/x", "/api//evil.com/x"),
            ("/%2e%2e/%5c", "/%2e%2e/%5c", "/api/%2e%2e/%5c"),
            ("?q", "/?q", "/api/?q"),
            ("", "/", "/api/"),
            ("*", "/", "/api/"),
        ] {
            assert_eq!(plain.path_for(path), on_plain);
            assert_eq!(based.path_for(path), on_based);
        }
    }
}
