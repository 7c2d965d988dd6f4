//! What the page says, in each language, and how its templates are filled in. The
//! texts are in `status/`, as lines `key = text`; both files have the same keys.

use crate::preference::Language;
use std::borrow::Cow;

/// A language.
#[derive(Clone, Copy)]
pub(crate) struct Words(&'static str);

/// What a template is filled in with: what is HTML already, then texts, then what the
/// language says for the key.
struct Given<'a> {
    words: Words,
    html: &'a [(&'a str, &'a str)],
    texts: &'a [(&'a str, &'a str)],
    escapes: bool,
}

impl Given<'_> {
    fn value(&self, key: &str) -> Option<Cow<'_, str>> {
        if let Some(html) = find(self.html, key) {
            return Some(html.into());
        }
        let text = find(self.texts, key).or_else(|| self.words.text(key))?;
        Some(if self.escapes {
            html_escape::encode_quoted_attribute(text)
        } else {
            text.into()
        })
    }
}

fn find<'a>(list: &[(&str, &'a str)], key: &str) -> Option<&'a str> {
    let (_, value) = list.iter().find(|(known, _)| *known == key)?;
    Some(value)
}

impl Words {
    pub(crate) fn of(language: Language) -> Self {
        Self(match language {
            Language::English => include_str!("../../../status/en.txt"),
            Language::Chinese => include_str!("../../../status/zh.txt"),
        })
    }

    /// What the language has for a key.
    pub(crate) fn text(self, key: &str) -> Option<&'static str> {
        let mut lines = self.0.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))
    }

    /// A sentence: plain text, which a template escapes.
    pub(crate) fn say(self, key: &str, texts: &[(&str, &str)]) -> String {
        let pattern = self.text(key);
        debug_assert!(pattern.is_some(), "{key}");
        self.fill(pattern.unwrap_or_default(), texts, &[], false)
    }

    /// A template of HTML, with texts that are escaped, and HTML that is not.
    pub(crate) fn html(
        self,
        template: &str,
        texts: &[(&str, &str)],
        html: &[(&str, &str)],
    ) -> String {
        self.fill(template, texts, html, true)
    }

    fn fill(
        self,
        template: &str,
        texts: &[(&str, &str)],
        html: &[(&str, &str)],
        escapes: bool,
    ) -> String {
        let given = Given {
            words: self,
            html,
            texts,
            escapes,
        };
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{')
            && let Some((key, after)) = after.split_once('}')
        {
            let value = given.value(key);
            // The templates are constants, and the tests fill in each of them.
            debug_assert!(value.is_some(), "{key}");
            filled.push_str(before);
            filled.push_str(&value.unwrap_or_default());
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The key of a line, and what its text is to be filled in with.
    fn lines(words: Words) -> Vec<(&'static str, BTreeSet<&'static str>)> {
        let pairs = words
            .0
            .lines()
            .map(|line| line.split_once(" = ").expect(line));
        pairs
            .map(|(key, text)| {
                let places = text.split('{').skip(1);
                let names = places.map(|rest| rest.split_once('}').expect(text).0);
                (key, names.collect())
            })
            .collect()
    }

    #[test]
    fn both_languages_say_the_same_things_of_the_same_values() {
        let [english, chinese] = [Language::English, Language::Chinese].map(Words::of);
        assert_eq!(lines(english), lines(chinese));
        let keys: BTreeSet<_> = lines(english).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), lines(english).len(), "each key is there once");
    }

    #[test]
    fn texts_are_escaped_and_html_is_not() {
        let words = Words::of(Language::English);
        let texts = [("a", "<&\"'{token}>")];
        let filled = words.html("{a}{b} {token}", &texts, &[("b", "<b>{a}</b>")]);
        assert_eq!(filled, "&lt;&amp;&quot;&#x27;{token}&gt;<b>{a}</b> Token");
    }
}
