//! What the platform says of the client. On Spin these are headers, of which
//! only the last of a name is Spin's own: a client's forged one stands before
//! it. Any other host states no address, and its requests' `spin-*` headers
//! are the client's.

use function_fetch_engine::headers::{ClientFacts, Fields};
use wasip3::http::types::{Request, Scheme};

pub fn facts(request: &Request, fields: &Fields) -> ClientFacts {
    let url = stated(fields, "spin-full-url");
    let (scheme, host) = match url.as_deref().and_then(|url| url.split_once("://")) {
        Some((scheme, rest)) => (
            Some(scheme.to_owned()),
            rest.split(['/', '?']).next().map(str::to_owned),
        ),
        None => (scheme(request), request.get_authority()),
    };
    ClientFacts {
        address: stated(fields, "spin-client-addr").map(without_port),
        host: host.filter(|host| !host.is_empty()),
        scheme,
    }
}

fn stated(fields: &Fields, name: &str) -> Option<String> {
    if cfg!(not(feature = "spin")) {
        return None;
    }
    let (_, value) = fields
        .iter()
        .rfind(|(known, _)| known.eq_ignore_ascii_case(name))?;
    String::from_utf8(value.clone()).ok()
}

fn scheme(request: &Request) -> Option<String> {
    match request.get_scheme()? {
        Scheme::Http => Some("http".into()),
        Scheme::Https => Some("https".into()),
        Scheme::Other(_) => None,
    }
}

fn without_port(address: String) -> String {
    match address.parse::<std::net::SocketAddr>() {
        Ok(address) => address.ip().to_string(),
        Err(_) => address,
    }
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
        ] {
            assert_eq!(without_port(given.into()), wanted);
        }
    }

    #[cfg(feature = "spin")]
    #[test]
    fn the_last_of_a_name_is_the_platform_s() {
        let fields = vec![
            ("spin-client-addr".to_owned(), b"6.6.6.6:1".to_vec()),
            ("spin-client-addr".to_owned(), b"192.0.2.7:2".to_vec()),
        ];
        assert_eq!(
            stated(&fields, "spin-client-addr").as_deref(),
            Some("192.0.2.7:2")
        );
    }
}
