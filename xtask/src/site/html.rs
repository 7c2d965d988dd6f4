//! The links of the site, as it was built.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use html5gum::{Token, Tokenizer};
use percent_encoding::percent_decode_str;

use crate::site::place;

/// The names that a page has for links to lead to, and where its own links lead.
#[derive(Default)]
struct Page {
    names: BTreeSet<String>,
    links: Vec<String>,
}

/// mdBook's page for addresses that are not there; it is served from any of them, and its links begin at the root.
const NOT_FOUND: &str = "404.html";

/// Every link from a page of the site to a place of the site that is not there.
pub fn broken_links(site: &Path) -> Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    for file in files(site)? {
        let inside = file
            .strip_prefix(site)?
            .to_string_lossy()
            .replace('\\', "/");
        let is_page = inside.ends_with(".html") && !inside.ends_with(NOT_FOUND);
        let page = if is_page {
            read(
                &fs::read_to_string(&file)
                    .with_context(|| format!("cannot read {}", file.display()))?,
            )
        } else {
            Page::default()
        };
        pages.insert(inside, page);
    }
    let mut broken = Vec::new();
    for (from, page) in &pages {
        for link in &page.links {
            if !leads_somewhere(&pages, from, link) {
                broken.push(format!("{from}: {link}"));
            }
        }
    }
    Ok(broken)
}

fn leads_somewhere(pages: &BTreeMap<String, Page>, from: &str, link: &str) -> bool {
    let is_elsewhere = |start: &str| link.starts_with(start);
    if ["https:", "http:", "mailto:", "data:", "//"]
        .into_iter()
        .any(is_elsewhere)
    {
        return true;
    }
    let decoded = percent_decode_str(link).decode_utf8_lossy();
    let (file, name) = decoded.split_once('#').unwrap_or((&decoded, ""));
    let to = match file {
        "" => from.to_owned(),
        file => place::resolve(from, file),
    };
    match pages.get(&to) {
        Some(page) => name.is_empty() || page.names.contains(name),
        None => false,
    }
}

fn read(html: &str) -> Page {
    let mut page = Page::default();
    for token in Tokenizer::new(html).flatten() {
        let Token::StartTag(tag) = token else {
            continue;
        };
        for (name, value) in &tag.attributes {
            let value = String::from_utf8_lossy(value).into_owned();
            match &name[..] {
                b"id" => {
                    page.names.insert(value);
                }
                b"href" | b"src" => page.links.push(value),
                _ => {}
            }
        }
    }
    page
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_needs_its_page_and_the_name_in_it() {
        let pages = [
            (
                "index.html",
                r##"<a href="a/b.html#%E9%99%90">x</a> <a href="#top">y</a> <a href="a/c.html">z</a>"##,
            ),
            (
                "a/b.html",
                r##"<h2 id="限"></h2><img src="../x.svg"><a href="../index.html#gone">w</a><a href="https://a.example">v</a>"##,
            ),
            ("x.svg", ""),
        ];
        let pages: BTreeMap<String, Page> = pages
            .into_iter()
            .map(|(name, html)| (name.to_owned(), read(html)))
            .collect();
        let broken: Vec<&str> = pages
            .iter()
            .flat_map(|(from, page)| page.links.iter().map(move |link| (from, link)))
            .filter(|(from, link)| !leads_somewhere(&pages, from, link))
            .map(|(_, link)| link.as_str())
            .collect();
        assert_eq!(broken, ["../index.html#gone", "#top", "a/c.html"]);
    }
}
