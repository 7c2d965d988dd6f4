//! The runner can fail: on a case that expects what does not happen, it says what did.

use crate::stage;
use function_fetch_cases::read_group;
use libtest_mimic::{Failed, Trial};

/// What is wrong, the members of such a case, and a part of what is to be said of it.
const WRONG: [(&str, &str, &str); 12] = [
    (
        "a_status",
        r#""steps": [{"sleep_ms": 0}, {"request": {}, "response": {"status": 201}}]"#,
        "step 2: its status is 200, not 201",
    ),
    (
        "a_body",
        r#""steps": [{"request": {}, "response": {"body": "b"}}]"#,
        r#"its body is "a", not "b""#,
    ),
    (
        "a_body_that_does_not_break",
        r#""steps": [{"request": {}, "response": {"broken": true}}]"#,
        "its body came to a proper end",
    ),
    (
        "a_body_that_breaks",
        r#""upstreams": {"a": {"answers": [{"fault": "short"}]}},
            "steps": [{"request": {}, "response": {}}]"#,
        "its body was broken off",
    ),
    (
        "a_request_that_was_not_to_be",
        r#""steps": [{"request": {}, "seen": {}}]"#,
        "a saw 1 requests, not 0",
    ),
    (
        "a_request_that_was_not_made",
        r#""steps": [{"request": {}, "seen": {"a": [{}], "b": [{}]}}]"#,
        "b saw 0 requests, not 1",
    ),
    (
        "probes",
        r#""steps": [{"probes": {"a": {"at_least": 1}}}]"#,
        "a was probed 0 times, not at least 1",
    ),
    (
        "the_fields_of_probes",
        r#""steps": [{"request": {}},
            {"probes": {"a": {"at_least": 1, "headers": {"accept": null}}}}]"#,
        r#"a was probed: its accept is ["*/*"], not absent"#,
    ),
    (
        "a_notice",
        r#""notices": {"denied": [{"target": "{a}"}]}, "steps": [{"sleep_ms": 0}]"#,
        r#"there is no denied with {"target":"http://127.0.0.1:4001"}"#,
    ),
    (
        "probes_that_do_not_come",
        r#""steps": [{"wait": {"probes": {"a": 1}}}]"#,
        "a was probed 0 times, not at least 1",
    ),
    (
        "a_record_in_the_store",
        r#""store": {"raw": "x"}, "store_after": {"primary": "b"}, "steps": [{"sleep_ms": 0}]"#,
        r#"the store holds "x", not a record whose primary is b"#,
    ),
    (
        "a_store_that_is_not_empty",
        r#""store": {"raw": "x"}, "store_after": {"empty": true}, "steps": [{"sleep_ms": 0}]"#,
        r#"the store holds "x", not nothing"#,
    ),
];

pub fn trials() -> impl Iterator<Item = Trial> {
    WRONG.into_iter().map(|(what, members, said)| {
        Trial::test(format!("runner::names::{what}"), move || {
            names(members, said)
        })
    })
}

fn names(members: &str, said: &str) -> Result<(), Failed> {
    let text = format!(r#"{{"group": "g", "cases": [{{"name": "x", "why": "y", {members}}}]}}"#);
    for case in read_group("g.json", &text)? {
        match stage::run(&case) {
            Err(what) if what.contains(said) => {}
            other => return Err(format!("{other:?}, where {said:?} was to be said").into()),
        }
    }
    Ok(())
}
