//! Which hosts a component may send requests to.

use http::Uri;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tracing::{debug, warn};
use wasmtime_wasi_http::Error;

/// One or more hosts that a component may send requests to: `[SCHEME://]HOST[:PORT]`.
///
/// Without a scheme it is `http` and `https`, without a port the scheme's own. The host is a name, an address, `*.` and
/// a name for all names below it, or `*` for every host on every port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    scheme: Option<String>,
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    /// The end of its names, with the dot.
    Below(String),
    Named(String),
}

/// Why a text is no [`AllowedHost`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected [SCHEME://]HOST[:PORT], such as https://api.example.com, *.example.com or *")]
pub struct InvalidHost;

impl FromStr for AllowedHost {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = match text.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => (Some(scheme.to_owned()), rest),
            Some(_) => return Err(InvalidHost),
            None => (None, text.as_str()),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| InvalidHost)?))
            }
            _ => (authority, None),
        };
        let is_name = |host: &str| {
            !host.is_empty()
                && http::uri::Authority::try_from(host)
                    .is_ok_and(|authority| authority.host() == host)
                && !host.contains('*')
        };
        let host = match host.strip_prefix("*") {
            Some("") => Host::Any,
            Some(below) if below.strip_prefix('.').is_some_and(is_name) => {
                Host::Below(below.to_owned())
            }
            None if is_name(host) => Host::Named(host.to_owned()),
            _ => return Err(InvalidHost),
        };
        Ok(Self { scheme, host, port })
    }
}

impl AllowedHost {
    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host_fits = match &self.host {
            Host::Any => true,
            Host::Below(end) => host.len() > end.len() && host.ends_with(end.as_str()),
            Host::Named(name) => host == name,
        };
        let port_fits = match self.port {
            Some(own) => own == port,
            None => self.host == Host::Any || port == default_port(scheme),
        };
        host_fits && port_fits && self.scheme.as_deref().is_none_or(|own| own == scheme)
    }
}

fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

/// The hosts that the component of a server may send requests to.
#[derive(Debug)]
pub(crate) struct AllowedHosts {
    hosts: Vec<AllowedHost>,
    /// The first denial is a warning: a component can repeat it as often as it likes.
    told: AtomicBool,
}

impl AllowedHosts {
    pub(crate) fn new(hosts: Vec<AllowedHost>) -> Self {
        Self {
            hosts,
            told: AtomicBool::new(false),
        }
    }

    /// Denies a request to any other host.
    pub(crate) fn check(&self, uri: &Uri) -> Result<(), Error> {
        let scheme = uri.scheme_str().unwrap_or("https");
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or_else(|| default_port(scheme));
        if self
            .hosts
            .iter()
            .any(|allowed| allowed.allows(scheme, &host, port))
        {
            return Ok(());
        }
        let to = format_args!("{scheme}://{host}:{port}");
        if self.told.swap(true, Relaxed) {
            debug!(%to, "a request of the component was denied");
        } else {
            warn!(%to, "a request of the component was denied: it may reach its targets, and what --allow-outbound names");
        }
        Err(Error::HttpRequestDenied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_allowed_by_name_scheme_and_port() {
        let cases: [(&str, &[&str], &[&str]); 8] = [
            (
                "https://api.example.com",
                &["https://api.example.com/x", "https://API.example.com:443/"],
                &[
                    "http://api.example.com/",
                    "https://api.example.com:8443/",
                    "https://api.example.com.evil/",
                    "https://example.com/",
                ],
            ),
            (
                "api.example.com",
                &["https://api.example.com/", "http://api.example.com/"],
                &["http://api.example.com:8080/"],
            ),
            (
                "a:8080/",
                &["http://a:8080/", "https://a:8080/"],
                &["http://a/"],
            ),
            (
                "https://*.example.com",
                &["https://a.example.com/", "https://a.b.example.com/"],
                &[
                    "https://example.com/",
                    "https://.example.com/",
                    "https://aexample.com/",
                ],
            ),
            ("*", &["http://a/", "https://b:1/", "http://[::1]:2/"], &[]),
            ("https://*", &["https://b:1/"], &["http://b/"]),
            ("*:8080", &["http://b:8080/"], &["http://b/"]),
            (
                "http://[::1]:3000",
                &["http://[::1]:3000/"],
                &["http://[::1]/"],
            ),
        ];
        for (pattern, allowed, denied) in cases {
            let hosts = AllowedHosts::new(vec![pattern.parse().unwrap()]);
            let check = |uri: &&str| hosts.check(&uri.parse().unwrap());
            assert!(allowed.iter().all(|uri| check(uri).is_ok()), "{pattern}");
            assert!(denied.iter().all(|uri| check(uri).is_err()), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "", "https://", "ftp://a", "a/b", "a:b", "a:70000", "u@a", "*a.com", "*.", "a.*",
            "a b", "://a",
        ] {
            assert_eq!(text.parse::<AllowedHost>(), Err(InvalidHost), "{text}");
        }
    }
}
