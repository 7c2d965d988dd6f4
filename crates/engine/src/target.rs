//! A target: an upstream of `FETCH_TARGETS`.

use std::fmt;
use std::net::Ipv6Addr;

/// An upstream's address, normalised: lower-case scheme and host, no default
/// port, a base path without its trailing slash; and when it is to serve.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    https: bool,
    authority: String,
    base_path: String,
    preference: Preference,
}

/// What an entry of `FETCH_TARGETS` says beside the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Preference {
    /// From 1 to [`Preference::LAST_TIER`]. Latency decides within a tier; a
    /// tier serves only when those before it have nothing fit.
    pub tier: u8,
    /// From 1 to [`Preference::MOST_WEIGHT`]: the share of the traffic that
    /// `FETCH_SPREAD` gives it, in proportion.
    pub weight: u8,
}

impl Preference {
    /// The last tier.
    pub const LAST_TIER: u8 = 9;
    /// The most that a target may weigh.
    pub const MOST_WEIGHT: u8 = 100;

    /// What stands behind an address in a list for the operator: nothing, where
    /// nothing is said of it.
    #[must_use]
    pub fn note(self) -> String {
        if self == Self::default() {
            String::new()
        } else {
            format!(" ({self})")
        }
    }
}

impl Default for Preference {
    fn default() -> Self {
        Self { tier: 1, weight: 1 }
    }
}

impl fmt::Display for Preference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tier {}, weight {}", self.tier, self.weight)
    }
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
    /// No host.
    NoHost,
    /// The port is not a number from 1 to 65535.
    Port,
    /// A host or path with characters that are not allowed in an address.
    Syntax,
    /// More targets than the engine takes.
    TooMany,
    /// In a JSON array: neither a string nor an object whose `url` is one.
    NoAddress,
    /// An object with a member that has no meaning.
    Member,
    /// A tier that is no whole number, or out of bounds.
    Tier,
    /// A weight that is no whole number, or out of bounds.
    Weight,
    /// The same address as an entry before it, with another tier or weight.
    Contradiction,
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
                let most = crate::MAX_TARGETS;
                return format!("is one too many; at most {most} targets are taken");
            }
            Self::NoAddress => {
                "names no address; write it as \"https://…\" or as {\"url\": \"https://…\"}"
            }
            Self::Member => "has a member other than url, tier and weight; remove it",
            Self::Tier => {
                let last = Preference::LAST_TIER;
                return format!("has a tier that is not a whole number from 1 to {last}");
            }
            Self::Weight => {
                let most = Preference::MOST_WEIGHT;
                return format!("has a weight that is not a whole number from 1 to {most}");
            }
            Self::Contradiction => {
                "is there already with another tier or weight; keep one of the two"
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
        let (scheme, rest) = entry
            .split_once(':')
            .and_then(|(scheme, rest)| Some((scheme, rest.strip_prefix("//")?)))
            .ok_or(TargetError::NoScheme)?;
        let https = scheme.eq_ignore_ascii_case("https");
        if !https && !scheme.eq_ignore_ascii_case("http") {
            return Err(TargetError::Scheme(scheme.to_owned()));
        }
        // The query and the fragment go first: an `@` in them is no user name.
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(TargetError::UserInfo);
        }
        // The colons of an IPv6 address are between brackets.
        let end_of_host = match authority.find(']') {
            Some(bracket) => bracket + 1,
            None => authority.find(':').unwrap_or(authority.len()),
        };
        let (host, port) = authority.split_at(end_of_host);
        if host.is_empty() {
            return Err(TargetError::NoHost);
        }
        let host = host.to_ascii_lowercase();
        if !is_host(&host) || !may_stand_in_path(path) {
            return Err(TargetError::Syntax);
        }
        let default_port = if https { 443 } else { 80 };
        let port = match port {
            "" | ":" => default_port,
            _ => port
                .strip_prefix(':')
                // `parse` would take a sign.
                .filter(|digits| !digits.starts_with('+'))
                .and_then(|digits| digits.parse::<u16>().ok())
                .filter(|port| *port > 0)
                .ok_or(TargetError::Port)?,
        };
        let authority = if port == default_port {
            host
        } else {
            format!("{host}:{port}")
        };
        Ok(Self {
            https,
            authority,
            base_path: path.trim_end_matches('/').to_owned(),
            preference: Preference::default(),
        })
    }

    /// The same upstream with this preference.
    #[must_use]
    pub fn preferred(self, preference: Preference) -> Self {
        Self { preference, ..self }
    }

    /// When it is to serve.
    #[must_use]
    pub fn preference(&self) -> Preference {
        self.preference
    }

    /// Whether both are the same upstream, whatever their preference.
    #[must_use]
    pub fn is_at(&self, other: &Self) -> bool {
        self.https == other.https
            && self.authority == other.authority
            && self.base_path == other.base_path
    }

    /// The address as it was understood.
    #[must_use]
    pub fn url(&self) -> String {
        self.origin() + self.base_path()
    }

    /// Scheme, host and port, without a trailing slash.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.https { "https://" } else { "http://" };
        format!("{scheme}{}", self.authority)
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
        format!("{}{slash}{path}", self.base_path)
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
        .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\`#".contains(&byte))
}

/// A DNS name, an IPv4 address or a bracketed IPv6 address, already in lower
/// case. Stricter than RFC 3986's reg-name, which takes almost anything.
fn is_host(host: &str) -> bool {
    match host.strip_prefix("[") {
        Some(rest) => rest
            .strip_suffix("]")
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')),
    }
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
    fn what_is_said_of_a_target_is_noted_behind_its_address() {
        assert_eq!(Preference::default().note(), "");
        let said = Preference { tier: 2, weight: 7 };
        assert_eq!(said.note(), " (tier 2, weight 7)");
    }

    #[test]
    fn the_scheme_says_whether_a_target_is_spoken_to_over_tls() {
        for (given, is_https) in [("https://a.com", true), ("http://a.com", false)] {
            assert_eq!(Target::parse(given).unwrap().is_https(), is_https);
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
