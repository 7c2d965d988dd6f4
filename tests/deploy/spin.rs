//! Spin manifests: the root's, Fermyon Cloud's, Akamai Functions'. No registry has Spin's types,
//! so these are strict ones for the parts that are used, after
//! <https://spinframework.dev/manifest-reference>.

use crate::{COMPONENTS, folder_of, root, text};
use function_fetch_component::variables::{ALL, variable};
use function_fetch_engine::settings::NAMES;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    spin_manifest_version: u32,
    application: Application,
    variables: BTreeMap<String, Variable>,
    trigger: Triggers,
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    name: String,
    version: String,
    description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    default: String,
    #[serde(default)]
    secret: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    http: Vec<HttpTrigger>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTrigger {
    route: String,
    component: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    source: String,
    allowed_outbound_hosts: Vec<String>,
    key_value_stores: Vec<String>,
    variables: BTreeMap<String, String>,
    build: Build,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    command: String,
    #[serde(default)]
    workdir: String,
    #[serde(default)]
    watch: Vec<String>,
}

const MANIFESTS: [&str; 3] = [
    "spin.toml",
    "deploy/fermyon-cloud/spin.toml",
    "deploy/akamai-functions/spin.toml",
];

fn read(path: &str) -> Manifest {
    toml::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn each(check: impl Fn(&str, &Manifest, &Component)) {
    for path in MANIFESTS {
        let manifest = read(path);
        let component = &manifest.component["function-fetch"];
        check(path, &manifest, component);
    }
}

#[test]
fn each_names_its_schema_and_the_workspaces_version() {
    each(|path, manifest, _| {
        let first = text(path).lines().next().map(str::to_owned);
        assert_eq!(
            first.as_deref(),
            Some("#:schema https://schemas.spinframework.dev/spin/manifest-v2/latest.json"),
            "{path}"
        );
        assert_eq!(manifest.spin_manifest_version, 2);
        assert_eq!(manifest.application.name, "function-fetch");
        assert_eq!(manifest.application.version, env!("CARGO_PKG_VERSION"));
        assert!(!manifest.application.description.is_empty());
    });
}

#[test]
fn every_setting_is_a_variable_and_nothing_else_is() {
    let wanted: Vec<String> = NAMES
        .iter()
        // Of another platform.
        .filter(|name| **name != "ESA_KV_NAMESPACE")
        .map(|name| variable(name))
        .collect();
    each(|path, manifest, component| {
        for name in &wanted {
            let variable = manifest
                .variables
                .get(name)
                .unwrap_or_else(|| panic!("{path}: no {name}"));
            // Empty counts as not set, so that the default in the code applies.
            assert_eq!(variable.default, "", "{path}: {name}");
            assert_eq!(variable.secret, name.ends_with("token"), "{path}: {name}");
        }
        assert_eq!(manifest.variables.len(), wanted.len() + 1, "{path}");
        // The component reads one variable, which holds all of them.
        let lines = wanted
            .iter()
            .map(|name| format!("{name}={{{{ {name} }}}}\n"));
        assert_eq!(
            component.variables[ALL],
            lines.collect::<String>(),
            "{path}"
        );
        assert_eq!(component.variables.len(), 1, "{path}");
    });
}

/// Spin's rule for identifiers, whose words are joined by `joint`: an application that breaks it
/// does not start.
fn is_identifier(name: &str, joint: char) -> bool {
    name.split(joint).all(|word| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    })
}

#[test]
fn every_identifier_is_valid_on_spin() {
    each(|path, manifest, component| {
        let variables = manifest.variables.keys().chain(component.variables.keys());
        for name in variables {
            assert!(is_identifier(name, '_'), "{path}: variable {name}");
        }
        let components = manifest.component.keys();
        for name in components.chain([&manifest.application.name]) {
            assert!(is_identifier(name, '-'), "{path}: {name}");
        }
        for store in &component.key_value_stores {
            assert!(is_identifier(store, '-'), "{path}: store {store}");
        }
    });
    assert!(!is_identifier("fetch_retry_on_5xx", '_'));
}

#[test]
fn locking_it_down_is_one_variable() {
    each(|path, manifest, component| {
        assert_eq!(
            component.allowed_outbound_hosts,
            ["{{ fetch_allowed_host }}"]
        );
        assert_eq!(
            manifest.variables["fetch_allowed_host"].default, "*://*:*",
            "{path}"
        );
    });
}

#[test]
fn every_path_goes_to_the_component_and_the_store_is_there() {
    each(|path, manifest, component| {
        let [trigger] = &manifest.trigger.http[..] else {
            panic!("{path}: one trigger");
        };
        assert_eq!(trigger.route, "/...");
        assert_eq!(trigger.component, "function-fetch");
        // The default of FETCH_CACHE_KV_BINDING on Spin.
        assert_eq!(component.key_value_stores, ["default"], "{path}");
    });
}

#[test]
fn the_source_is_what_the_build_makes() {
    each(|path, _, component| {
        let folder = folder_of(path);
        let workdir = folder.join(&component.build.workdir);
        assert_eq!(
            workdir.canonicalize().unwrap(),
            root().canonicalize().unwrap(),
            "{path}: builds at the root"
        );
        let source = &component.source;
        if path == "spin.toml" {
            assert_eq!(source, "target/wasm32-wasip2/component/function_fetch.wasm");
            for part in ["-p function-fetch", "--profile component", "wasm32-wasip2"] {
                assert!(component.build.command.contains(part), "{path}: {part}");
            }
            for pattern in &component.build.watch {
                let start = pattern.split('*').next().unwrap_or_default();
                assert!(root().join(start).exists(), "{path}: watches {pattern}");
            }
        } else {
            let name = source
                .strip_prefix("../../target/components/")
                .unwrap_or_else(|| panic!("{path}: {source}"));
            assert!(COMPONENTS.contains(&name), "{path}: {source}");
            assert_eq!(component.build.command, "cargo xtask build");
        }
    });
}
