//! Links and images, and a page with other destinations.

use crate::parser;
use html5gum::{Token, Tokenizer};
use pulldown_cmark::{Event, LinkType, Tag};
use std::ops::Range;

/// A link or an image of the form `[text](destination)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads, as written.
    pub destination: String,
    /// Where the whole of it stands in the page.
    whole: Range<usize>,
    /// Where its text stands.
    text: Range<usize>,
}

/// What becomes of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// It leads elsewhere.
    To(String),
    /// It leads nowhere: its text remains.
    Nowhere,
}

/// The links and images of a page, in its order.
#[must_use]
pub fn links(page: &str) -> Vec<Link> {
    parser(page)
        .into_offset_iter()
        .filter_map(|(event, whole)| match event {
            Event::Start(
                Tag::Link {
                    link_type: LinkType::Inline,
                    dest_url,
                    ..
                }
                | Tag::Image {
                    link_type: LinkType::Inline,
                    dest_url,
                    ..
                },
            ) => {
                let source = &page[whole.clone()];
                // The last one: an image may stand in the text of a link.
                let text_ends = source.rfind(&format!("]({dest_url}"))?;
                let text_starts = source.find('[')? + 1;
                Some(Link {
                    destination: dest_url.into_string(),
                    text: whole.start + text_starts..whole.start + text_ends,
                    whole,
                })
            }
            _ => None,
        })
        .collect()
}

/// The sources of the images that a page has as HTML, which can say how large they are.
#[must_use]
pub fn html_images(page: &str) -> Vec<String> {
    let mut sources = Vec::new();
    for event in parser(page) {
        let (Event::Html(html) | Event::InlineHtml(html)) = event else {
            continue;
        };
        for token in Tokenizer::new(&*html).flatten() {
            let Token::StartTag(mut tag) = token else {
                continue;
            };
            if let Some(source) = tag.attributes.remove(&b"src"[..]) {
                sources.push(String::from_utf8_lossy(&source).into_owned());
            }
        }
    }
    sources
}

/// The page with each of its links as `change` has it; an error of `change` ends it.
///
/// # Errors
///
/// Those of `change`.
pub fn with_links<E>(
    page: &str,
    mut change: impl FnMut(&str) -> Result<Destination, E>,
) -> Result<String, E> {
    let mut changed = String::with_capacity(page.len());
    let mut copied = 0;
    for link in links(page) {
        match change(&link.destination)? {
            Destination::To(destination) => {
                let at = link.text.end + "](".len();
                changed += &page[copied..at];
                changed += &destination;
                copied = at + link.destination.len();
            }
            Destination::Nowhere => {
                changed += &page[copied..link.whole.start];
                changed += &page[link.text];
                copied = link.whole.end;
            }
        }
    }
    changed += &page[copied..];
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn an_image_may_be_html() {
        let page = "Text\n\n<img alt=\"a\" src=\"b/c.png\" width=\"3\">\n\n`<img src=\"d.png\">` and <img src=e.svg>\n";
        assert_eq!(html_images(page), ["b/c.png", "e.svg"]);
    }

    #[test]
    fn links_in_prose_tables_and_images_are_changed_and_code_is_left_alone() {
        let page = "[a](one.md#x) and `[b](two.md)`.\n\n| t |\n| - |\n| [`c`](three.md) |\n\n![d](four.svg)\n\n```\n[e](five.md)\n```\n";
        let destinations: Vec<String> = links(page)
            .into_iter()
            .map(|link| link.destination)
            .collect();
        assert_eq!(destinations, ["one.md#x", "three.md", "four.svg"]);
        let changed = with_links(page, |destination| {
            Ok::<_, Infallible>(match destination {
                "three.md" => Destination::Nowhere,
                other => Destination::To(format!("new/{other}")),
            })
        });
        let wanted = page
            .replace("one.md", "new/one.md")
            .replace("[`c`](three.md)", "`c`")
            .replace("four.svg", "new/four.svg");
        assert_eq!(changed, Ok(wanted));
    }
}
