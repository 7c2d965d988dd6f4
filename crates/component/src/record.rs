//! The text of the shared record, as Rust hosts keep it in their stores.
//!
//! What is not a record is passed on as text: the engine knows what else a store
//! may hold. So wrong types, deep nesting, lone surrogates, and numbers that are
//! text or out of range are a miss, as they are on JavaScript hosts
//! (`adapters/src/driver/record.ts`).

use function_fetch_engine::record::MAX_BYTES;
use function_fetch_engine::{Record, Stored};

/// The value to store.
#[must_use]
pub fn encode(record: &Record) -> Vec<u8> {
    // Its names are text, and writing to memory does not fail.
    serde_json::to_vec(record).unwrap_or_default()
}

/// Reads a stored value.
#[must_use]
pub fn decode(value: &[u8]) -> Stored {
    let text = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.len() <= MAX_BYTES)
        .unwrap_or_default();
    Record::from_json(text).map_or_else(|| Stored::Text(text.to_owned()), Stored::Record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_fetch_engine::record::TargetRecord;
    use function_fetch_engine::{HalfOpen, LatencyTrial, Millis, Timestamp};

    fn a_record() -> Record {
        Record {
            version: 1,
            at: Timestamp(1_700_000_000_123.0),
            hash: "0123abcd".to_owned(),
            primary: 1,
            stands_in_for: Some(0),
            targets: vec![
                TargetRecord {
                    fail: 2,
                    until: Some(Timestamp(1_700_000_001_000.0)),
                    last_ejection: Some((Timestamp(1_700_000_000_000.0), Millis(1000.0)).into()),
                    ..TargetRecord::default()
                },
                TargetRecord {
                    n: 3,
                    latency: Some(Millis(5.125)),
                    at: Some(Timestamp(1_700_000_000_100.0)),
                    live: Some((1.609, 0.021).into()),
                    ..TargetRecord::default()
                },
            ],
            trial: None,
            pairs: None,
            told: Some("89abcdef".to_owned()),
        }
    }

    /// With all that live requests can show.
    fn with_evidence() -> Record {
        let mut record = a_record();
        record.targets[0] = TargetRecord {
            live_answers: Some((18.5, 2.5, Timestamp(1_700_000_000_200.0)).into()),
            half_open: Some(HalfOpen {
                passed: (2.0, 4.094, 0.125).into(),
                limit: Some(4.25),
                next: Timestamp(1_700_000_002_000.0),
            }),
            aside: Some(Timestamp(1_700_000_003_000.0)),
            ..TargetRecord::default()
        };
        record.trial = Some(LatencyTrial {
            challenger: 1,
            own: (8.0, 6.0, 0.5).into(),
            other: (3.0, 4.0, 0.25).into(),
        });
        record.pairs = Some((1.5, 0.5).into());
        record
    }

    #[test]
    fn decodes_what_it_encoded() {
        let small = Record {
            stands_in_for: None,
            told: None,
            targets: vec![TargetRecord::default(); 2],
            ..a_record()
        };
        for record in [a_record(), with_evidence(), small] {
            assert_eq!(decode(&encode(&record)), Stored::Record(record));
        }
        assert!(encode(&a_record()).len() < 300);
    }

    #[test]
    fn the_format_is_the_deployed_one() {
        let text = r#"{"v":1,"at":1700000000123,"hash":"0123abcd","primary":1,"for":0,"targets":[{"n":0,"fail":2,"until":1700000001000,"last":[1700000000000,1000]},{"n":3,"fail":0,"ms":5.125,"at":1700000000100,"live":[1.609,0.021]}],"told":"89abcdef"}"#;
        assert_eq!(decode(text.as_bytes()), Stored::Record(a_record()));
        // Byte for byte, except for the `.0` of times, which any JSON reader
        // accepts.
        let ours = String::from_utf8(encode(&a_record())).unwrap();
        assert_eq!(
            ours.replace(".0,", ",")
                .replace(".0]", "]")
                .replace(".0}", "}"),
            text
        );
    }

    /// One of the stored values that every host reads alike;
    /// `adapters/test/engine/record.test.ts` uses the same file.
    #[derive(serde::Deserialize)]
    struct Value {
        name: String,
        value: String,
        /// How many spaces come before the value.
        #[serde(default)]
        spaces: usize,
        is: Kind,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Record,
        Text,
        /// An empty string.
        Nothing,
    }

    #[test]
    fn every_host_reads_a_stored_value_alike() {
        let values = include_str!("../../../tests/stored-values.json");
        let values: Vec<Value> = serde_json::from_str(values).unwrap();
        for Value {
            name,
            value,
            spaces,
            is,
        } in values
        {
            let value = " ".repeat(spaces) + &value;
            let taken = match decode(value.as_bytes()) {
                Stored::Record(_) => Kind::Record,
                Stored::Text(text) if text == value => Kind::Text,
                Stored::Text(text) => {
                    assert_eq!(text, "", "{name}");
                    Kind::Nothing
                }
            };
            assert_eq!(taken, is, "{name}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_an_empty_text() {
        assert_eq!(decode(b"\xff\xfe"), Stored::Text(String::new()));
    }
}
