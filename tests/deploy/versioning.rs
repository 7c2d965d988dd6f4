//! `docs/versioning.md`, in both languages, held to the code: what it says is supported, and that everything has one
//! version.

use crate::text;
use function_fetch_engine::{Capabilities, Record, Settings, Timestamp};
use serde_json::Value;

const VERSION: &str = env!("CARGO_PKG_VERSION");

const PAGES: [&str; 2] = ["docs/versioning.md", "docs/versioning_zh-CN.md"];

fn assert_pages_say(what: &str) {
    for page in PAGES {
        assert!(text(page).contains(what), "{page}: {what}");
    }
}

fn json(path: &str) -> Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn everything_has_one_version() {
    assert_eq!(json("adapters/package.json")["version"], VERSION);
    assert_eq!(json("adapters/package-lock.json")["version"], VERSION);
    // The starter, and what it makes.
    assert_eq!(json("adapters/create/package.json")["version"], VERSION);
    let made = json("adapters/create/template/package.json");
    let wanted = format!("^{VERSION}");
    assert_eq!(made["dependencies"]["function-fetch"], wanted);
    assert!(text("wit/world.wit").starts_with(&format!("package function-fetch:edge@{VERSION};")));
}

#[test]
fn the_oldest_versions_are_those_of_the_code() {
    assert_pages_say(&format!("Rust {} ", env!("CARGO_PKG_RUST_VERSION")));
    let node = json("adapters/package.json")["engines"]["node"].clone();
    let range = node.as_str().expect("a range").to_owned();
    let oldest: Vec<&str> = range
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter(|version| !version.is_empty())
        .collect();
    assert!(!oldest.is_empty(), "{range}");
    for version in oldest {
        assert_pages_say(&format!("{version} "));
    }
    // The list of the page about it, which `xtask` tests with.
    let tool = text("xtask/src/wasmtime_cli.rs");
    let safe = tool
        .split("const SAFE")
        .nth(1)
        .and_then(|rest| rest.split(';').nth(1));
    let numbers: Vec<&str> = safe
        .expect("the safe versions")
        .split("Version(")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    assert_eq!(numbers.len(), 4);
    for version in numbers {
        assert_pages_say(&version.replace(", ", "."));
    }
}

#[test]
fn the_format_of_the_record_is_the_one_that_is_promised() {
    let settings = Settings::read(Capabilities::default(), |name| {
        (name == "FETCH_TARGETS").then(|| "https://a.example".to_owned())
    });
    let record = Record::new(&settings, Timestamp(1.0), 0, vec![]);
    assert_pages_say(&format!("`\"v\":{}`", record.version));
}

#[test]
fn releases_have_a_binary_for_what_is_supported_and_none_for_windows() {
    let release = text(".github/workflows/release.yml");
    let targets: Vec<&str> = release
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- target: "))
        .collect();
    assert_eq!(
        targets,
        [
            "x86_64-unknown-linux-gnu",
            "aarch64-unknown-linux-gnu",
            "aarch64-apple-darwin",
            "x86_64-apple-darwin",
        ]
    );
    // The reasons that the page names: once they are gone, there can be one.
    for (file, reason) in [
        ("crates/host/src/compile_cache.rs", "std::os::unix"),
        (
            "crates/host/src/bin/function-fetch/command/serve.rs",
            "tokio::signal::unix",
        ),
    ] {
        assert!(text(file).contains(reason), "{file}");
        assert_pages_say(&format!("`{file}`"));
    }
}
