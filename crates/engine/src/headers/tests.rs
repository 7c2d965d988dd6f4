use super::*;
use crate::Capabilities;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs
        .iter()
        .map(|(name, value)| ((*name).into(), value.as_bytes().to_vec()))
        .collect()
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    Settings::read(Capabilities::default(), |name| {
        pairs
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

fn sent(given: &[(&str, &str)], with: &[(&str, &str)]) -> Fields {
    let client = ClientFacts {
        address: Some("192.0.2.7".into()),
        host: Some("shop.example".into()),
        scheme: Some("https".into()),
    };
    let mut list = fields(given);
    to_upstream(&mut list, &client, &settings(with));
    list
}

#[test]
fn strips_what_belongs_to_the_connection_or_the_host() {
    let list = sent(
        &[
            ("Host", "shop.example"),
            ("Expect", "100-continue"),
            ("Connection", "keep-alive, X-Private"),
            ("X-Private", "1"),
            ("keep-alive", "timeout=5"),
            ("Proxy-Authorization", "Basic x"),
            ("transfer-encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("Spin-Full-Url", "http://forged"),
            ("TE", "gzip"),
            ("trailer", "x-sum"),
            ("accept", "*/*"),
        ],
        &[("FETCH_FORWARDED", "false")],
    );
    assert_eq!(
        list,
        fields(&[
            ("trailer", "x-sum"),
            ("accept", "*/*"),
            ("via", "1.1 function-fetch")
        ])
    );
}

#[test]
fn te_trailers_passes() {
    let list = sent(
        &[("te", "trailers"), ("connection", "te")],
        &[("FETCH_FORWARDED", "no")],
    );
    assert_eq!(list[0], ("te".into(), b"trailers".to_vec()));
}

#[test]
fn a_forged_forwarding_field_is_replaced() {
    let list = sent(
        &[
            ("X-Forwarded-For", "6.6.6.6"),
            ("x-forwarded-host", "evil"),
            ("forwarded", "for=6.6.6.6"),
        ],
        &[],
    );
    assert_eq!(
        list,
        fields(&[
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-host", "shop.example"),
            ("x-forwarded-proto", "https"),
            ("via", "1.1 function-fetch"),
        ])
    );
}

#[test]
fn a_trusted_forwarding_field_is_appended_to() {
    let list = sent(
        &[
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-for", "10.0.0.2"),
            ("x-forwarded-proto", "http"),
        ],
        &[("FETCH_TRUST_FORWARDED", "on")],
    );
    assert_eq!(
        list,
        fields(&[
            ("x-forwarded-proto", "http"),
            ("x-forwarded-for", "10.0.0.1, 10.0.0.2, 192.0.2.7"),
            ("x-forwarded-host", "shop.example"),
            ("via", "1.1 function-fetch"),
        ])
    );
}

#[test]
fn cookies_are_joined_in_the_place_of_the_first() {
    let list = sent(
        &[
            ("cookie", "a=1"),
            ("accept", "*/*"),
            ("Cookie", "b=2; c=3"),
            ("cookie", "d"),
        ],
        &[("FETCH_FORWARDED", "no")],
    );
    let wanted = [
        ("cookie", "a=1; b=2; c=3; d"),
        ("accept", "*/*"),
        ("via", "1.1 function-fetch"),
    ];
    assert_eq!(list, fields(&wanted));
}

#[test]
fn what_a_server_cannot_tell_from_ours_is_dropped_even_with_trust() {
    let foreign = [
        ("X_Forwarded_For", "6.6.6.6"),
        ("x-forwarded_host", "evil"),
        ("x_forwarded-proto", "https"),
        ("spin_client_addr", "6.6.6.6:1"),
        ("x_forwarded_for_", "stays"),
        ("x_spin_", "stays"),
        ("x_forwarded.for", "stays"),
        ("x-forwarde_-for", "stays"),
    ];
    for trust in ["no", "yes"] {
        let list = sent(&foreign, &[("FETCH_TRUST_FORWARDED", trust)]);
        let wanted = [
            ("x_forwarded_for_", "stays"),
            ("x_spin_", "stays"),
            ("x_forwarded.for", "stays"),
            ("x-forwarde_-for", "stays"),
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-host", "shop.example"),
            ("x-forwarded-proto", "https"),
            ("via", "1.1 function-fetch"),
        ];
        assert_eq!(list, fields(&wanted), "{trust}");
    }
    let list = sent(&foreign, &[("FETCH_FORWARDED", "no")]);
    assert_eq!(list[..foreign.len()], fields(&foreign));
}

#[test]
fn a_scheme_of_no_listener_is_not_forwarded() {
    let client = ClientFacts {
        scheme: Some("javascript".into()),
        ..ClientFacts::default()
    };
    let mut list = Fields::new();
    to_upstream(&mut list, &client, &settings(&[]));
    assert_eq!(list, fields(&[("via", "1.1 function-fetch")]));
}

#[test]
fn counts_only_our_own_hops() {
    let list = fields(&[
        ("Via", "1.1 function-fetch, 2 varnish"),
        (
            "via",
            "1.0 Function-Fetch (comment), 1.1 not-function-fetch",
        ),
    ]);
    assert_eq!(hops(&list), 2);
}

#[test]
fn retry_after_in_seconds_and_as_a_date() {
    let now = Timestamp(784_111_770_000.0);
    for (text, wanted) in [
        ("120", Some(120e3)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7e3)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0.0)),
        (" 3 ", Some(3e3)),
        ("4294967296", Some(86_400e3)),
        (&"9".repeat(400), Some(86_400e3)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400e3)),
        ("+1", None),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("", None),
        ("soon", None),
        // What `Date.parse` takes for a date, and HTTP does not.
        ("1 January 2100", None),
        ("2100-01-01T00:00:00Z", None),
    ] {
        let list = fields(&[("Retry-After", text)]);
        assert_eq!(retry_after(&list, || now), wanted.map(Millis), "{text}");
    }
}

#[test]
fn a_response_keeps_its_cookies_apart() {
    let mut list = fields(&[
        ("set-cookie", "a=1"),
        ("connection", "close"),
        ("set-cookie", "b=2"),
    ]);
    to_client(&mut list, 200);
    assert_eq!(
        list,
        fields(&[("set-cookie", "a=1"), ("set-cookie", "b=2")])
    );
}

#[test]
fn a_response_loses_what_its_connection_names_but_for_trailers() {
    let mut list = fields(&[
        ("Connection", "close, X-Private, trailer"),
        ("x-private", "1"),
        ("x-public", "2"),
        ("trailer", "x-sum"),
    ]);
    assert!(to_client(&mut list, 200), "they differ");
    let wanted = fields(&[("x-public", "2"), ("trailer", "x-sum")]);
    assert_eq!(list, wanted);
    assert!(!to_client(&mut list, 200), "they are what they were");
    assert_eq!(list, wanted);
}

#[test]
fn a_length_that_cannot_be_right_does_not_go_on() {
    let long = ("Content-Length", "5");
    let chunked = ("transfer-encoding", "chunked");
    for (given, status, stays) in [
        (&[long][..], 200, true),
        (&[long], 304, true),
        (&[long], 204, false),
        (&[long, chunked], 200, false),
    ] {
        let mut list = fields(given);
        to_client(&mut list, status);
        assert_eq!(!list.is_empty(), stays, "{status} {given:?}");
    }
}

#[test]
fn the_scheme_is_the_hosts_and_a_trusted_proxys() {
    let settings = |trusts: bool| {
        Settings::read(crate::Capabilities::default(), |name| {
            (name == "FETCH_TRUST_FORWARDED").then(|| trusts.to_string())
        })
    };
    let facts = |scheme: Option<&str>| ClientFacts {
        scheme: scheme.map(str::to_owned),
        ..ClientFacts::default()
    };
    let proto = |value: &str| vec![("X-Forwarded-Proto".to_owned(), value.into())];
    for (scheme, field, plain, trusted) in [
        (None, None, false, false),
        (Some("https"), None, true, true),
        (Some("http"), Some("https"), false, true),
        (None, Some("HTTPS, http"), false, true),
        (Some("https"), Some("http"), true, false),
    ] {
        let fields = field.map_or_else(Vec::new, proto);
        for (trusts, wanted) in [(false, plain), (true, trusted)] {
            let is_https = facts(scheme).is_https(&fields, &settings(trusts));
            assert_eq!(is_https, wanted, "{scheme:?} {field:?} {trusts}");
        }
    }
}
