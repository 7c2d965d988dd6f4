//! Spin manifests: the root's, Fermyon Cloud's, Akamai Functions', and those that `spin new` and `spin add` make of the
//! templates. No registry has Spin's types, so these are strict ones for the parts that are used, after
//! <https://spinframework.dev/manifest-reference>.

use crate::{COMPONENTS, folder_of, hosts, root, templates, text};
use function_fetch_component::variables::{ALL, variable};
use function_fetch_engine::settings::NAMES;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    spin_manifest_version: u32,
    application: Application,
    pub variables: BTreeMap<String, Variable>,
    pub trigger: Triggers,
    pub component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    name: String,
    version: String,
    #[serde(default)]
    #[expect(dead_code, reason = "a template has it")]
    authors: Vec<String>,
    description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    pub default: String,
    #[serde(default)]
    secret: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    pub http: Vec<HttpTrigger>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    pub route: Route,
    pub component: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, untagged)]
pub enum Route {
    Path(String),
    /// For other components alone.
    Private {
        private: bool,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    pub source: Source,
    pub allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub key_value_stores: Vec<String>,
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    pub build: Option<Build>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, untagged)]
pub enum Source {
    File(String),
    Url { url: String, digest: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub command: String,
    #[serde(default)]
    pub workdir: String,
    #[serde(default)]
    pub watch: Vec<String>,
}

const MANIFESTS: [&str; 3] = [
    "spin.toml",
    "deploy/fermyon-cloud/spin.toml",
    "deploy/akamai-functions/spin.toml",
];

pub fn read(path: &str, text: &str) -> Manifest {
    toml::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}\n{text}"))
}

/// The manifests of the repository.
fn each_of_ours(check: impl Fn(&str, &Manifest, &Component)) {
    for path in MANIFESTS {
        let manifest = read(path, &text(path));
        let component = &manifest.component["function-fetch"];
        check(path, &manifest, component);
    }
}

/// Those, and what the templates make.
fn each(check: impl Fn(&str, &Manifest, &Component)) {
    each_of_ours(&check);
    for made in templates::made() {
        let manifest = read(&made.label, &made.text);
        let component = &manifest.component[&made.component];
        check(&made.label, &manifest, component);
    }
}

#[test]
fn each_names_its_schema_and_the_workspaces_version() {
    each_of_ours(|path, manifest, _| {
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
            // Empty counts as not set, so that the default in the code applies. A template has asked for two.
            match name.as_str() {
                "fetch_targets" if !MANIFESTS.contains(&path) => {
                    assert!(!hosts(&variable.default).is_empty(), "{path}");
                }
                "fetch_health_path" if !MANIFESTS.contains(&path) => {
                    assert_eq!(variable.default, "/", "{path}");
                }
                _ => assert_eq!(variable.default, "", "{path}: {name}"),
            }
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
        assert!(component.variables.contains_key(ALL), "{path}");
        for store in &component.key_value_stores {
            assert!(is_identifier(store, '-'), "{path}: store {store}");
        }
    });
    assert!(!is_identifier("fetch_retry_on_5xx", '_'));
}

#[test]
fn locking_it_down_is_one_variable() {
    each(|path, manifest, component| {
        // Beside the components of the same application, which are named.
        let outside: Vec<_> = component
            .allowed_outbound_hosts
            .iter()
            .filter(|host| !host.ends_with(".spin.internal"))
            .collect();
        assert_eq!(outside, ["{{ fetch_allowed_host }}"], "{path}");
        assert_eq!(
            manifest.variables["fetch_allowed_host"].default, "*://*:*",
            "{path}"
        );
    });
}

#[test]
fn every_path_goes_to_the_component_and_the_store_is_there() {
    each(|path, manifest, component| {
        let mut triggers = manifest.trigger.http.iter();
        let ours = triggers
            .find(|trigger| std::ptr::eq(&manifest.component[&trigger.component], component));
        let route = &ours.unwrap_or_else(|| panic!("{path}: no trigger")).route;
        assert_eq!(*route, Route::Path("/...".to_owned()), "{path}");
        // The default of FETCH_CACHE_KV_BINDING on Spin.
        assert_eq!(component.key_value_stores, ["default"], "{path}");
    });
}

#[test]
fn the_source_is_what_the_build_makes() {
    each_of_ours(|path, _, component| {
        let folder = folder_of(path);
        let build = component.build.as_ref().expect("a build");
        let workdir = folder.join(&build.workdir);
        assert_eq!(
            workdir.canonicalize().unwrap(),
            root().canonicalize().unwrap(),
            "{path}: builds at the root"
        );
        let Source::File(source) = &component.source else {
            panic!("{path}: {:?}", component.source);
        };
        if path == "spin.toml" {
            assert_eq!(source, "target/wasm32-wasip2/component/function_fetch.wasm");
            for part in ["-p function-fetch", "--profile component", "wasm32-wasip2"] {
                assert!(build.command.contains(part), "{path}: {part}");
            }
            for pattern in &build.watch {
                let start = pattern.split('*').next().unwrap_or_default();
                assert!(root().join(start).exists(), "{path}: watches {pattern}");
            }
        } else {
            let name = source
                .strip_prefix("../../target/components/")
                .unwrap_or_else(|| panic!("{path}: {source}"));
            assert!(COMPONENTS.contains(&name), "{path}: {source}");
            assert_eq!(build.command, "cargo xtask build");
        }
    });
}
