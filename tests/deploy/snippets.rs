//! The snippets of the documentation: each is read by a parser of what it is, and the settings, options, scripts and files
//! that it names are there. `cargo xtask` and the simulator parse the commands that are theirs in tests of their own, and
//! the adapters' tests compile TypeScript.

use crate::docs::{all_pages, chinese, is_chinese, name, pages};
use crate::{root, store, text};
use function_fetch_component::variables::{ALL, read_all, variable};
use function_fetch_engine::settings::NAMES;
use function_fetch_engine::{Capabilities, Settings};
use function_fetch_pages::{Code, Command, code, commands};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process;

/// The languages of snippets, each with a test here or elsewhere.
const LANGUAGES: [&str; 10] = [
    "bash",
    "console",
    "json",
    "jsonc",
    "rust",
    "text",
    "toml",
    "ts",
    "typescript",
    "yaml",
];

/// The programs of others, whose command lines are theirs to check.
const OTHERS: [&str; 18] = [
    "cd",
    "cp",
    "curl",
    "echo",
    "gh",
    "grep",
    "journalctl",
    "kubectl",
    "mkdir",
    "node",
    "rustup",
    "sed",
    "sha256sum",
    "spin",
    "sudo",
    "wac",
    "wash",
    "wasm-tools",
];

/// What a Spin manifest has besides the settings.
const ALLOWED_HOST: &str = "fetch_allowed_host";

/// Every block of code of the documentation, with its page.
fn blocks() -> Vec<(PathBuf, Code)> {
    let of_page = |page: PathBuf| {
        let blocks = code(&text(&page));
        blocks.into_iter().map(move |block| (page.clone(), block))
    };
    all_pages().into_iter().flat_map(of_page).collect()
}

fn of_language(language: &str) -> impl Iterator<Item = (PathBuf, Code)> {
    blocks()
        .into_iter()
        .filter(move |(_, code)| code.language == language)
}

/// Every command of the documentation, with its page and the block that it stands in.
fn typed() -> Vec<(PathBuf, Code, Command)> {
    let mut typed = Vec::new();
    for (page, block) in blocks() {
        let found = commands(&block).unwrap_or_else(|error| panic!("{}: {error}", name(&page)));
        typed.extend(
            found
                .into_iter()
                .map(|command| (page.clone(), block.clone(), command)),
        );
    }
    typed
}

#[test]
fn every_snippet_is_of_a_language_that_is_checked() {
    for (page, block) in blocks() {
        let is_known = LANGUAGES.contains(&block.language.as_str());
        // The form of a commit.
        let is_plain = page.ends_with("CONTRIBUTING.md") && block.language.is_empty();
        assert!(is_known || is_plain, "{}: {}", name(&page), block.text);
    }
}

#[test]
fn toml_is_a_runtime_configuration_or_of_a_spin_manifest() {
    let mut configurations = 0;
    for (page, block) in of_language("toml") {
        let table: toml::Table =
            toml::from_str(&block.text).unwrap_or_else(|error| panic!("{}: {error}", name(&page)));
        if let Some(components) = table.get("component").and_then(toml::Value::as_table) {
            for component in components.values() {
                assert_manifest_settings(&page, component);
            }
            continue;
        }
        let config = store::parse(&block.text);
        assert!(config.is_ok(), "{}: {config:?}", name(&page));
        configurations += 1;
    }
    assert!(configurations >= 6);
}

/// The settings of a component in a manifest, each a variable of its own or all in one.
fn assert_manifest_settings(page: &Path, component: &toml::Value) {
    let Some(variables) = component.get("variables").and_then(toml::Value::as_table) else {
        return;
    };
    for (given, value) in variables {
        let value = value.as_str().unwrap_or_default();
        let settings = if given == ALL {
            let read = read_all(value).into_iter();
            read.map(|(name, value)| (name.to_owned(), value)).collect()
        } else {
            let known = NAMES.iter().find(|known| variable(known) == *given);
            let known = known.unwrap_or_else(|| panic!("{}: {given} is no setting", name(page)));
            vec![((*known).to_owned(), value.to_owned())]
        };
        assert!(!settings.is_empty(), "{}: {given} sets nothing", name(page));
        assert_settings(page, &settings, "");
    }
}

#[test]
fn json_is_json_and_a_worker_has_settings_that_are_read() {
    let mut workers = 0;
    for (page, block) in of_language("json").chain(of_language("jsonc")) {
        let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&block.text)
            .into_iter()
            .collect();
        let values = values.unwrap_or_else(|error| panic!("{}: {error}", name(&page)));
        for value in values {
            let Some(settings) = value["vars"].as_object() else {
                continue;
            };
            workers += 1;
            let settings = settings.iter().map(|(name, value)| {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                (name.clone(), text)
            });
            assert_settings(&page, &settings.collect::<Vec<_>>(), "");
        }
    }
    assert!(workers >= 4);
}

#[test]
fn yaml_is_yaml() {
    for (page, block) in of_language("yaml") {
        let parsed = serde_yaml_ng::from_str::<serde_yaml_ng::Value>(&block.text);
        assert!(parsed.is_ok(), "{}: {parsed:?}", name(&page));
    }
}

#[test]
fn a_shell_reads_what_is_to_be_typed() {
    for (page, block) in of_language("bash") {
        let parsed = process::Command::new("bash")
            .args(["-n", "-c", &block.text])
            .output();
        let Ok(parsed) = parsed else {
            println!("skipped: bash is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&parsed.stderr);
        assert!(parsed.status.success(), "{}: {said}", name(&page));
    }
}

#[test]
fn the_commands_are_the_same_in_both_languages() {
    let of_page = |page: &Path| -> Vec<Command> {
        code(&text(page))
            .iter()
            .flat_map(|block| commands(block).expect("commands"))
            .collect()
    };
    for page in pages() {
        if !is_chinese(&page) {
            assert_eq!(of_page(&page), of_page(&chinese(&page)), "{}", name(&page));
        }
    }
}

/// The settings among the variables and arguments of a command, by their names in the engine's table. Those of a name
/// that looks like a setting's and is none are a failure.
fn settings(page: &Path, command: &Command) -> Vec<(String, String)> {
    let pairs = command.words.iter().filter_map(|word| word.split_once('='));
    let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut found = Vec::new();
    for (given, value) in owned.chain(command.environment.clone()) {
        let is_it = |known: &&&str| **known == given || variable(known) == given;
        if let Some(known) = NAMES.iter().find(is_it) {
            found.push(((*known).to_owned(), value));
        } else {
            let looks_so = given.starts_with("FETCH_") || given.starts_with("fetch_");
            assert!(
                !looks_so || given == ALLOWED_HOST,
                "{}: {given} is no setting",
                name(page)
            );
        }
    }
    found
}

/// The settings can be used as they are. A problem with them is one that `output` shows.
fn assert_settings(page: &Path, given: &[(String, String)], output: &str) {
    for (setting, _) in given {
        assert!(
            NAMES.contains(&setting.as_str()),
            "{}: {setting} is no setting",
            name(page)
        );
    }
    let settings = Settings::read(Capabilities::default(), |asked| {
        let (_, value) = given.iter().find(|(name, _)| name == asked)?;
        Some(value.clone())
    });
    for problem in settings.problems {
        assert!(
            output.contains(&problem.to_string()),
            "{}: {problem}",
            name(page)
        );
    }
    if given.iter().any(|(name, _)| name == "FETCH_TARGETS") {
        assert_eq!(settings.no_targets, None, "{}", name(page));
    }
}

#[test]
fn the_settings_that_are_to_be_typed_can_be_used() {
    let mut seen = 0;
    for (page, block, command) in typed() {
        let given = settings(&page, &command);
        seen += given.len();
        assert_settings(&page, &given, &block.text);
    }
    assert!(seen > 60, "{seen}");
}

/// The program that the tests use, where `cargo xtask test` has built or found it.
fn path_of(program: &str) -> Option<PathBuf> {
    let variable = match program {
        "function-fetch" => "FUNCTION_FETCH_BIN",
        _ => "WASMTIME",
    };
    std::env::var_os(variable).map(PathBuf::from)
}

#[test]
fn our_programs_have_the_options_that_are_to_be_typed() {
    const PROGRAMS: [&str; 2] = ["function-fetch", "wasmtime"];
    for program in PROGRAMS {
        assert_options_of(program);
    }
}

fn assert_options_of(program: &str) {
    let Some(path) = path_of(program) else {
        println!("skipped: {program} is not built");
        return;
    };
    let typed = function_fetch_pages::typed(&root(), &[program]).expect("commands");
    assert!(typed.len() >= 4, "{program}");
    for (page, command) in typed {
        let arguments = &command.words[1..];
        let mut parsed = process::Command::new(&path);
        parsed.args(arguments);
        // Options before it are parsed, and nothing is done.
        if arguments.first().is_none_or(|first| first != "help") {
            parsed.arg("--help");
        }
        let parsed = parsed.output().expect("it runs");
        let said = String::from_utf8_lossy(&parsed.stderr);
        assert!(
            parsed.status.success(),
            "{}: {}: {said}",
            name(&page),
            command.words.join(" ")
        );
    }
}

#[test]
fn the_scripts_and_packages_of_npm_are_there() {
    let package: Value = serde_json::from_str(&text("adapters/package.json")).expect("JSON");
    let has = |group: &str, name: &str| package[group].get(name).is_some();
    for (page, _, command) in typed() {
        let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
        match words[..] {
            ["npm" | "pnpm", "run", script, ..] => {
                assert!(has("scripts", script), "{}: {script}", name(&page));
            }
            ["npx", "function-fetch", ..] => assert!(has("bin", "function-fetch")),
            ["npx", tool, ..] => {
                assert!(has("devDependencies", tool), "{}: {tool}", name(&page));
            }
            _ => {}
        }
    }
}

#[test]
fn the_options_of_the_command_on_node_are_there() {
    let source = text("adapters/src/node/command.ts");
    for (page, _, command) in typed() {
        let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
        let ["npx", "function-fetch", arguments @ ..] = &words[..] else {
            continue;
        };
        for option in arguments.iter().filter_map(|word| word.strip_prefix("--")) {
            let is_there = [
                format!("\"{option}\""),
                format!("{option}:"),
                format!("--{option}"),
            ]
            .iter()
            .any(|form| source.contains(form));
            assert!(is_there, "{}: --{option}", name(&page));
        }
    }
}

#[test]
fn what_check_prints_is_what_the_pages_show() {
    let Some(path) = path_of("function-fetch") else {
        println!("skipped: function-fetch is not built");
        return;
    };
    let mut seen = 0;
    for (page, block) in of_language("console") {
        // Each begins with what was typed, and an empty line ends what was printed.
        for part in format!("\n{}", block.text).split("\n$ ").skip(1) {
            let language = block.language.clone();
            let text = format!("$ {part}");
            let typed = commands(&Code { language, text }).expect("commands");
            let [command] = &typed[..] else { continue };
            let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
            let ["function-fetch", "check", options @ ..] = &words[..] else {
                continue;
            };
            let printed = process::Command::new(&path)
                .arg("check")
                .args(options)
                .env_clear()
                .envs(command.environment.clone())
                .output()
                .expect("it runs");
            let shown: Vec<&str> = part
                .lines()
                .skip(1)
                .take_while(|line| !line.is_empty())
                .collect();
            let printed = String::from_utf8_lossy(&printed.stdout);
            assert_eq!(
                printed.lines().collect::<Vec<_>>(),
                shown,
                "{}",
                name(&page)
            );
            seen += 1;
        }
    }
    assert!(seen >= 2, "{seen}");
}

/// The folders of the repository that a command may name, with or without what is in them.
const FOLDERS: [&str; 7] = [
    "adapters", "crates", "deploy", "docs", "src", "tests", "wit",
];

#[test]
fn the_files_of_the_repository_that_are_to_be_typed_are_there() {
    for (page, block, command) in typed() {
        for word in &command.words {
            let first = word.split('/').next().unwrap_or_default();
            let is_ours = word.contains('/') && FOLDERS.contains(&first);
            // In a folder that the reader has made, or in the adapters' own.
            let is_made = block.text.contains("mkdir src") || block.text.contains("> src/");
            let exists = ["", "adapters"]
                .iter()
                .any(|folder| root().join(folder).join(word).exists());
            assert!(
                !is_ours || is_made || exists,
                "{}: {word} is not there",
                name(&page)
            );
        }
    }
}

#[test]
fn every_program_that_is_to_be_typed_is_known() {
    // Each of which a test looks into; and a line that only sets variables.
    const OURS: [&str; 6] = ["", "cargo", "function-fetch", "npm", "npx", "wasmtime"];
    let unknown: BTreeSet<String> = typed()
        .into_iter()
        .map(|(_, _, command)| command.program().to_owned())
        .filter(|program| !OURS.iter().chain(&OTHERS).any(|known| known == program))
        .collect();
    assert!(unknown.is_empty(), "no test knows {unknown:?}");
}

#[test]
fn the_rust_of_a_page_is_that_of_the_crates_own_documentation() {
    // Which rustdoc compiles.
    let crate_doc: String = text("crates/host/src/lib.rs")
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .filter(|line| !line.starts_with("# "))
        .map(|line| format!("{line}\n"))
        .collect();
    let compiled: Vec<String> = code(&crate_doc).into_iter().map(|code| code.text).collect();
    let mut seen = 0;
    for (page, block) in of_language("rust") {
        let own = |compiled: &String| compiled.trim() == block.text.trim();
        assert!(compiled.iter().any(own), "{}: {compiled:#?}", name(&page));
        seen += 1;
    }
    assert!(seen >= 2);
}
