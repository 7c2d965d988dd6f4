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
    pages.extend(["README.md", "SECURITY.md", "CODE_OF_CONDUCT.md"].map(|page| root().join(page)));
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
