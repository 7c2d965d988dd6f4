//! The table itself: all of it is valid, and it has no member that is not
//! documented.

use function_fetch_cases::{Case, HOSTS, read_all, read_group};
use std::collections::BTreeSet;

#[test]
fn every_case_is_understood() {
    let cases = read_all().unwrap_or_else(|error| panic!("{error}"));
    assert!(cases.len() >= 120, "only {} cases", cases.len());
    let ids: BTreeSet<String> = cases.iter().map(Case::id).collect();
    assert_eq!(ids.len(), cases.len());
}

#[test]
fn no_host_leaves_out_most_of_the_table() {
    let cases = read_all().unwrap_or_else(|error| panic!("{error}"));
    for host in HOSTS {
        let run = cases.iter().filter(|case| case.skipped(host).is_none());
        assert!(run.count() * 4 > cases.len() * 3, "{host}");
    }
}

#[test]
fn a_host_without_a_store_skips_its_cases() {
    let case =
        &group(r#"{"name": "x", "why": "y", "steps": [{"sleep_ms": 0}], "store": {"raw": ""}}"#)
            .expect("it is sound")[0];
    assert!(case.skipped("wasmtime").is_some());
    assert_eq!(case.skipped("embedded"), None);
}

#[test]
fn an_exception_replaces_members() {
    let case = &group(
        r#"{"name": "x", "why": "y", "steps": [{"sleep_ms": 0}],
            "except": {"node, esa": {"why": "z", "upstreams": {"c": {}}}, "engine": {"why": "z", "skip": true}}}"#,
    )
    .expect("it is sound")[0];
    assert_eq!(case.upstreams("embedded"), ["a", "b"]);
    assert_eq!(case.upstreams("esa"), ["c"]);
    assert_eq!(case.skipped("engine"), Some("z"));
}

fn group(case: &str) -> Result<Vec<Case>, String> {
    let text = format!(r#"{{"group": "g", "cases": [{case}]}}"#);
    read_group("g.json", &text).map_err(|error| error.to_string())
}

/// The error for a case that is valid except for `members`.
fn wrong(members: &str) -> String {
    let case = format!(r#"{{"name": "x", "why": "y", "steps": [{{"sleep_ms": 0}}], {members}}}"#);
    match group(&case) {
        Ok(_) => panic!("{members} was understood"),
        Err(error) => error,
    }
}

/// The error for a case with this one step.
fn wrong_step(step: &str) -> String {
    match group(&format!(
        r#"{{"name": "x", "why": "y", "steps": [{step}]}}"#
    )) {
        Ok(_) => panic!("{step} was understood"),
        Err(error) => error,
    }
}

#[test]
fn errors_name_the_file_the_case_and_the_place() {
    let error = wrong_step(r#"{"request": {"path": 5}}"#);
    assert!(error.starts_with("g.json: x: steps[0]"), "{error}");
    let error = wrong(r#""upstreams": {"a": {"answers": [{"status": "200"}]}}"#);
    assert!(
        error.starts_with("g.json: x: upstreams.a.answers[0].status"),
        "{error}"
    );
}

#[test]
fn unknown_members_are_rejected_everywhere() {
    for members in [
        r#""step": []"#,
        r#""upstreams": {"a": {"helth": {}}}"#,
        r#""upstreams": {"a": {"health": {"stats": 200}}}"#,
        r#""upstreams": {"a": {"answers": [{"stats": 200}]}}"#,
        r#""store": {"record": {"primary": "a", "age": 5}}"#,
        r#""store": {"rawr": "text"}"#,
        r#""store_after": {"primry": "a"}"#,
        r#""notice": {}"#,
        r#""except": {"node": {"why": "z", "skip": true, "stp": []}}"#,
    ] {
        assert!(wrong(members).contains("unknown"), "{members}");
    }
    for step in [
        r#"{"slep_ms": 5}"#,
        r#"{"request": {"pth": "/"}}"#,
        r#"{"request": {}, "response": {"stats": 200}}"#,
        r#"{"request": {}, "seen": {"a": [{"pth": "/"}]}}"#,
        r#"{"wait": {"probe": {}}}"#,
    ] {
        assert!(wrong_step(step).contains("unknown"), "{step}");
    }
    wrong_step(r#"{"request": {}, "response": {"headers": {"x": {"contain": "1"}}}}"#);
    wrong_step(r#"{"probes": {"a": {"atleast": 1}}}"#);
    assert!(read_group("g.json", r#"{"group": "g", "cases": [], "more": 1}"#).is_err());
}

#[test]
fn invalid_values_are_rejected() {
    for members in [
        r#""upstreams": {"A": {}}"#,
        r#""upstreams": {"ab": {}}"#,
        r#""upstreams": {"a": {"health": {"fault": "slow"}}}"#,
        r#""upstreams": {"a": {"answers": [{"body": "", "body_bytes": 1}]}}"#,
        r#""targets": ["{z}"]"#,
        r#""store": {"raw": "", "record": {"primary": "a"}}"#,
        r#""store": {"record": {"primary": "z"}}"#,
        r#""store": {"record": {"primary": "a", "ms": {"z": 5}}}"#,
        r#""store_after": {"primary": "z"}"#,
        r#""store_after": {"empty": false}"#,
        r#""notices": {"denied": {"target": "{a}"}}"#,
        r#""except": {"nodejs": {"why": "z", "skip": true}}"#,
        r#""except": {"node": {"skip": true}}"#,
        r#""except": {"node": {"why": "", "skip": true}}"#,
        r#""except": {"node": {"why": "z"}}"#,
        r#""except": {"node": {"why": "z", "skip": false, "settings": {}}}"#,
        r#""except": {"node": {"why": "z", "skip": true, "settings": {}}}"#,
        r#""except": {"node": {"why": "z", "steps": []}}"#,
        r#""except": {"node": {"why": "z", "skip": true}, "esa, node": {"why": "z", "skip": true}}"#,
    ] {
        wrong(members);
    }
    for step in [
        r#"{}"#,
        r#"{"sleep_ms": 5, "probes": {}}"#,
        r#"{"seen": {}}"#,
        r#"{"request": {}, "wait": {"probes": {}}}"#,
        r#"{"request": {"body": "", "body_bytes": 1}}"#,
        r#"{"request": {}, "seen": {"z": []}}"#,
        r#"{"wait": {"probes": {"z": 1}}}"#,
        r#"{"upstreams": {"z": {}}}"#,
        r#"{"probes": {"z": 1}}"#,
    ] {
        wrong_step(step);
    }
    for case in [
        r#"{"why": "y", "steps": [{"sleep_ms": 0}]}"#,
        r#"{"name": "x", "steps": [{"sleep_ms": 0}]}"#,
        r#"{"name": "x", "why": "y"}"#,
        r#"{"name": "x", "why": "y", "steps": []}"#,
        r#"{"name": "X y", "why": "y", "steps": [{"sleep_ms": 0}]}"#,
    ] {
        assert!(group(case).is_err(), "{case}");
    }
}
