//! Placeholders in braces: `{a}`, `{a.authority}`, `{proxy}`, `{client}`; `{{`
//! is a brace.

use serde_json::Value;
use std::collections::BTreeMap;

/// The values of the placeholders.
#[derive(Clone, Debug, Default)]
pub struct Meanings(BTreeMap<String, String>);

impl Meanings {
    /// Those of upstreams: host and port by name.
    #[must_use]
    pub fn of(authorities: &BTreeMap<String, String>) -> Self {
        let each = authorities.iter().flat_map(|(name, authority)| {
            [
                (name.clone(), format!("http://{authority}")),
                (format!("{name}.authority"), authority.clone()),
            ]
        });
        Self(each.collect())
    }

    /// The host and port that the client connects to.
    #[must_use]
    pub fn proxy(mut self, authority: &str) -> Self {
        self.0.insert("proxy".into(), authority.into());
        self
    }

    /// The client's IP address.
    #[must_use]
    pub fn client(mut self, address: &str) -> Self {
        self.0.insert("client".into(), address.into());
        self
    }

    /// Fills in every string of `json`; the names of members are not changed.
    pub(crate) fn fill(&self, json: &mut Value) -> Result<(), String> {
        match json {
            Value::String(text) => {
                *text = self.fill_text(text)?;
                Ok(())
            }
            Value::Array(list) => list.iter_mut().try_for_each(|one| self.fill(one)),
            Value::Object(members) => members.values_mut().try_for_each(|one| self.fill(one)),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn fill_text(&self, text: &str) -> Result<String, String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            filled.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(literal) = after.strip_prefix('{') {
                filled.push('{');
                rest = literal;
                continue;
            }
            let meaning = after
                .split_once('}')
                .and_then(|(name, rest)| Some((self.0.get(name)?, rest)));
            let Some((meaning, after)) = meaning else {
                return Err(format!(
                    "{text:?} has a placeholder that means nothing here; a literal brace is {{{{"
                ));
            };
            filled.push_str(meaning);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meanings() -> Meanings {
        let authorities = BTreeMap::from([("a".into(), "127.0.0.1:1".into())]);
        Meanings::of(&authorities)
            .proxy("127.0.0.1:2")
            .client("::1")
    }

    #[test]
    fn fills_in_what_it_knows() {
        let filled = meanings().fill_text("{a} {a.authority}/{proxy}{client} {{a} }");
        assert_eq!(
            filled.as_deref(),
            Ok("http://127.0.0.1:1 127.0.0.1:1/127.0.0.1:2::1 {a} }")
        );
    }

    #[test]
    fn rejects_unknown_keys() {
        for text in ["{b}", "{a", "{}", "{a.port}"] {
            assert!(meanings().fill_text(text).is_err(), "{text}");
        }
    }
}
