//! Headings, and the names by which links find them.

use crate::parser;
use pulldown_cmark::{Event, Tag, TagEnd};

/// A heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// What a link has behind its `#`.
    pub anchor: String,
}

/// The headings of a page, in its order.
#[must_use]
pub fn headings(page: &str) -> Vec<Heading> {
    let mut headings: Vec<Heading> = Vec::new();
    let mut open = None;
    for event in parser(page) {
        match (event, &mut open) {
            (Event::Start(Tag::Heading { level, .. }), _) => {
                open = Some((level as u8, String::new()));
            }
            (Event::Text(text) | Event::Code(text), Some((_, title))) => title.push_str(&text),
            (Event::End(TagEnd::Heading(_)), _) => {
                if let Some((level, title)) = open.take() {
                    let anchor = unique(&headings, anchor(&title));
                    headings.push(Heading { level, anchor });
                }
            }
            _ => {}
        }
    }
    headings
}

/// The rule of GitHub and of mdBook.
fn anchor(title: &str) -> String {
    title
        .trim()
        .chars()
        .filter_map(|letter| match letter {
            '_' | '-' => Some(letter),
            letter if letter.is_alphanumeric() => letter.to_lowercase().next(),
            letter if letter.is_whitespace() => Some('-'),
            _ => None,
        })
        .collect()
}

/// The second of two equal ones has `-1` at its end.
fn unique(before: &[Heading], anchor: String) -> String {
    let taken = |name: &str| before.iter().any(|heading| heading.anchor == name);
    if !taken(&anchor) {
        return anchor;
    }
    (1..)
        .map(|number| format!("{anchor}-{number}"))
        .find(|name| !taken(name))
        .unwrap_or(anchor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_those_of_github() {
        let page = "# A `wasmtime serve`\n\n## What *it* does, and why?\n\n## 数据\n\n```\n# no heading\n```\n\n## 数据\n";
        let found: Vec<(u8, String)> = headings(page)
            .into_iter()
            .map(|heading| (heading.level, heading.anchor))
            .collect();
        let wanted = [
            (1, "a-wasmtime-serve"),
            (2, "what-it-does-and-why"),
            (2, "数据"),
            (2, "数据-1"),
        ];
        assert_eq!(found, wanted.map(|(level, name)| (level, name.to_owned())));
    }
}
