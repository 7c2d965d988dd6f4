//! What the platform reports about the client. On Spin these are headers, of
//! which only the last of a name is Spin's own: a client's forged one comes
//! before it. Any other host reports no address, and `spin-*` headers of its
//! requests are the client's.

use function_fetch_engine::headers::{ClientFacts, Fields};
use std::net::{IpAddr, SocketAddr};

/// The URL as the client sees it.
const FULL_URL: &str = "spin-full-url";

/// What the host reports about the request besides its fields.
#[derive(Clone, Debug, Default)]
pub struct RequestTarget {
    /// `http` or `https`.
    pub scheme: Option<String>,
    /// The authority of the request.
    pub authority: Option<String>,
}

impl RequestTarget {
    /// What the host answers to `ask`, which is not called where its fields state more: each question costs a request a
    /// call.
    #[must_use]
    pub fn unless_stated(fields: &Fields, on_spin: bool, ask: impl FnOnce() -> Self) -> Self {
        let is_url = |name: &str| name.eq_ignore_ascii_case(FULL_URL);
        if on_spin && fields.iter().any(|(name, _)| is_url(name)) {
            Self::default()
        } else {
            ask()
        }
    }
}

/// The facts; `on_spin` where `spin-*` fields are the platform's.
#[must_use]
pub fn facts(fields: &Fields, on_spin: bool, request: RequestTarget) -> ClientFacts {
    let stated = |name| on_spin.then(|| last(fields, name)).flatten();
    let url = stated(FULL_URL);
    let (scheme, host) = match url.as_deref().and_then(|url| url.split_once("://")) {
        Some((scheme, rest)) => (
            Some(scheme.to_owned()),
            // `OPTIONS *` has no path.
            rest.split(['/', '?', '*']).next().map(str::to_owned),
        ),
        None => (request.scheme, request.authority),
    };
    ClientFacts {
        address: stated("spin-client-addr").map(without_port),
        host: host.filter(|host| !host.is_empty()),
        scheme,
    }
}

/// Whether the host is Spin itself: it states which route of its manifest a
/// request came by, and nothing else does.
#[must_use]
pub fn is_spin(fields: &Fields) -> bool {
    last(fields, "spin-raw-component-route").is_some()
}

fn last(fields: &Fields, name: &str) -> Option<String> {
    let (_, value) = fields
        .iter()
        .rfind(|(known, _)| known.eq_ignore_ascii_case(name))?;
    String::from_utf8(value.clone()).ok()
}

/// The IP address alone; an IPv4 address in plain form, where a dual-stack
/// socket has it as `::ffff:192.0.2.7`.
fn without_port(address: String) -> String {
    let ip = address
        .parse()
        .map(|address: SocketAddr| address.ip())
        .or_else(|_| address.parse::<IpAddr>());
    ip.map_or(address, |ip| ip.to_canonical().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_loses_its_port_and_nothing_else() {
        for (given, wanted) in [
            ("192.0.2.7:4711", "192.0.2.7"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[::ffff:127.0.0.1]:4711", "127.0.0.1"),
            ("::ffff:c000:207", "192.0.2.7"),
            ("unix:", "unix:"),
        ] {
            assert_eq!(without_port(given.into()), wanted);
        }
    }

    #[test]
    fn the_star_of_options_is_not_part_of_the_host() {
        let url = b"http://good.example*".to_vec();
        let fields = vec![("spin-full-url".to_owned(), url)];
        let facts = facts(&fields, true, RequestTarget::default());
        assert_eq!(facts.host.as_deref(), Some("good.example"));
    }

    #[test]
    fn the_last_field_of_a_name_is_the_platforms_on_spin_only() {
        let fields = vec![
            ("spin-client-addr".to_owned(), b"6.6.6.6:1".to_vec()),
            ("spin-client-addr".to_owned(), b"192.0.2.7:2".to_vec()),
            (
                "spin-full-url".to_owned(),
                b"https://shop.example:8443/cart?a=/b".to_vec(),
            ),
        ];
        let asked = RequestTarget {
            scheme: Some("http".into()),
            authority: Some("127.0.0.1:3000".into()),
        };
        let on_spin = facts(&fields, true, asked.clone());
        assert_eq!(on_spin.address.as_deref(), Some("192.0.2.7"));
        assert_eq!(on_spin.host.as_deref(), Some("shop.example:8443"));
        assert_eq!(on_spin.scheme.as_deref(), Some("https"));
        let elsewhere = facts(&fields, false, asked);
        assert_eq!(elsewhere.address, None);
        assert_eq!(elsewhere.host.as_deref(), Some("127.0.0.1:3000"));
        assert_eq!(elsewhere.scheme.as_deref(), Some("http"));
    }
}
