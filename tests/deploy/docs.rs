//! The pages of the documentation: their links resolve, each English one has a Chinese page of the same shape, and each
//! is in the table of contents of the site.

use crate::{root, text};
use function_fetch_pages::{code, headings, html_images, links};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The pages in both languages: those of `docs`, but for the tables that commands write, and those at the root that have
/// one in Chinese.
pub fn pages() -> Vec<PathBuf> {
    let (root, docs) = (root(), root().join("docs"));
    let mut pages = all_pages();
    pages.retain(|page| {
        let is_table = ["simulation", "performance"].map(|tables| docs.join(tables));
        let is_page = page.starts_with(&docs) && !is_table.iter().any(|of| page.starts_with(of));
        is_page || (page.parent() == Some(&root) && chinese(page).exists())
    });
    pages
}

/// Every page that somebody wrote, or that a command makes for the documentation.
pub fn all_pages() -> Vec<PathBuf> {
    function_fetch_pages::pages(&root()).expect("pages")
}

/// The page, for a message.
pub fn name(page: &Path) -> String {
    let inside = page.strip_prefix(root()).unwrap_or(page);
    inside.display().to_string()
}

/// The text outside of code blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

#[test]
fn every_relative_link_leads_to_a_file_and_to_a_heading_of_it() {
    let mut anchors: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    let mut broken = Vec::new();
    for page in all_pages() {
        let text = read_to_string(&page).expect("a page");
        let folder = page.parent().expect("a folder");
        let links = links(&text).into_iter().map(|link| link.destination);
        for link in links.chain(html_images(&text)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let to = match file {
                "" => page.clone(),
                file => folder.join(file),
            };
            if !to.exists() {
                broken.push(format!("{}: {link} leads to no file", name(&page)));
                continue;
            }
            if anchor.is_empty() || to.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let to = to.canonicalize().expect("it exists");
            let known = anchors.entry(to).or_insert_with_key(|to| {
                let headings = headings(&read_to_string(to).expect("a page"));
                headings.into_iter().map(|heading| heading.anchor).collect()
            });
            if !known.contains(anchor) {
                broken.push(format!("{}: {link} leads to no heading", name(&page)));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_readme_names_the_oldest_rust_that_the_manifests_allow() {
    for page in ["README.md", "docs/README_zh-CN.md"] {
        let words = text(page);
        let versions: Vec<&str> = words
            .split("Rust ")
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit() && c != '.').next())
            .filter(|version| !version.is_empty())
            .collect();
        assert_eq!(versions, [env!("CARGO_PKG_RUST_VERSION")], "{page}");
    }
}

/// The same page in Chinese: beside it, or in `docs` for those at the root.
pub fn chinese(page: &Path) -> PathBuf {
    let stem = page.file_stem().expect("a name").to_string_lossy();
    let name = format!("{stem}_zh-CN.md");
    if page.parent() == Some(&root()) {
        root().join("docs").join(name)
    } else {
        page.with_file_name(name)
    }
}

/// Whether it is a page in Chinese.
pub fn is_chinese(page: &Path) -> bool {
    page.to_string_lossy().ends_with("_zh-CN.md")
}

/// Its headings' levels, its blocks of code by their languages, and how many table rows it has.
fn shape(path: &Path) -> (Vec<u8>, Vec<String>, usize) {
    let text = read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let levels = headings(&text)
        .into_iter()
        .map(|heading| heading.level)
        .collect();
    let blocks = code(&text).into_iter().map(|code| code.language).collect();
    let rows = prose(&text)
        .lines()
        .filter(|line| line.starts_with('|'))
        .count();
    (levels, blocks, rows)
}

/// The folders of the repository that have tests.
const TESTED: [&str; 4] = ["adapters/test", "crates", "tests", "xtask"];

/// The text of every file below a folder, built ones left out.
fn sources(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_source = [".rs", ".ts", ".json"]
            .iter()
            .any(|end| name.ends_with(end));
        if path.is_dir() && name != "node_modules" && name != "target" {
            sources(&path, all);
        } else if is_source {
            all.push_str(&read_to_string(&path).expect("text"));
        }
    }
}

#[test]
fn every_test_that_a_promise_rests_on_is_there() {
    let mut all = String::new();
    for folder in TESTED {
        sources(&root().join(folder), &mut all);
    }
    for page in ["docs/reliability.md", "docs/reliability_zh-CN.md"] {
        let page_text = text(page);
        let names: Vec<&str> = page_text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| {
                name.contains('_')
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            })
            .collect();
        assert!(names.len() > 40, "{page}: {} names", names.len());
        for name in names {
            let is_there = [format!("fn {name}("), format!("\"{name}\"")]
                .iter()
                .any(|definition| all.contains(definition));
            assert!(is_there, "{page}: there is no test {name}");
        }
        for (at, mark) in page_text.match_indices(".json`") {
            let name = page_text[..at].rsplit('`').next().unwrap_or_default();
            let after = page_text[at + mark.len()..].trim_start_matches([' ', '(', '（']);
            let digits = after
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or_default();
            let table = text(format!("tests/cases/{name}.json"));
            let table: serde_json::Value = serde_json::from_str(&table).expect("JSON");
            let cases = table["cases"].as_array().expect("cases");
            assert_eq!(
                after[..digits],
                cases.len().to_string(),
                "{page}: {name}.json"
            );
        }
    }
}

#[test]
fn every_page_is_there_in_chinese_and_of_the_same_shape() {
    for page in pages() {
        if !is_chinese(&page) {
            assert_eq!(shape(&page), shape(&chinese(&page)), "{}", name(&page));
        }
    }
}

/// The pages that a table of contents of the site has, in its order.
fn contents(summary: &str) -> Vec<PathBuf> {
    let folder = root().join("book");
    let page = |destination: String| {
        let page = folder.join(destination);
        page.canonicalize().unwrap_or(page)
    };
    links(&text(format!("book/{summary}")))
        .into_iter()
        .map(|link| page(link.destination))
        .collect()
}

#[test]
fn every_page_is_in_its_book_and_both_books_are_alike() {
    let (english, other) = (contents("SUMMARY.md"), contents("SUMMARY_zh-CN.md"));
    for page in pages() {
        let book = if is_chinese(&page) { &other } else { &english };
        let page = page.canonicalize().expect("it exists");
        assert!(book.contains(&page), "no book has {}", name(&page));
    }
    // What has no Chinese page, such as the tables that the simulator writes.
    let translated: Vec<PathBuf> = english
        .iter()
        .filter_map(|page| chinese(page).canonicalize().ok())
        .collect();
    assert_eq!(translated, other);
}

/// The pages of the platforms.
const PLATFORMS: [&str; 9] = [
    "akamai-functions",
    "alibaba-esa",
    "cloudflare-workers",
    "fermyon-cloud",
    "node",
    "spin",
    "spinkube",
    "wasmcloud",
    "wasmtime",
];

#[test]
fn every_page_of_a_platform_begins_with_what_it_was_tested_on() {
    for platform in PLATFORMS {
        for (page, says, table) in [
            (
                format!("docs/{platform}.md"),
                "Tested on",
                "(reliability.md#tested-on)",
            ),
            (
                format!("docs/{platform}_zh-CN.md"),
                "测试于",
                "(reliability_zh-CN.md#测试于)",
            ),
        ] {
            let text = text(&page);
            let (top, _) = text.split_once("\n## ").expect("a section");
            // A line, or the heading of a table.
            let lines: Vec<&str> = top.lines().filter(|line| line.contains(says)).collect();
            assert_eq!(lines.len(), 1, "{page}");
            assert!(lines[0].contains(table), "{page}: {}", lines[0]);
        }
    }
}
