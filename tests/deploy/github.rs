//! `.github`: workflows that a contributor could run, with pinned actions and few rights; updates of every lockfile; forms
//! that GitHub can show. `cargo xtask lint` has actionlint check the workflows' language.

use crate::{root, text};
use function_fetch_engine::settings::NAMES;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The programs that steps may start. Everything that builds or tests is `cargo xtask` or `.ci/run`.
const COMMANDS: [&str; 8] = [
    "cargo xtask ",
    ".ci/run",
    "cargo install --locked cargo-deny",
    "rustup target add ",
    "rustup toolchain install ",
    // These need the rights of the workflow.
    "gh release create ",
    "npm pkg set ",
    "npm publish ",
];

fn yaml<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_yaml_ng::from_str(&text(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn workflows() -> Vec<(String, Value, String)> {
    let folder = root().join(".github/workflows");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .expect("workflows")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), yaml(&path), text(&path))
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let names: Vec<_> = all.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["ci.yml", "nightly.yml", "release.yml", "site.yml"]);
    all
}

fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().expect("jobs").iter()
}

fn steps(job: &Value) -> impl Iterator<Item = &Value> {
    job["steps"].as_array().expect("steps").iter()
}

#[test]
fn nothing_is_run_that_a_contributor_could_not_run() {
    for (file, workflow, _) in workflows() {
        for (name, job) in jobs(&workflow) {
            for command in steps(job).filter_map(|step| step["run"].as_str()) {
                let known = COMMANDS.iter().any(|known| command.starts_with(known));
                assert!(known, "{file}: {name}: {command}");
                assert!(!command.contains('\n'), "{file}: {name}: {command}");
                // What an event contains would become part of the command.
                assert!(!command.contains("${{"), "{file}: {name}: {command}");
            }
        }
    }
}

#[test]
fn every_action_is_pinned_to_a_commit_and_says_which_version_that_is() {
    let mut commits = BTreeMap::new();
    for (file, _, text) in workflows() {
        for line in text.lines() {
            let Some((_, action)) = line.split_once("uses: ") else {
                continue;
            };
            let (action, version) = action
                .split_once(" # ")
                .unwrap_or_else(|| panic!("{file}: {action}: no version"));
            let (name, commit) = action.split_once('@').expect("a commit");
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_commit, "{file}: {action}");
            assert!(version.starts_with('v'), "{file}: {action}: {version}");
            // GitHub's own: nobody else's code gets a token.
            assert!(name.starts_with("actions/"), "{file}: {name}");
            let before = commits.insert(name.to_owned(), (commit.to_owned(), version.to_owned()));
            if let Some(before) = before {
                assert_eq!(before, commits[name], "{file}: {name} in one version");
            }
        }
    }
    assert!(commits.len() > 4, "{commits:?}");
}

#[test]
fn no_job_has_more_rights_than_it_needs() {
    let mut writing = vec![];
    for (file, workflow, _) in workflows() {
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{file}");
        for (name, job) in jobs(&workflow) {
            assert!(job["timeout-minutes"].is_u64(), "{file}: {name}");
            let rights = job["permissions"].as_object().expect("permissions");
            let writes = rights
                .iter()
                .filter(|(_, right)| *right == "write")
                .map(|(right, _)| right.as_str());
            let writes: BTreeSet<_> = writes.collect();
            if !writes.is_empty() {
                let condition = job["if"].as_str().unwrap_or_default();
                if file == "site.yml" {
                    assert_eq!(job["environment"]["name"], "github-pages");
                    let published = condition.starts_with("github.ref == 'refs/heads/main' && ");
                    assert!(published, "{name}: nothing else is published");
                } else {
                    assert_eq!(
                        job["environment"], "release",
                        "{file}: {name}: it is approved"
                    );
                    let follows = job["needs"] == "publish";
                    assert!(
                        follows || condition == "github.event_name == 'push'",
                        "{file}: {name}: only for a tag"
                    );
                }
                writing.push(format!(
                    "{file} {name}: {}",
                    writes.into_iter().collect::<Vec<_>>().join(" ")
                ));
            }
            for checkout in steps(job).filter(|step| uses(step, "actions/checkout")) {
                assert_eq!(
                    checkout["with"]["persist-credentials"], false,
                    "{file}: {name}"
                );
            }
            let restores = steps(job)
                .any(|step| uses(step, "actions/cache") || step["with"]["cache"].is_string());
            assert!(!restores || file == "ci.yml", "{file}: {name}: no cache");
        }
    }
    assert_eq!(
        writing,
        [
            "release.yml npm: id-token",
            "release.yml oci: packages",
            "release.yml publish: attestations contents id-token",
            "site.yml publish: id-token pages",
        ]
    );
}

fn uses(step: &Value, action: &str) -> bool {
    step["uses"]
        .as_str()
        .is_some_and(|uses| uses.starts_with(action))
}

#[test]
fn releases_take_their_files_from_where_they_are_made() {
    let made = text("xtask/src/dist/mod.rs");
    let folder = made
        .split_once("FOLDER: &str = \"")
        .and_then(|(_, rest)| rest.split('"').next())
        .expect("the folder");
    let (_, release, _) = &workflows()[2];
    let mut seen = 0;
    for (name, job) in jobs(release) {
        for step in steps(job).filter(|step| step["with"]["path"].is_string()) {
            // The package for npm is published by a job without the repository.
            let wanted = match name.as_str() {
                "npm" => "dist".to_owned(),
                _ => format!("target/{folder}"),
            };
            assert_eq!(step["with"]["path"], wanted, "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 5);
}

#[test]
fn the_site_is_published_from_where_it_is_made() {
    let made = text("xtask/src/site/mod.rs");
    assert!(made.contains("workspace.target.join(\"site\")"));
    let (_, site, _) = &workflows()[3];
    let paths: Vec<_> = steps(&site["jobs"]["build"])
        .filter(|step| uses(step, "actions/upload-pages-artifact"))
        .map(|step| &step["with"]["path"])
        .collect();
    assert_eq!(paths, ["target/site"]);
}

#[test]
fn the_oldest_rust_that_is_tested_is_the_one_that_the_manifests_name() {
    let (_, ci, _) = &workflows()[0];
    let tested = &ci["jobs"]["oldest-rust"]["env"]["RUSTUP_TOOLCHAIN"];
    assert_eq!(tested, env!("CARGO_PKG_RUST_VERSION"));
}

#[test]
fn every_fuzz_target_is_run() {
    let (_, nightly, _) = &workflows()[1];
    let run = &nightly["jobs"]["fuzz"]["strategy"]["matrix"]["target"];
    let mut there: Vec<_> = std::fs::read_dir(root().join("fuzz/fuzz_targets"))
        .expect("fuzz targets")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    there.sort();
    let mut run: Vec<_> = run.as_array().expect("targets").iter().collect();
    run.sort_by_key(|target| target.as_str());
    assert_eq!(run, there.iter().collect::<Vec<_>>());
}

#[test]
fn nothing_names_a_repository() {
    // Whoever hosts it: what is in `.github` says `github.repository`.
    for (file, _, text) in workflows() {
        for address in ["github.com", "githubusercontent"] {
            assert!(!text.contains(address), "{file}: {address}");
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dependabot {
    version: u8,
    updates: Vec<Update>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Update {
    package_ecosystem: String,
    directory: Option<String>,
    #[serde(default)]
    directories: Vec<String>,
    schedule: BTreeMap<String, String>,
    cooldown: BTreeMap<String, u32>,
    commit_message: BTreeMap<String, String>,
    groups: BTreeMap<String, Value>,
}

#[test]
fn every_lockfile_is_kept_up_to_date_in_groups() {
    let dependabot: Dependabot = yaml(&root().join(".github/dependabot.yml"));
    assert_eq!(dependabot.version, 2);
    let mut looked_after = BTreeSet::new();
    for update in dependabot.updates {
        assert!(update.schedule.contains_key("interval"));
        // A release that turns out to be malicious is mostly found within days.
        assert!(update.cooldown["default-days"] >= 7);
        assert!(update.commit_message.contains_key("prefix"));
        assert!(!update.groups.is_empty(), "{}", update.package_ecosystem);
        for folder in update.directory.iter().chain(&update.directories) {
            looked_after.insert((update.package_ecosystem.clone(), folder.clone()));
        }
    }
    let is_there = [
        ("cargo", "/", "Cargo.lock"),
        ("cargo", "/fuzz", "Cargo.lock"),
        ("npm", "/adapters", "package-lock.json"),
        ("pip", "/tests/transparency", "requirements.txt"),
        ("github-actions", "/", ".github/workflows/ci.yml"),
    ];
    for (_, folder, file) in is_there {
        let path = root().join(folder.trim_start_matches('/')).join(file);
        assert!(path.is_file(), "{}", path.display());
    }
    let wanted = is_there.map(|(kind, folder, _)| (kind.to_owned(), folder.to_owned()));
    assert_eq!(looked_after, BTreeSet::from(wanted));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    name: String,
    description: String,
    labels: Vec<String>,
    body: Vec<Element>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "type", rename_all = "lowercase")]
enum Element {
    Markdown { attributes: Value },
    Textarea(Field),
    Input(Field),
    Dropdown(Field),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    id: String,
    attributes: Attributes,
    #[serde(default)]
    validations: BTreeMap<String, bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attributes {
    label: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    options: Vec<String>,
    #[expect(dead_code, reason = "it exists")]
    placeholder: Option<String>,
    #[expect(dead_code, reason = "it exists")]
    render: Option<String>,
}

#[test]
fn the_forms_ask_for_what_exists() {
    let folder = root().join(".github/ISSUE_TEMPLATE");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("forms") {
        let path = entry.expect("an entry").path();
        if path.ends_with("config.yml") {
            continue;
        }
        count += 1;
        let shown = path.display();
        let form: Form = yaml(&path);
        assert!(
            !form.name.is_empty() && !form.description.is_empty(),
            "{shown}"
        );
        // A label that a new repository does not have is silently left out.
        for label in &form.labels {
            assert!(["bug", "enhancement"].contains(&label.as_str()), "{shown}");
        }
        let mut ids = BTreeSet::new();
        let mut required = false;
        for element in form.body {
            let field = match element {
                Element::Markdown { attributes } => {
                    assert!(attributes["value"].is_string(), "{shown}");
                    continue;
                }
                Element::Dropdown(field) => {
                    assert!(field.attributes.options.len() > 1, "{shown}");
                    field
                }
                Element::Textarea(field) | Element::Input(field) => field,
            };
            assert!(!field.attributes.label.is_empty(), "{shown}");
            required |= field.validations.get("required") == Some(&true);
            assert!(ids.insert(field.id), "{shown}: an id twice");
            let words = field
                .attributes
                .description
                .split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
            for setting in words.filter(|word| word.starts_with("FETCH_") && word.len() > 6) {
                assert!(NAMES.contains(&setting), "{shown}: {setting}");
            }
        }
        assert!(required, "{shown}: an empty report can be sent");
    }
    assert_eq!(count, 3);
}
