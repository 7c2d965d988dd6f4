//! The settings in documents and types, compared with the engine's own table.

use crate::text;
use function_fetch_engine::settings::{Kind, NAMES, TABLE};
use function_fetch_settings::Language;

/// The cells of the row of a Markdown table that is about this setting.
fn row(page: &str, setting: &str) -> Vec<String> {
    let quoted = format!("`{setting}`");
    let of_setting = |line: &&str| {
        let first = line
            .strip_prefix('|')
            .and_then(|rest| rest.split('|').next());
        first.is_some_and(|cell| cell.contains(&quoted))
    };
    let line = page.lines().find(of_setting);
    let line = line.unwrap_or_else(|| panic!("no row for {setting}"));
    line.split('|').map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn the_readme_has_every_setting_with_its_default() {
    for (page, off) in [("README.md", "off"), ("docs/README_zh-CN.md", "关闭")] {
        let text = text(page);
        for setting in &TABLE {
            let cells = row(&text, setting.name);
            let Some(default) = setting.kind.default_text() else {
                continue;
            };
            let wanted = match setting.kind {
                Kind::NumberOrOff(_) => off.to_owned(),
                _ => format!("`{default}`"),
            };
            assert_eq!(cells[2], wanted, "{page}: {}", setting.name);
        }
        for line in text.lines() {
            let name = line
                .strip_prefix("| `")
                .and_then(|rest| rest.split('`').next());
            if let Some(name) = name.filter(|name| name.starts_with("FETCH_")) {
                assert!(NAMES.contains(&name), "{page}: {name} is no setting");
            }
        }
    }
}

#[test]
fn the_reference_is_what_the_table_says() {
    for language in Language::ALL {
        let file = format!("docs/{}", language.file("settings.md"));
        let wanted = function_fetch_settings::page(language).expect("a page");
        assert!(
            text(&file) == wanted,
            "{file} is not what the table says: run `cargo xtask settings`"
        );
    }
}

#[test]
fn the_types_of_the_npm_package_have_every_setting() {
    let types = text("adapters/src/settings.ts");
    for name in NAMES {
        assert!(
            types.contains(&format!("readonly {name}?: ")),
            "{name} is missing"
        );
    }
}
