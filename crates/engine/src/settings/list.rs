//! A list as a setting may write it.

use crate::json::Json;

/// A JSON array, or words that are split on commas and any white space; blank ones do not
/// count. None: it begins as the one and is not.
pub(super) fn read(text: &str) -> Option<Vec<Json>> {
    if !text.starts_with('[') {
        let words = text.split(|mark: char| mark == ',' || mark.is_whitespace());
        let words = words.filter(|word| !word.is_empty());
        return Some(words.map(|word| Json::Text(word.to_owned())).collect());
    }
    let Some(Json::List(mut entries)) = Json::parse(text) else {
        return None;
    };
    entries.retain(|entry| !matches!(entry, Json::Text(text) if text.trim().is_empty()));
    Some(entries)
}
