//! Spin's templates in `templates/`, made into applications as `spin new` and `spin add` do.

use crate::liquid::Renderer;
use crate::spin::{Manifest, Route, Source, read};
use crate::{COMPONENTS, hosts, root, text};
use regex::Regex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A `spin-template.toml`, after Spin's own reader of it, as far as it is used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    manifest_version: String,
    id: String,
    description: String,
    tags: Vec<String>,
    add_component: Option<Variant>,
    parameters: BTreeMap<String, Parameter>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    skip_files: Vec<String>,
    skip_parameters: Vec<String>,
    snippets: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameter {
    #[serde(rename = "type")]
    kind: String,
    prompt: String,
    default: Option<String>,
    pattern: String,
}

impl Parameter {
    fn accepts(&self, value: &str) -> bool {
        Regex::new(&self.pattern)
            .expect("a pattern")
            .is_match(value)
    }
}

struct Template {
    folder: PathBuf,
    metadata: Metadata,
}

const TEMPLATES: [&str; 2] = ["function-fetch", "function-fetch-app"];

/// What a user answers where a template has no default, and to whatever else a test asks.
type Answers<'a> = &'a [(&'a str, &'a str)];

const TARGETS: Answers = &[(
    "targets",
    "https://us.example.com, https://eu.example.com/base",
)];

impl Template {
    fn of(id: &str) -> Self {
        let folder = root().join("templates").join(id);
        let metadata = text(folder.join("metadata/spin-template.toml"));
        let metadata: Metadata =
            toml::from_str(&metadata).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(metadata.id, id, "the folder has its name");
        Self { folder, metadata }
    }

    /// Every parameter's value, as Spin finds it, and what it adds itself.
    fn values(&self, name: &str, answers: Answers, skipped: &[String]) -> Vec<(String, String)> {
        let mut values = vec![
            ("project-name".to_owned(), name.to_owned()),
            (
                "authors".to_owned(),
                "Someone <someone@example.com>".to_owned(),
            ),
        ];
        for (id, parameter) in &self.metadata.parameters {
            if skipped.contains(id) {
                continue;
            }
            let answer = answers.iter().find(|(asked, _)| asked == id);
            let value = match (answer, &parameter.default) {
                (Some((_, value)), _) => (*value).to_owned(),
                (None, Some(default)) => default.clone(),
                (None, None) => panic!("{}: nobody answers {id}", self.metadata.id),
            };
            assert!(parameter.accepts(&value), "{id} refuses {value:?}");
            values.push((id.clone(), value));
        }
        values
    }

    fn renderer(&self, values: &[(String, String)]) -> Renderer {
        let folder = self.folder.join("metadata/partials");
        let partials = match folder.is_dir() {
            true => files(&folder),
            false => vec![],
        };
        Renderer::new(partials, values)
    }

    /// `spin new -t ID NAME`: the files by their paths.
    fn new_application(&self, name: &str, answers: Answers) -> BTreeMap<String, String> {
        let renderer = self.renderer(&self.values(name, answers, &[]));
        files(&self.folder.join("content"))
            .into_iter()
            .map(|(path, text)| {
                let text = renderer.render(&path, &text);
                (path.trim_end_matches(".tmpl").to_owned(), text)
            })
            .collect()
    }

    /// `spin add -t ID NAME`: what the manifest becomes.
    fn add_component(&self, name: &str, answers: Answers, manifest: &str) -> String {
        let variant = self
            .metadata
            .add_component
            .as_ref()
            .expect("it can be added");
        let renderer = self.renderer(&self.values(name, answers, &variant.skip_parameters));
        let snippet = |id: &str| {
            let file = &variant.snippets[id];
            let path = self.folder.join("metadata/snippets").join(file);
            renderer.render(file, &text(path))
        };
        assert!(
            variant
                .snippets
                .keys()
                .all(|id| id == "component" || id == "variables"),
            "snippets that Spin knows"
        );
        // Spin appends the one, and merges the other into the table.
        let with_component = format!("{}\n\n{}", manifest.trim_end(), snippet("component"));
        let mut manifest: toml::Table = toml::from_str(&with_component).expect("TOML");
        let variables: toml::Table = toml::from_str(&snippet("variables")).expect("TOML");
        manifest
            .entry("variables")
            .or_insert_with(|| toml::Table::new().into())
            .as_table_mut()
            .expect("a table")
            .extend(variables);
        toml::to_string(&manifest).expect("TOML")
    }
}

/// The files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<(String, String)> {
    fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(root, &path, found);
            } else {
                let name = path.strip_prefix(root).expect("it is below");
                found.push((name.to_string_lossy().replace('\\', "/"), text(&path)));
            }
        }
    }
    let mut found = vec![];
    collect(folder, folder, &mut found);
    found
}

/// An application without Function Fetch, and with a variable of its own.
const APPLICATION: &str = r#"
spin_manifest_version = 2

[application]
name = "shop"
version = "1.2.3"
description = "A shop"

[variables]
fetch_status_path = { default = "/before" }

[[trigger.http]]
route = "/shop"
component = "shop"

[component.shop]
source = "shop.wasm"
allowed_outbound_hosts = []
"#;

/// A manifest that a template has made.
pub struct Made {
    pub label: String,
    pub text: String,
    /// The component in it that is Function Fetch.
    pub component: String,
}

/// All that they make with their defaults.
pub fn made() -> Vec<Made> {
    let proxy = Template::of("function-fetch");
    let app = Template::of("function-fetch-app");
    let made = |label: &str, text: String, component: &str| Made {
        label: label.to_owned(),
        text,
        component: component.to_owned(),
    };
    vec![
        made(
            "spin new -t function-fetch",
            proxy.new_application("My Proxy", TARGETS)["spin.toml"].clone(),
            "my-proxy",
        ),
        made(
            "spin add -t function-fetch",
            proxy.add_component("front", TARGETS, APPLICATION),
            "front",
        ),
        made(
            "spin new -t function-fetch-app",
            app.new_application("shop", &[])["spin.toml"].clone(),
            "shop-proxy",
        ),
    ]
}

fn manifest_of(files: &BTreeMap<String, String>) -> Manifest {
    read("spin.toml", &files["spin.toml"])
}

#[test]
fn spin_finds_each_and_can_ask_for_its_parameters() {
    let mut found: Vec<String> = std::fs::read_dir(root().join("templates"))
        .expect("templates")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    found.sort();
    assert_eq!(found, TEMPLATES);
    for id in TEMPLATES {
        let Metadata {
            manifest_version,
            description,
            tags,
            parameters,
            ..
        } = Template::of(id).metadata;
        assert_eq!(manifest_version, "1");
        assert!(!description.is_empty() && !tags.is_empty(), "{id}");
        for (name, parameter) in &parameters {
            assert_eq!(parameter.kind, "string", "{id}: {name}");
            assert!(!parameter.prompt.is_empty(), "{id}: {name}");
            // A default that its own pattern refused could not be accepted.
            if let Some(default) = &parameter.default {
                assert!(parameter.accepts(default), "{id}: {name}");
            }
        }
    }
}

#[test]
fn a_value_that_would_break_the_manifest_is_refused() {
    let (proxy, app) = (
        Template::of("function-fetch").metadata.parameters,
        Template::of("function-fetch-app").metadata.parameters,
    );
    for parameters in [&proxy, &app] {
        for (id, parameter) in parameters {
            for value in [
                "a\"b",
                "https://a\\b",
                "https://a\nb",
                "/a\"",
                "/\\n",
                "/a\n/b",
            ] {
                assert!(!parameter.accepts(value), "{id}: {value:?}");
            }
        }
        assert!(!parameters["component-digest"].accepts("sha256:0123"));
    }
    for (targets, good) in [
        ("https://a.example", true),
        (
            "http://a.example:8080/base https://b.example, https://c.example",
            true,
        ),
        ("", false),
        ("a.example", false),
        ("https://a.example b.example", false),
        ("https://a.example' https://b.example", false),
    ] {
        assert_eq!(proxy["targets"].accepts(targets), good, "{targets:?}");
    }
    assert!(app["elsewhere"].accepts(""));
    assert!(!app["elsewhere"].accepts("a.example"));
}

#[test]
fn a_proxy_has_the_targets_and_the_component_that_were_asked_for() {
    let template = Template::of("function-fetch");
    let files = template.new_application("My Proxy", TARGETS);
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        [".gitignore", "README.md", "spin.toml"]
    );
    let manifest = manifest_of(&files);
    assert_eq!(
        hosts(&manifest.variables["fetch_targets"].default),
        ["us.example.com", "eu.example.com"]
    );
    let Source::File(file) = &manifest.component["my-proxy"].source else {
        panic!("a file by default");
    };
    assert!(COMPONENTS.contains(&file.as_str()), "{file}");
    assert!(files["README.md"].contains(&format!("`{file}`")));

    let digest = format!("sha256:{}", "0".repeat(64));
    let url = "https://example.com/v1/function-fetch-spin.wasm";
    let answers = [
        TARGETS,
        &[("component", url), ("component-digest", &digest)],
    ]
    .concat();
    let files = template.new_application("My Proxy", &answers);
    assert_eq!(
        manifest_of(&files).component["my-proxy"].source,
        Source::Url {
            url: url.to_owned(),
            digest
        }
    );
    // Spin fetches it: there is nothing to put anywhere.
    assert!(!files["README.md"].contains("Put the component"));
}

#[test]
fn what_is_added_to_an_application_leaves_the_rest_alone() {
    let template = Template::of("function-fetch");
    let manifest = template.add_component("front", TARGETS, APPLICATION);
    let manifest = read("added", &manifest);
    assert_eq!(
        manifest.component.keys().collect::<Vec<_>>(),
        ["front", "shop"]
    );
    let shop = &manifest.trigger.http[0];
    assert_eq!(shop.component, "shop");
    assert_eq!(shop.route, Route::Path("/shop".to_owned()));
    // No file of the new component replaces one of the application's.
    let skipped = template
        .metadata
        .add_component
        .expect("a variant")
        .skip_files;
    for (file, _) in files(&template.folder.join("content")) {
        assert!(skipped.contains(&file), "{file}");
    }
}

#[test]
fn the_component_behind_the_proxy_is_private_and_a_target() {
    let template = Template::of("function-fetch-app");
    let files = template.new_application("shop", &[("elsewhere", "https://eu.example.com")]);
    let manifest = manifest_of(&files);
    let proxy = &manifest.component["shop-proxy"];
    // Spin does not chain to a name that stands in a variable, nor by `*://*:*`.
    assert_eq!(proxy.allowed_outbound_hosts[0], "http://shop.spin.internal");
    let targets = &manifest.variables["fetch_targets"].default;
    assert_eq!(hosts(targets), ["shop.spin.internal", "eu.example.com"]);
    for trigger in &manifest.trigger.http {
        let wanted = match trigger.component.as_str() {
            "shop" => Route::Private { private: true },
            _ => Route::Path("/...".to_owned()),
        };
        assert_eq!(trigger.route, wanted);
    }
    // The other way round: the component serves once all servers have failed.
    let fallback = files["README.md"]
        .split("fetch_targets='")
        .nth(1)
        .and_then(|rest| rest.split('\'').next())
        .expect("the command");
    assert_eq!(hosts(fallback), ["us.example.com", "shop.spin.internal"]);
}

#[derive(Deserialize)]
struct Cargo {
    package: Package,
    dependencies: toml::Table,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

#[test]
fn the_component_behind_the_proxy_is_the_one_that_is_tested_here() {
    let files = Template::of("function-fetch-app").new_application("shop", &[]);
    let made: Cargo = toml::from_str(&files["app/Cargo.toml"]).expect("a manifest of cargo");
    let component = &manifest_of(&files).component["shop"];
    let build = component.build.as_ref().expect("a build");
    assert_eq!(build.workdir, "app");
    assert_eq!(
        build.command,
        "cargo build --target wasm32-wasip2 --release"
    );
    assert_eq!(
        component.source,
        Source::File(format!(
            "app/target/wasm32-wasip2/release/{}.wasm",
            made.package.name
        ))
    );
    // It is a package of the workspace, too, which compiles the same file with the same dependencies.
    let ours: Cargo = toml::from_str(&text("tests/spin-app/Cargo.toml")).expect("a manifest");
    assert_eq!(made.dependencies, ours.dependencies);
    assert_eq!(
        files["app/src/lib.rs"],
        text("templates/function-fetch-app/content/app/src/lib.rs"),
        "nothing in it is replaced"
    );
}
