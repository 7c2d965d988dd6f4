//! Header fields on their way through.

use function_fetch_engine::headers::{
    ClientFacts, Fields, HOP_BY_HOP, VIA, hops, is_from_cache, parse_retry_after, retry_after,
    to_client, to_upstream,
};
use function_fetch_engine::{Capabilities, Settings, Timestamp};

const NOW: Timestamp = Timestamp(1_790_000_000_000.0);

/// The fields in which a client, or a proxy before us, says who the client is.
const FORWARDED: [&str; 3] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

/// A status, then lines of `name: value`: what sections 5 and 7 of `docs/behaviour.md` take out goes, the rest stays
/// as it is and in its order.
pub fn headers(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let status = lines
        .next()
        .map(String::from_utf8_lossy)
        .unwrap_or_default();
    let status = status.trim().parse().unwrap_or(200);
    let fields: Fields = lines.filter_map(field).collect();
    for (forwarded, trust) in [(false, false), (true, false), (true, true)] {
        upstream(&fields, forwarded, trust);
    }
    client(&fields, status);
    let _ = is_from_cache(&fields);
    for wait in fields
        .iter()
        .filter_map(|(_, value)| parse_retry_after(std::str::from_utf8(value).ok()?, NOW))
        .chain(retry_after(&fields, || NOW))
    {
        assert!((0.0..=86_400_000.0).contains(&wait.0));
    }
}

fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    // No host hands on a field without a name.
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .filter(|end| *end > 0)?;
    let name = String::from_utf8_lossy(&line[..colon]).into_owned();
    Some((name, line[colon + 1..].trim_ascii().to_vec()))
}

fn settings(forwarded: bool, trust: bool) -> Settings {
    Settings::read(Capabilities::default(), |name| {
        let text = match name {
            "FETCH_TARGETS" => "http://a.example",
            "FETCH_FORWARDED" => {
                if forwarded {
                    "1"
                } else {
                    "0"
                }
            }
            "FETCH_TRUST_FORWARDED" => {
                if trust {
                    "1"
                } else {
                    "0"
                }
            }
            _ => return None,
        };
        Some(text.to_owned())
    })
}

fn is(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

/// Whether the fields' own `Connection` names it; `trailer` passes all the same.
fn is_named(fields: &Fields, name: &str) -> bool {
    !is(name, "trailer")
        && !is(name, "te")
        && fields
            .iter()
            .filter(|(other, _)| is(other, "connection"))
            .flat_map(|(_, value)| value.split(|byte| *byte == b','))
            .any(|one| one.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}

fn is_of_connection(fields: &Fields, name: &str, value: &[u8]) -> bool {
    let keeps = is(name, "te") && value.trim_ascii().eq_ignore_ascii_case(b"trailers");
    (HOP_BY_HOP.iter().any(|other| is(name, other)) && !keeps) || is_named(fields, name)
}

/// Whether a server that writes `_` for `-` would take it for a field that says who the client is.
fn is_lookalike(name: &str) -> bool {
    let plain = name.to_ascii_lowercase().replace('_', "-");
    name.contains('_') && (FORWARDED.contains(&plain.as_str()) || plain.starts_with("spin-"))
}

fn upstream(before: &Fields, forwarded: bool, trust: bool) {
    let facts = ClientFacts {
        address: Some("192.0.2.7".to_owned()),
        host: Some("shop.example".to_owned()),
        scheme: Some("https".to_owned()),
    };
    let mut after = before.clone();
    to_upstream(&mut after, &facts, &settings(forwarded, trust));
    let (last, sent) = after.split_last().expect("a via");
    assert_eq!(
        (last.0.as_str(), last.1.as_slice()),
        ("via", VIA.as_bytes())
    );
    // `Connection: via` takes those of earlier hops out, as it may any field.
    let counted: Fields = before
        .iter()
        .filter(|(name, _)| !is_named(before, name))
        .cloned()
        .collect();
    assert_eq!(hops(&after), hops(&counted) + 1);

    let is_ours = |name: &str| FORWARDED.iter().any(|ours| is(name, ours));
    let goes = |(name, value): &&(String, Vec<u8>)| {
        let of_host = ["host", "expect", "cookie"]
            .iter()
            .any(|other| is(name, other))
            || name.get(..5).is_some_and(|start| is(start, "spin-"));
        let about_client = is_ours(name) || is_lookalike(name) || (is(name, "forwarded") && !trust);
        !(of_host || is_of_connection(before, name, value) || forwarded && about_client)
    };
    let plain = |name: &str| !(is(name, "cookie") || forwarded && is_ours(name));
    let left: Vec<_> = sent.iter().filter(|(name, _)| plain(name)).collect();
    let expected: Vec<_> = before.iter().filter(goes).collect();
    assert_eq!(left, expected, "the rest stays as it is");

    let values = |fields: &[(String, Vec<u8>)], wanted: &str| -> Vec<Vec<u8>> {
        let one = |(name, value): &(String, Vec<u8>)| is(name, wanted).then(|| value.clone());
        fields.iter().filter_map(one).collect()
    };
    let cookies: Vec<_> = match is_named(before, "cookie") {
        true => Vec::new(),
        false => values(before, "cookie"),
    };
    let joined = values(sent, "cookie");
    assert_eq!(joined.len(), usize::from(!cookies.is_empty()));
    let crumbs = |all: &[Vec<u8>]| {
        all.concat()
            .iter()
            .filter(|byte| !b"; ".contains(byte))
            .count()
    };
    assert_eq!(crumbs(&joined), crumbs(&cookies), "no crumb is lost");
    if forwarded && !trust {
        for (name, fact) in FORWARDED
            .iter()
            .zip([&facts.address, &facts.host, &facts.scheme])
        {
            let fact = fact.clone().unwrap_or_default().into_bytes();
            assert_eq!(
                values(sent, name),
                [fact],
                "{name} is what the host reports"
            );
        }
    }
    if trust {
        let chain = values(sent, "x-forwarded-for");
        assert!(chain.len() == 1 && chain[0].ends_with(b"192.0.2.7"));
    }
}

fn client(before: &Fields, status: u16) {
    let mut after = before.clone();
    to_client(&mut after, status);
    let coded = before.iter().any(|(name, _)| is(name, "transfer-encoding"));
    let expected: Vec<_> = before
        .iter()
        .filter(|(name, _)| {
            let of_connection =
                HOP_BY_HOP.iter().any(|other| is(name, other)) || is_named(before, name);
            let wrong = (status == 204 || coded) && is(name, "content-length");
            !of_connection && !wrong
        })
        .collect();
    assert_eq!(after.iter().collect::<Vec<_>>(), expected);
}
