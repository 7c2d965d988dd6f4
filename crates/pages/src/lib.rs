//! What a page of the documentation has in it: links, headings, code and commands. `cargo xtask
//! site` makes books of the pages, and tests hold them to the code.

#![forbid(unsafe_code)]

mod code;
mod command;
mod heading;
mod link;
mod repository;

use pulldown_cmark::{Options, Parser};

pub use code::{Code, code};
pub use command::{Command, OpenQuote, commands};
pub use heading::{Heading, headings};
pub use link::{Destination, Link, html_images, links, with_links};
pub use repository::{Error, pages, typed};

/// As GitHub reads a page, and mdBook as well.
fn parser(page: &str) -> Parser<'_> {
    Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}
