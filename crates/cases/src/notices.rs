//! What the operator is told in the course of a case.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// By event: its notices, in any order, each with these members at least.
pub(crate) type NoticesRule = BTreeMap<String, Vec<Map<String, Value>>>;

/// What begins a notice in a line: a host may put words of its own before it.
const START: &str = "{\"source\":\"function-fetch\"";

/// The differences from what a case expects, in the lines that its proxy has
/// written.
pub(crate) fn differences(rule: &NoticesRule, lines: &[String]) -> Vec<String> {
    let notices: Vec<Map<String, Value>> = lines
        .iter()
        .filter_map(|line| serde_json::from_str(&line[line.find(START)?..]).ok())
        .collect();
    let mut found = Vec::new();
    for (event, wanted) in rule {
        let mut got: Vec<&Map<String, Value>> = notices
            .iter()
            .filter(|notice| notice.get("event").is_some_and(|one| one == event))
            .collect();
        let mut missing = Vec::new();
        for members in wanted {
            let has_all = |notice: &&Map<String, Value>| {
                members
                    .iter()
                    .all(|(name, value)| notice.get(name) == Some(value))
            };
            match got.iter().position(has_all) {
                Some(index) => drop(got.remove(index)),
                None => missing.push(members),
            }
        }
        let shown = |list: &[&Map<String, Value>]| {
            let each = list
                .iter()
                .map(|one| Value::Object((*one).clone()).to_string());
            each.collect::<Vec<_>>().join(" ")
        };
        if !missing.is_empty() {
            found.push(format!("there is no {event} with {}", shown(&missing)));
        }
        if !got.is_empty() {
            found.push(format!("there is a {event} too many: {}", shown(&got)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn met(rule: Value) -> bool {
        let lines = [
            r#"stderr [0] :: {"source":"function-fetch","event":"recovered","target":"http://a"}"#,
            r#"{"source":"function-fetch","event":"recovered","target":"http://b"}"#,
            r#"{"source":"function-fetch","event":"no_healthy_target"}"#,
            r#"{"source":"elsewhere","event":"denied"}"#,
            "no JSON",
        ];
        let rule: NoticesRule = from_value(rule).unwrap();
        differences(&rule, &lines.map(str::to_owned)).is_empty()
    }

    #[test]
    fn notices_that_are_as_expected() {
        assert!(met(json!({})));
        assert!(met(json!({"denied": [], "no_healthy_target": [{}]})));
        assert!(met(
            json!({"recovered": [{"target": "http://b"}, {"target": "http://a"}]})
        ));
    }

    #[test]
    fn every_expectation_of_notices_can_fail() {
        for rule in [
            json!({"denied": [{}]}),
            json!({"recovered": []}),
            json!({"recovered": [{"target": "http://a"}]}),
            json!({"recovered": [{"target": "http://a"}, {"target": "http://a"}]}),
            json!({"no_healthy_target": [{"target": "http://a"}]}),
        ] {
            assert!(!met(rule.clone()), "{rule}");
        }
    }
}
