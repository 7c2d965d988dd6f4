//! A list as a setting may write it, and JSON, as far as it may stand there.
//!
//! `serde_json`'s own `Value` would add 11 KB to the 60 KB that JavaScript hosts
//! load at each cold start.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

pub(super) enum Json {
    Text(String),
    /// A whole number from 0.
    Number(u64),
    Members(Vec<(String, Json)>),
    /// Any other value.
    Other,
}

/// A JSON array, or words that are split on commas and any white space; blank ones do not
/// count. None: it begins as the one and is not.
pub(super) fn list(text: &str) -> Option<Vec<Json>> {
    if !text.starts_with('[') {
        let words = text.split(|mark: char| mark == ',' || mark.is_whitespace());
        let words = words.filter(|word| !word.is_empty());
        return Some(words.map(|word| Json::Text(word.to_owned())).collect());
    }
    let mut entries: Vec<Json> = serde_json::from_str(text).ok()?;
    entries.retain(|entry| !matches!(entry, Json::Text(text) if text.trim().is_empty()));
    Some(entries)
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        while list.next_element::<Json>()?.is_some() {}
        Ok(Json::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = from.next_entry()? {
            members.push(member);
        }
        Ok(Json::Members(members))
    }
}
