//! A target: one upstream that requests may go to, fixed by the settings.

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
#[non_exhaustive]
pub enum TargetError {
    /// No `http://` or `https://` in front.
    #[error("has no scheme; write it as https://… or http://…")]
    NoScheme,
    /// Some other scheme.
    #[error("has the scheme \"{0}\"; only http and https are served")]
    Scheme(String),
    /// `user:password@` in the address.
    #[error("carries a user name or password; remove what stands before the @")]
    UserInfo,
    /// Nothing where the host should be.
    #[error("names no host")]
    NoHost,
    /// The port is not a number from 1 to 65535.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// A host or path with characters that may not stand in an address.
    #[error(
        "is not a valid address; write other characters percent-encoded, other scripts' host names in punycode"
    )]
    Syntax,
    /// More targets than the engine takes.
    #[error("is one too many; at most {} targets are taken", crate::MAX_TARGETS)]
    TooMany,
}

impl Target {
    /// Reads one entry of `FETCH_TARGETS`. Query and fragment are dropped.
    ///
    /// # Errors
    ///
    /// A [`TargetError`] that says what to change.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let Some((scheme, rest)) = text
            .split_once(':')
            .and_then(|(scheme, rest)| Some((scheme, rest.strip_prefix("//")?)))
        else {
            return Err(TargetError::NoScheme);
        };
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(TargetError::Scheme(scheme.to_owned())),
        };
        // The query and the fragment go first: an `@` in them is no user name.
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        if !rest.is_ascii() {
            return Err(TargetError::Syntax);
        }
        let (authority, path) = split_before(rest, rest.find('/'));
        if authority.contains('@') {
            return Err(TargetError::UserInfo);
        }
        if authority.is_empty() || authority.starts_with(':') {
            return Err(TargetError::NoHost);
        }
        let end = match authority.find(']') {
            Some(bracket) => Some(bracket + 1),
            None => authority.find(':'),
        };
        let (host, port_text) = split_before(authority, end);
        let host = host.to_ascii_lowercase();
        if !is_host(&host) || !may_stand_in_path(path) {
            return Err(TargetError::Syntax);
        }
        let default_port = if https { 443 } else { 80 };
        let port = match port_text.strip_prefix(':') {
            None if port_text.is_empty() => default_port,
            Some("") => default_port,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                match digits.parse::<u16>() {
                    Ok(port) if port > 0 => port,
                    _ => return Err(TargetError::Port),
                }
            }
            _ => return Err(TargetError::Port),
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
        })
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
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.base_path)
    }
}

/// What stands before a place in a text, and the rest; all of it without one.
fn split_before(text: &str, place: Option<usize>) -> (&str, &str) {
    place
        .and_then(|place| text.split_at_checked(place))
        .unwrap_or((text, ""))
}

/// Whether all of it may stand in a path or a query (RFC 3986 §3.3, §3.4, and
/// what is common beyond).
pub(crate) fn may_stand_in_path(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\`#".contains(&byte))
}

/// A DNS name, an IPv4 address or a bracketed IPv6 address, already in lower
/// case. Stricter than RFC 3986's reg-name, which takes almost anything.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(is_ipv6),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
    }
}

/// An IPv6 address (RFC 4291 §2.2): eight groups of up to four digits, some of
/// them left out by one `::`, the last two perhaps as an IPv4 address. The
/// standard library's parser is six times the code.
fn is_ipv6(text: &str) -> bool {
    let mut groups = 0;
    let mut gap = false;
    let mut rest = text;
    if let Some(after) = rest.strip_prefix("::") {
        gap = true;
        rest = after;
    }
    while !rest.is_empty() {
        let (group, after) = match rest.split_once(':') {
            Some((group, after)) => (group, Some(after)),
            None => (rest, None),
        };
        if after.is_none() && is_ipv4(group) {
            groups += 2;
        } else if (1..=4).contains(&group.len())
            && group.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            groups += 1;
        } else {
            return false;
        }
        rest = match after {
            None => "",
            // Nothing follows the last colon.
            Some("") => return false,
            Some(after) => match after.strip_prefix(':') {
                Some(further) if !gap => {
                    gap = true;
                    further
                }
                _ => after,
            },
        };
    }
    if gap { groups < 8 } else { groups == 8 }
}

fn is_ipv4(text: &str) -> bool {
    let mut numbers = 0;
    text.split('.').all(|number| {
        numbers += 1;
        let plain = number == "0" || !number.starts_with('0');
        plain && number.len() <= 3 && number.parse::<u8>().is_ok()
    }) && numbers == 4
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
