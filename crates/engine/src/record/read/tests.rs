use super::*;
use crate::evidence::{Pairs, Tally};
use crate::record::{Ejection, Live};
use crate::trial::LogTimes;
use serde::Deserialize;
use serde_json::{Value, json};

/// A record with every member that there is, each with a value of its own.
fn full() -> Value {
    json!({
        "v": 1,
        "at": 1_700_000_000_123.5,
        "hash": "0123abcd",
        "primary": 1,
        "for": 0,
        "targets": [
            {
                "n": 4,
                "fail": 2,
                "ms": 5.125,
                "at": 1_700_000_000_100_u64,
                "until": 1_700_000_001_000_u64,
                "last": [1_700_000_002_000_u64, 3_000],
                "live": [1.5, 0.25],
                "seen": [18.5, 0.5, 1_700_000_000_099_u64],
                "half": {"passed": [6, 2.5, 0.125], "limit": -0.5, "next": 1_700_000_004_000_u64},
                "aside": 1_700_000_005_000_u64,
            },
            {},
        ],
        "trial": {"to": 1, "own": [8, 3, 0.75], "other": [7, 2, 0.5]},
        "pairs": [1.25, 0.375],
        "told": "89abcdef",
    })
}

fn read(value: &Value) -> Option<Record> {
    Record::from_json(&value.to_string())
}

#[test]
fn every_member_is_read_into_its_own_place() {
    let first = TargetRecord {
        n: 4,
        fail: 2,
        latency: Some(Millis(5.125)),
        at: Some(Timestamp(1_700_000_000_100.0)),
        until: Some(Timestamp(1_700_000_001_000.0)),
        last_ejection: Some(Ejection {
            ends: Timestamp(1_700_000_002_000.0),
            length: Millis(3_000.0),
        }),
        live: Some(Live {
            mean: 1.5,
            variance: 0.25,
        }),
        live_answers: Some(Tally {
            good: 18.5,
            bad: 0.5,
            at: Timestamp(1_700_000_000_099.0),
        }),
        half_open: Some(HalfOpen {
            passed: LogTimes {
                count: 6.0,
                mean: 2.5,
                squares: 0.125,
            },
            limit: Some(-0.5),
            next: Timestamp(1_700_000_004_000.0),
        }),
        aside: Some(Timestamp(1_700_000_005_000.0)),
    };
    let wanted = Record {
        version: 1,
        at: Timestamp(1_700_000_000_123.5),
        hash: "0123abcd".to_owned(),
        primary: 1,
        stands_in_for: Some(0),
        targets: vec![first, TargetRecord::default()],
        trial: Some(LatencyTrial {
            challenger: 1,
            own: LogTimes {
                count: 8.0,
                mean: 3.0,
                squares: 0.75,
            },
            other: (7.0, 2.0, 0.5).into(),
        }),
        pairs: Some(Pairs {
            blamed: 1.25,
            shared: 0.375,
        }),
        told: Some("89abcdef".to_owned()),
    };
    assert_eq!(read(&full()).as_ref(), Some(&wanted));
    let written = serde_json::to_string(&wanted).unwrap();
    assert_eq!(Record::from_json(&written), Some(wanted));
}

/// Every member by the path to it, the deepest first.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, of)| (name.clone(), of))
            .collect(),
        Value::Array(list) => (0..)
            .map(|place: usize| place.to_string())
            .zip(list)
            .collect(),
        _ => return,
    };
    for (name, child) in children {
        let path = format!("{path}/{name}");
        paths(child, &path, found);
        found.push(path);
    }
}

#[test]
fn one_member_of_another_kind_is_no_record() {
    let mut all = Vec::new();
    paths(&full(), "", &mut all);
    assert_eq!(all.len(), 45);
    for path in &all {
        for other in [
            json!(true),
            json!("1"),
            json!([1]),
            json!([1, 2, 3, 4]),
            json!({"a": 1}),
        ] {
            let is_its_kind = match path.as_str() {
                "/hash" | "/told" => other.is_string(),
                "/targets/0" | "/targets/1" => other.is_object(),
                _ => false,
            };
            let mut value = full();
            *value.pointer_mut(path).expect("it is there") = other;
            assert_eq!(read(&value).is_some(), is_its_kind, "{value}");
        }
    }
}

#[test]
fn what_may_be_absent_may_be_null_and_nothing_else_may() {
    let needed = [
        "/v",
        "/at",
        "/hash",
        "/primary",
        "/targets",
        "/trial/to",
        "/trial/own",
        "/trial/other",
        "/targets/0/half/passed",
        "/targets/0/half/next",
    ];
    let counts = ["/targets/0/n", "/targets/0/fail"];
    let mut all = Vec::new();
    paths(&full(), "", &mut all);
    for path in all {
        let (parent, name) = path.rsplit_once('/').expect("it has a parent");
        let mut without = full();
        let parent = without.pointer_mut(parent).expect("it is there");
        let Some(members) = parent.as_object_mut() else {
            continue;
        };
        members.remove(name);
        let is_needed = needed.contains(&path.as_str());
        assert_eq!(read(&without).is_none(), is_needed, "without {path}");

        let mut null = full();
        *null.pointer_mut(&path).expect("it is there") = Value::Null;
        let is_refused = is_needed || counts.contains(&path.as_str());
        assert_eq!(read(&null).is_none(), is_refused, "null for {path}");
        if !is_refused {
            assert_eq!(read(&null), read(&without), "{path}");
        }
    }
}

#[test]
fn a_count_is_a_whole_number_of_32_bits() {
    for (text, count) in [
        ("0", Some(0)),
        ("7.0", Some(7)),
        ("1e3", Some(1_000)),
        ("4294967295", Some(u32::MAX)),
        ("4294967296", None),
        ("1.5", None),
        ("-1", None),
    ] {
        let record = format!(
            r#"{{"v":1,"at":1,"hash":"x","primary":{text},"for":{text},
                "targets":[{{"n":{text},"fail":{text}}}]}}"#
        );
        let read = Record::from_json(&record).map(|record| {
            let [target] = &record.targets[..] else {
                panic!("{record:?}");
            };
            assert_eq!((target.n, target.fail), (record.primary, record.primary));
            assert_eq!(record.stands_in_for, Some(record.primary));
            record.primary
        });
        assert_eq!(read, count, "{text}");
    }
}

#[test]
fn of_a_repeated_member_the_last_counts() {
    let text = r#"{"v":1,"at":1,"hash":"x","primary":"x","hash":"y","primary":0,"targets":[]}"#;
    let record = Record::from_json(text).expect("a record");
    assert_eq!((record.hash.as_str(), record.primary), ("y", 0));
    assert_eq!(Record::from_json(&text.replace("0", "\"x\"")), None);
}

#[test]
fn what_nobody_reads_may_be_anything_that_is_not_nested_too_deep() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for (levels, is_record) in [(7, true), (8, false)] {
            let mut record = full().to_string();
            record.truncate(record.len() - 1);
            record += r#","later":"#;
            // The record itself is a level, and so is the value in it.
            record += &open.repeat(levels - 1);
            record += "null";
            record += &close.repeat(levels - 1);
            record += "}";
            assert_eq!(Record::from_json(&record).is_some(), is_record, "{record}");
        }
    }
}

/// One of the values that every host reads alike.
#[derive(Deserialize)]
struct Shared {
    name: String,
    value: String,
    /// How many spaces come before the value.
    #[serde(default)]
    spaces: usize,
    is: String,
}

#[test]
fn every_host_reads_a_stored_value_alike() {
    let values = include_str!("../../../../../tests/stored-values.json");
    let values: Vec<Shared> = serde_json::from_str(values).unwrap();
    for shared in values {
        let value = " ".repeat(shared.spaces) + &shared.value;
        // What is longer the host does not give to the engine.
        let is_too_long = value.len() > crate::record::MAX_BYTES;
        assert_eq!(is_too_long, shared.is == "nothing", "{}", shared.name);
        if !is_too_long {
            let is_record = Record::from_json(&value).is_some();
            assert_eq!(is_record, shared.is == "record", "{}", shared.name);
        }
    }
}
