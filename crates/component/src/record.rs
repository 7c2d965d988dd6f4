//! The text of the shared record, as Rust hosts keep it in their stores.
//!
//! What is no record is handed on as text: the engine knows what else a store
//! may hold. So wrong types, deep nesting, halves of surrogate pairs, and
//! numbers that are text or out of range are a miss, as they are on JavaScript
//! hosts (`adapters/src/driver/record.ts`).

use function_fetch_engine::record::MAX_BYTES;
use function_fetch_engine::{Record, Stored};
use serde_json::Value;

/// How deep values may be nested: our own are four deep.
const MOST_LEVELS: u32 = 8;

/// The value to store.
#[must_use]
pub fn encode(record: &Record) -> Vec<u8> {
    serde_json::to_vec(record).expect("names are text, and writing to memory does not fail")
}

/// Reads a stored value.
#[must_use]
pub fn decode(value: &[u8]) -> Stored {
    let text = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.len() <= MAX_BYTES)
        .unwrap_or_default();
    record(text).map_or_else(|| Stored::Text(text.to_owned()), Stored::Record)
}

fn record(text: &str) -> Option<Record> {
    // By way of a value, of a repeated member the last counts, as in JavaScript.
    let mut value: Value = serde_json::from_str(text).ok()?;
    // The derives would take lists of all members for objects as well.
    let targets = value.get("targets")?.as_array()?;
    let is_sound = targets.iter().all(Value::is_object) && is_shallow(&mut value, MOST_LEVELS);
    is_sound.then(|| serde_json::from_value(value).ok())?
}

/// Whether a value is nested no deeper than this. Numbers become what JavaScript
/// takes them for: `1.0` is a whole one.
fn is_shallow(value: &mut Value, levels: u32) -> bool {
    if levels == 0 {
        return false;
    }
    match value {
        Value::Array(values) => values.iter_mut().all(|value| is_shallow(value, levels - 1)),
        Value::Object(members) => members
            .values_mut()
            .all(|value| is_shallow(value, levels - 1)),
        Value::Number(number) => {
            if let Some(whole) = number.as_f64().filter(|number| is_count(*number)) {
                *number = (whole as u32).into();
            }
            true
        }
        _ => true,
    }
}

fn is_count(number: f64) -> bool {
    number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_fetch_engine::record::TargetRecord;
    use serde_json::json;

    fn a_record() -> Record {
        Record {
            version: 1,
            at: 1_700_000_000_123.0,
            hash: "0123abcd".to_owned(),
            primary: 1,
            stands_in_for: Some(0),
            targets: vec![
                TargetRecord {
                    fail: 2,
                    until: Some(1_700_000_001_000.0),
                    last: Some((1_700_000_000_000.0, 1000.0)),
                    ..TargetRecord::default()
                },
                TargetRecord {
                    n: 3,
                    ms: Some(5.125),
                    at: Some(1_700_000_000_100.0),
                    live: Some((1.609, 0.021)),
                    ..TargetRecord::default()
                },
            ],
            told: Some("89abcdef".to_owned()),
        }
    }

    fn value() -> Value {
        serde_json::from_slice(&encode(&a_record())).unwrap()
    }

    #[test]
    fn comes_back_as_it_was() {
        let small = Record {
            stands_in_for: None,
            told: None,
            targets: vec![TargetRecord::default(); 2],
            ..a_record()
        };
        for record in [a_record(), small] {
            assert_eq!(decode(&encode(&record)), Stored::Record(record));
        }
        assert!(encode(&a_record()).len() < 300);
    }

    #[test]
    fn what_is_deployed_writes_and_reads_the_same() {
        let text = r#"{"v":1,"at":1700000000123,"hash":"0123abcd","primary":1,"for":0,"targets":[{"n":0,"fail":2,"until":1700000001000,"last":[1700000000000,1000]},{"n":3,"fail":0,"ms":5.125,"at":1700000000100,"live":[1.609,0.021]}],"told":"89abcdef"}"#;
        assert_eq!(decode(text.as_bytes()), Stored::Record(a_record()));
        // Byte for byte, but for `.0` behind times, which any reader of JSON takes.
        let ours = String::from_utf8(encode(&a_record())).unwrap();
        assert_eq!(
            ours.replace(".0,", ",")
                .replace(".0]", "]")
                .replace(".0}", "}"),
            text
        );
    }

    #[test]
    fn what_may_be_absent_may_be_null_and_what_is_unknown_does_not_matter() {
        let text = r#" {"v":1.0,"at":17e11,"hash":"x","primary":0,"for":null,"told":null,"later":[[]],
            "targets":[{},{"ms":null,"ms":5,"later":{}}]} "#;
        let Stored::Record(record) = decode(text.as_bytes()) else {
            panic!("a miss");
        };
        assert_eq!((record.version, record.at), (1, 1_700_000_000_000.0));
        assert_eq!(record.targets[1].ms, Some(5.0));
    }

    /// The same as in `adapters/test/engine/record.test.ts`.
    #[test]
    fn bad_input_is_no_record() {
        let nested = |levels: usize| {
            let text = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            let mut value = value().to_string();
            value.truncate(value.len() - 1);
            value + ",\"later\":" + &text + "}"
        };
        assert!(record(&nested(7)).is_some());
        let mut bad = vec![nested(8), nested(100), nested(30_000)];
        for text in [
            "",
            "null",
            "1",
            "\"\"",
            "[]",
            "{}",
            "{\"v\":1",
            "\u{feff}{}",
        ] {
            bad.push(text.to_owned());
        }
        for (pointer, wrong) in [
            ("/v", json!("1")),
            ("/v", json!(1.5)),
            ("/v", json!(null)),
            ("/at", json!("1700000000000")),
            ("/at", json!(null)),
            ("/at", json!([1])),
            ("/hash", json!(7)),
            ("/primary", json!(-1)),
            ("/primary", json!(4_294_967_296_u64)),
            ("/primary", json!("1")),
            ("/for", json!("0")),
            ("/for", json!(0.5)),
            ("/told", json!(5)),
            ("/targets", json!({})),
            ("/targets", json!([null])),
            ("/targets", json!([[]])),
            ("/targets/1", json!("fast")),
            ("/targets/1", json!([3, 0, 5, null, null, null, null])),
            ("/targets/1/ms", json!("5")),
            ("/targets/1/ms", json!(true)),
            ("/targets/1/n", json!("3")),
            ("/targets/1/n", json!(null)),
            ("/targets/1/n", json!(-1)),
            ("/targets/1/live", json!([1])),
            ("/targets/1/live", json!([1, 2, 3])),
            ("/targets/1/live", json!([1, "2"])),
            ("/targets/1/live", json!({"0": 1, "1": 2})),
        ] {
            let mut value = value();
            *value.pointer_mut(pointer).unwrap() = wrong;
            bad.push(value.to_string());
        }
        let text = value().to_string();
        bad.push(text.replace("89abcdef", "\\ud83d"));
        bad.push(text.replace("\"told\"", "\"\\udc00\":1,\"told\""));
        bad.push(text.replace("5.125", "1e999"));
        bad.push(text.replace("5.125", "05"));
        bad.push(text.replace("5.125", "NaN"));
        bad.push(format!("\u{a0}{text}"));
        bad.push(" ".repeat(MAX_BYTES) + &text);
        for text in bad {
            let start: String = text.chars().take(300).collect();
            assert!(
                matches!(decode(text.as_bytes()), Stored::Text(_)),
                "{start}"
            );
        }
        assert_eq!(decode(b"\xff\xfe"), Stored::Text(String::new()));
    }

    #[test]
    fn any_other_text_is_handed_on() {
        let url = "https://b.example/\n";
        assert_eq!(decode(url.as_bytes()), Stored::Text(url.to_owned()));
        let long = "x".repeat(MAX_BYTES + 1);
        assert_eq!(decode(long.as_bytes()), Stored::Text(String::new()));
    }
}
