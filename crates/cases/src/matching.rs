//! Compares the outcome with what a case expects, and describes the differences.

use crate::expectation::{FieldRule, FieldRules, ProbesRule, ResponseRule, SeenRule};
use crate::observed::{Response, Seen, values_of};
use function_fetch_engine::headers::Fields;
use std::fmt::Debug;

/// The differences, each a sentence.
pub(crate) type Differences = Vec<String>;

/// More of a body than this does not help a reader.
const SHOWN: usize = 300;

pub(crate) fn response(rule: &ResponseRule, got: &Response) -> Differences {
    let mut found = Differences::new();
    differs(&mut found, "its status", got.status, rule.status);
    fields(&mut found, "its", &rule.headers, &got.fields);
    body(&mut found, &got.body, rule.body.as_deref(), rule.body_bytes);
    let text = String::from_utf8_lossy(&got.body);
    for part in rule
        .body_contains
        .iter()
        .filter(|part| !text.contains(*part))
    {
        found.push(format!(
            "its body has no {part:?} in it: {}",
            shown(&got.body)
        ));
    }
    fields(&mut found, "its trailer", &rule.trailers, &got.trailers);
    match (rule.broken, got.broken) {
        (true, false) => found.push("its body came to a proper end".into()),
        (false, true) => found.push("its body was broken off".into()),
        _ => {}
    }
    found
}

pub(crate) fn seen(upstream: &str, rules: &[SeenRule], got: &[Seen]) -> Differences {
    let line = |seen: &Seen| format!("{} {}", seen.method, seen.path);
    if rules.len() != got.len() {
        let lines: Vec<String> = got.iter().map(line).collect();
        return vec![format!(
            "{upstream} saw {} requests, not {}: {lines:?}",
            got.len(),
            rules.len()
        )];
    }
    let each = rules.iter().zip(got).flat_map(|(rule, seen)| {
        let place = format!("{upstream} saw {}:", line(seen));
        request(rule, seen)
            .into_iter()
            .map(move |what| format!("{place} {what}"))
    });
    each.collect()
}

pub(crate) fn probes(upstream: &str, rule: &ProbesRule, got: &[Seen]) -> Differences {
    let count = got.len();
    let mut found = Differences::new();
    let wanted = match rule {
        ProbesRule::Exactly(wanted) if count != *wanted => wanted.to_string(),
        ProbesRule::AtLeast { at_least, .. } if count < *at_least => format!("at least {at_least}"),
        ProbesRule::Exactly(_) => return found,
        ProbesRule::AtLeast { headers, .. } => {
            for probe in got {
                let whose = format!("{upstream} was probed: its");
                fields(&mut found, &whose, headers, &probe.fields);
            }
            return found;
        }
    };
    found.push(format!("{upstream} was probed {count} times, not {wanted}"));
    found
}

fn request(rule: &SeenRule, got: &Seen) -> Differences {
    let mut found = Differences::new();
    let (method, path) = (rule.method.as_deref(), rule.path.as_deref());
    differs(&mut found, "its method", got.method.as_str(), method);
    differs(&mut found, "its path", got.path.as_str(), path);
    fields(&mut found, "its", &rule.headers, &got.fields);
    body(&mut found, &got.body, rule.body.as_deref(), rule.body_bytes);
    found
}

fn body(found: &mut Differences, got: &[u8], text: Option<&str>, length: Option<usize>) {
    if let Some(text) = text
        && text.as_bytes() != got
    {
        let wanted = shown(text.as_bytes());
        found.push(format!("its body is {}, not {wanted}", shown(got)));
    }
    differs(found, "its body's length", got.len(), length);
}

fn differs<T: PartialEq + Debug>(found: &mut Differences, what: &str, got: T, wanted: Option<T>) {
    if let Some(wanted) = wanted
        && wanted != got
    {
        found.push(format!("{what} is {got:?}, not {wanted:?}"));
    }
}

fn fields(found: &mut Differences, whose: &str, rules: &FieldRules, got: &Fields) {
    for (name, rule) in rules {
        let values = values_of(got, name);
        if let Some(wanted) = field(rule, name, &values) {
            found.push(format!("{whose} {name} is {values:?}, not {wanted}"));
        }
    }
}

/// The difference in a field, if there is one.
fn field(rule: &FieldRule, name: &str, values: &[String]) -> Option<String> {
    // Cookies are the one field whose values may not be joined (RFC 9110 section 5.3).
    let may_join = values.len() < 2 || !name.eq_ignore_ascii_case("set-cookie");
    let joined = values.join(", ");
    let (met, wanted) = match rule {
        FieldRule::Absent => (values.is_empty(), "absent".to_owned()),
        FieldRule::Value(value) => (
            !values.is_empty() && may_join && joined == *value,
            format!("{value:?}"),
        ),
        FieldRule::Values(list) => (values == list, format!("{list:?}")),
        FieldRule::Containing { contains } => (
            !values.is_empty() && joined.contains(contains),
            format!("one that contains {contains:?}"),
        ),
    };
    (!met).then_some(wanted)
}

fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}… ({} bytes)", &text[..end], body.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    fn raw(pairs: &[(&str, &str)]) -> Fields {
        pairs
            .iter()
            .map(|(name, value)| ((*name).into(), value.as_bytes().to_vec()))
            .collect()
    }

    fn answer() -> Response {
        Response {
            status: 200,
            fields: raw(&[
                ("X-A", "1"),
                ("x-a", "2"),
                ("Set-Cookie", "a"),
                ("set-cookie", "b"),
            ]),
            body: b"hello".to_vec(),
            trailers: raw(&[("x-sum", "7")]),
            broken: false,
        }
    }

    fn met(rule: Value) -> bool {
        response(&from_value(rule).unwrap(), &answer()).is_empty()
    }

    #[test]
    fn a_response_that_is_as_expected() {
        assert!(met(json!({
            "status": 200, "body": "hello", "body_contains": ["he", "lo"], "body_bytes": 5,
            "headers": {
                "x-a": "1, 2", "X-A": ["1", "2"], "set-cookie": ["a", "b"],
                "x-b": null, "x-a ": null,
            },
            "trailers": {"x-sum": {"contains": "7"}},
        })));
    }

    #[test]
    fn every_expectation_of_a_response_can_fail() {
        for rule in [
            json!({"status": 201}),
            json!({"body": "hell"}),
            json!({"body_contains": "hall"}),
            json!({"body_bytes": 4}),
            json!({"broken": true}),
            json!({"headers": {"x-a": "1"}}),
            json!({"headers": {"x-a": ["1, 2"]}}),
            json!({"headers": {"x-a": null}}),
            json!({"headers": {"x-a": {"contains": "3"}}}),
            json!({"headers": {"x-b": {"contains": ""}}}),
            json!({"headers": {"x-b": ""}}),
            json!({"headers": {"set-cookie": "a, b"}}),
            json!({"trailers": {"x-sum": "8"}}),
        ] {
            assert!(!met(rule.clone()), "{rule}");
        }
    }

    #[test]
    fn every_expectation_of_probes_can_fail() {
        let got = [json!("1"), json!("2")].map(|value| Seen {
            fields: raw(&[("x-a", value.as_str().unwrap()), ("x-b", "b")]),
            ..Seen::default()
        });
        let met = |rule: &Value| {
            let rule: ProbesRule = from_value(rule.clone()).unwrap();
            probes("a", &rule, &got).is_empty()
        };
        for rule in [
            json!(2),
            json!({"at_least": 2}),
            json!({"at_least": 1, "headers": {"x-b": "b", "x-c": null}}),
        ] {
            assert!(met(&rule), "{rule}");
        }
        for rule in [
            json!(1),
            json!({"at_least": 3}),
            json!({"at_least": 3, "headers": {"x-b": "b"}}),
            json!({"at_least": 1, "headers": {"x-a": "1"}}),
        ] {
            assert!(!met(&rule), "{rule}");
        }
    }

    #[test]
    fn every_expectation_of_a_request_can_fail() {
        let got = Seen {
            method: "PUT".into(),
            path: "/x".into(),
            fields: raw(&[("x-a", "1")]),
            body: b"hello".to_vec(),
        };
        let met = |rules: Value| {
            let rules: Vec<SeenRule> = from_value(rules).unwrap();
            seen("a", &rules, std::slice::from_ref(&got)).is_empty()
        };
        assert!(met(
            json!([{"method": "PUT", "path": "/x", "body": "hello", "body_bytes": 5}])
        ));
        for rules in [
            json!([]),
            json!([{}, {}]),
            json!([{"method": "POST"}]),
            json!([{"path": "/"}]),
            json!([{"headers": {"x-a": "2"}}]),
            json!([{"body": ""}]),
            json!([{"body_bytes": 6}]),
        ] {
            assert!(!met(rules.clone()), "{rules}");
        }
    }
}
