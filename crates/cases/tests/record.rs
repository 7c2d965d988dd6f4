//! The record that a case's store begins with has the format that deployed instances write: it is a contract.

use function_fetch_cases::{Meanings, Setup, read_group};
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
fn a_record_is_what_deployed_instances_write() {
    let text = r#"{"group": "g", "cases": [{
        "name": "x", "why": "y", "steps": [{"sleep_ms": 0}],
        "settings": {"FETCH_HEALTH_PATH": null},
        "targets": ["https://a.com", "https://b.com"],
        "upstreams": {"a": {}, "b": {}},
        "store": {"record": {"age_ms": 1000, "primary": "b", "ms": {"a": 5}}}
    }]}"#;
    let case = &read_group("g.json", text).expect("it is sound")[0];
    let authorities = ["a", "b"].map(|name| (name.to_owned(), format!("{name}.com")));
    let authorities = BTreeMap::from(authorities);
    let plan = case.plan("node", &Meanings::of(&authorities));
    let plan = plan.expect("it is sound");
    let setup = Setup::new(&plan, &authorities, None, 5000.0).expect("it has its primary");
    let record: Value = serde_json::from_slice(&setup.store.expect("it has one")).expect("JSON");
    let number = |at: &str| record.pointer(at).and_then(Value::as_f64);
    assert_eq!(number("/v"), Some(1.0));
    assert_eq!(number("/at"), Some(4000.0));
    // FNV-1a, 32 bits, of "/\nhttps://a.com\nhttps://b.com".
    assert_eq!(record["hash"], "ba834077");
    assert_eq!(number("/primary"), Some(1.0));
    assert_eq!(number("/targets/0/ms"), Some(5.0));
    assert_eq!(number("/targets/0/n"), Some(3.0));
    assert!(record["targets"][1].is_object());
    assert_eq!(number("/targets/1/ms"), None);
}
