//! What is new in a release: the section of `CHANGELOG.md` for it.

use std::fs;

use anyhow::{Context, Result, bail};

use super::VERSION;
use crate::workspace::Workspace;

const CHANGELOG: &str = "CHANGELOG.md";

/// The text of the section, for the tag of the present version.
pub fn of(workspace: &Workspace, tag: &str) -> Result<String> {
    if tag.strip_prefix('v') != Some(VERSION) {
        bail!(
            "the tag is {tag:?}, and the version {VERSION}: the tag of this commit is v{VERSION}"
        );
    }
    let text = fs::read_to_string(workspace.root.join(CHANGELOG))
        .with_context(|| format!("cannot read {CHANGELOG}"))?;
    section(&text, VERSION)
        .with_context(|| format!("{CHANGELOG} has no section `## {VERSION}` with text"))
}

/// What stands below `## VERSION`, or `## VERSION (date)`, up to the next such heading.
fn section(changelog: &str, version: &str) -> Option<String> {
    let mut lines = changelog.lines().skip_while(|line| {
        line.strip_prefix("## ")
            .and_then(|heading| heading.split_whitespace().next())
            != Some(version)
    });
    lines.next()?;
    let text: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    let text = text.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_at_the_next_version() {
        let changelog = "# Changelog\n\n## Unreleased\n\n- c\n\n## 0.2.0 (2026-12-01)\n\n- b\n\n### Changed\n\n- d\n\n## 0.1.0\n\n- a\n## 0.0.1\n";
        let of = |version| section(changelog, version);
        assert_eq!(of("0.2.0").as_deref(), Some("- b\n\n### Changed\n\n- d"));
        assert_eq!(of("0.1.0").as_deref(), Some("- a"));
        assert_eq!(of("0.0.1"), None, "it is empty");
        assert_eq!(of("0.2"), None);
    }
}
