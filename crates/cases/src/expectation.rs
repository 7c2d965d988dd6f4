//! What a case expects.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The expected value of a field.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a string, a list of strings, null, or {\"contains\": \"text\"}"
)]
pub(crate) enum FieldRule {
    /// All fields of the name, joined, equal this.
    Value(String),
    /// The fields of the name, one by one, equal these.
    Values(Vec<String>),
    /// The value contains this.
    Containing {
        /// The text.
        contains: String,
    },
    /// There is no field of the name.
    Absent,
}

pub(crate) type FieldRules = BTreeMap<String, FieldRule>;

/// The expected response to the client.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ResponseRule {
    pub(crate) status: Option<u16>,
    pub(crate) headers: FieldRules,
    pub(crate) body: Option<String>,
    pub(crate) body_contains: Texts,
    pub(crate) body_bytes: Option<usize>,
    pub(crate) trailers: FieldRules,
    pub(crate) broken: bool,
}

/// The expected request to an upstream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SeenRule {
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) headers: FieldRules,
    pub(crate) body: Option<String>,
    pub(crate) body_bytes: Option<usize>,
}

/// The expected content of the store in the end.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoreRule {
    /// A record whose primary is this upstream.
    Primary(String),
    /// This text.
    Raw(String),
    /// Nothing.
    Empty(True),
}

/// How often a target must have been probed, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a number, or {\"at_least\": a number, \"headers\": {…}}"
)]
pub(crate) enum ProbesRule {
    /// Exactly.
    Exactly(usize),
    /// At least so often.
    AtLeast {
        /// The minimum.
        at_least: usize,
        /// The fields of each probe.
        #[serde(default)]
        headers: FieldRules,
    },
}

/// One string, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a string or a list of strings")]
pub(crate) enum Texts {
    One(String),
    More(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl Texts {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(text) => std::slice::from_ref(text).iter(),
            Self::More(texts) => texts.iter(),
        }
        .map(String::as_str)
    }
}

/// A member that can only be true.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "bool")]
pub(crate) struct True;

impl TryFrom<bool> for True {
    type Error = &'static str;

    fn try_from(flag: bool) -> Result<Self, Self::Error> {
        if flag {
            Ok(Self)
        } else {
            Err("it is true, or left out")
        }
    }
}
