//! The table as a JSON Schema.
//!
//! It is for an object of settings: the `vars` of a wrangler.jsonc, the option `env` on Node.js, a file from which an
//! environment is made. So a value may be text, as in an environment, or the JSON that it stands for; a keyword of a
//! schema applies to values of its own type alone.

use function_fetch_engine::MAX_TARGETS;
use function_fetch_engine::settings::{Kind, TABLE};
use serde_json::{Map, Value, json};

/// What a flag may say, in any case.
const FLAGS: [&str; 10] = [
    "1", "true", "yes", "y", "on", "0", "false", "no", "n", "off",
];

/// What turns a number off, in any case.
const OFF: [&str; 4] = ["off", "none", "no", "false"];

/// The JSON Schema of an object with all settings.
#[must_use]
pub fn schema() -> Value {
    let properties: Map<String, Value> = TABLE
        .iter()
        .map(|row| {
            let mut property = values(&row.kind);
            property["description"] = row.doc.into();
            if let Some(default) = default(&row.kind) {
                property["default"] = default;
            }
            (row.name.to_owned(), property)
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of Function Fetch",
        "type": "object",
        "properties": properties,
        "required": ["FETCH_TARGETS"],
        "additionalProperties": false,
    })
}

/// The values that the setting may have.
fn values(kind: &Kind) -> Value {
    match kind {
        Kind::Targets(_) => json!({
            "type": ["array", "string"],
            "minItems": 1,
            "maxItems": MAX_TARGETS,
            "minLength": 1,
            "items": {
                "type": ["string", "object"],
                "pattern": "^\\s*[hH][tT][tT][pP][sS]?://",
                "properties": {
                    "url": { "type": "string" },
                    "tier": { "type": "integer", "minimum": 1, "maximum": 9 },
                    "weight": { "type": "integer", "minimum": 1, "maximum": 100 },
                },
                "required": ["url"],
                "additionalProperties": false,
            },
        }),
        Kind::Path(_) => json!({ "type": "string", "pattern": "^\\S*$" }),
        Kind::Text(kind) => {
            let mut text = json!({ "type": "string" });
            if kind.secret {
                text["writeOnly"] = true.into();
            }
            text
        }
        Kind::Flag(_) => json!({ "type": ["boolean", "string"], "pattern": one_of(&FLAGS) }),
        Kind::Number(kind) => json!({
            "type": ["integer", "string"],
            "minimum": kind.least,
            "maximum": kind.most,
            "pattern": "^\\s*[0-9]*\\s*$",
        }),
        Kind::NumberOrOff(kind) => json!({
            "anyOf": [
                { "type": "integer", "minimum": kind.least, "maximum": kind.most },
                { "const": 0 },
                { "const": false },
                { "type": "string", "pattern": "^\\s*[0-9]*\\s*$" },
                { "type": "string", "pattern": one_of(&OFF) },
            ],
        }),
        Kind::Choice(kind) => json!({ "type": "string", "pattern": one_of(kind.words) }),
        // They have aliases, which only the parser knows.
        Kind::Caches(_) => json!({ "type": ["array", "string"], "items": { "type": "string" } }),
        Kind::Methods(kind) => json!({
            "type": ["array", "string"],
            "items": { "type": "string", "pattern": one_of(kind.known) },
        }),
        Kind::StatusList(_) => json!({
            "type": ["array", "string"],
            "items": {
                "type": ["integer", "string"],
                "minimum": 400,
                "maximum": 599,
                "pattern": "^[45][0-9][0-9](-[45][0-9][0-9])?$",
            },
        }),
        Kind::Difference(_) => json!({
            "type": ["array", "string"],
            "items": { "type": "string", "pattern": "^[0-9.]+(%|ms)$" },
        }),
        // A kind that is added is described here.
        _ => json!({ "type": "string" }),
    }
}

/// As JSON where it is a number or a flag.
fn default(kind: &Kind) -> Option<Value> {
    let text = kind.default_text()?;
    Some(match kind {
        Kind::Flag(kind) => kind.default.into(),
        Kind::Number(kind) => kind.default?.into(),
        _ => text.into(),
    })
}

/// A pattern of these words in any case, which the regular expressions of JSON Schema have no flag for; or blank,
/// which is not set.
fn one_of(words: &[&str]) -> String {
    let either = |letter: char| match (letter.to_ascii_lowercase(), letter.to_ascii_uppercase()) {
        (lower, upper) if lower == upper => lower.to_string(),
        (lower, upper) => format!("[{lower}{upper}]"),
    };
    let words: Vec<String> = words
        .iter()
        .map(|word| word.chars().map(either).collect())
        .collect();
    format!("^\\s*({})?\\s*$", words.join("|"))
}
