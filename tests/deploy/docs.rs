//! The pages of the documentation: their links resolve, and each English one
//! has a Chinese page of the same shape.

use crate::{root, text};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root().join("docs"))
        .expect("docs")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.extend(["README.md", "SECURITY.md"].map(|page| root().join(page)));
    pages
}

/// The text outside of code blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The targets of a page's links.
fn links(text: &str) -> Vec<String> {
    prose(text)
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.to_owned())
        .collect()
}

#[test]
fn every_relative_link_leads_to_a_file() {
    for page in pages() {
        let text = read_to_string(&page).expect("a page");
        let folder = page.parent().expect("a folder");
        for link in links(&text) {
            if link.contains("://") || link.starts_with('#') || link.starts_with("mailto:") {
                continue;
            }
            let file = link.split('#').next().unwrap_or_default();
            assert!(
                folder.join(file).exists(),
                "{}: {link} leads nowhere",
                page.display()
            );
        }
    }
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

fn chinese(page: &Path) -> PathBuf {
    let name = page
        .file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    root().join("docs").join(format!("{name}_zh-CN.md"))
}

/// Its headings' levels, and how many code blocks and table rows it has.
fn shape(path: &Path) -> (Vec<usize>, usize, usize) {
    let text = read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let prose = prose(&text);
    let levels = prose
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.chars().take_while(|c| *c == '#').count())
        .collect();
    let rows = prose.lines().filter(|line| line.starts_with('|')).count();
    (levels, text.matches("```").count(), rows)
}

/// The pages for contributors, not for users.
const FOR_CONTRIBUTORS: [&str; 4] = [
    "architecture.md",
    "behaviour.md",
    "decisions.md",
    "performance.md",
];

#[test]
fn every_page_for_users_is_there_in_chinese_and_of_the_same_shape() {
    for page in pages() {
        let name = page
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if name.ends_with("_zh-CN.md") || FOR_CONTRIBUTORS.contains(&name.as_str()) {
            continue;
        }
        assert_eq!(shape(&page), shape(&chinese(&page)), "{name}");
    }
}
