//! Code: blocks with their language, and what stands between backticks.

use crate::parser;
use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its language, such as `bash`; empty where the fence says none.
    pub language: String,
    /// What is in it.
    pub text: String,
}

/// The fenced blocks of a page, in its order.
#[must_use]
pub fn code(page: &str) -> Vec<Code> {
    let mut blocks = Vec::new();
    let mut open: Option<Code> = None;
    for event in parser(page) {
        match (event, &mut open) {
            (Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))), _) => {
                // rustdoc's attributes follow behind a comma.
                let language = language.split(',').next().unwrap_or_default().to_owned();
                open = Some(Code {
                    language,
                    text: String::new(),
                });
            }
            (Event::Text(text), Some(block)) => block.text.push_str(&text),
            (Event::End(TagEnd::CodeBlock), _) => blocks.extend(open.take()),
            _ => {}
        }
    }
    blocks
}

/// What stands between backticks in the prose of a page.
#[must_use]
pub(crate) fn inline_code(page: &str) -> Vec<String> {
    parser(page)
        .filter_map(|event| match event {
            Event::Code(text) => Some(text.into_string()),
            _ => None,
        })
        .collect()
}
