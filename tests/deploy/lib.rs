//! The deployment manifests: each is parsed with the types of its platform, and
//! its paths, names, settings, stores and options are compared with the code. The
//! pages of the documentation are held to it in the same way.
//! There are only tests here.

#![cfg(test)]

mod docs;
mod github;
mod kubernetes;
mod liquid;
mod settings;
mod snippets;
mod spin;
mod spinkube;
mod store;
mod systemd;
mod templates;
mod versioning;
mod wasmcloud;

use std::path::{Path, PathBuf};

/// The repository.
fn root() -> PathBuf {
    function_fetch_cases::repository()
}

/// A file of the repository, as text.
fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files that `cargo xtask build` makes, by their names.
const COMPONENTS: [&str; 5] = [
    "function-fetch-spin.wasm",
    "function-fetch-wasi.wasm",
    "function-fetch-middleware.wasm",
    "function-fetch-spin-0.2.wasm",
    "function-fetch-wasi-0.2.wasm",
];

/// The settings in a manifest's environment are ones that exist.
fn assert_settings_exist<'a>(names: impl IntoIterator<Item = &'a str>) {
    for name in names {
        assert!(
            function_fetch_engine::settings::NAMES.contains(&name),
            "{name} is no setting"
        );
    }
}

/// The hosts of a list of targets.
fn hosts(targets: &str) -> Vec<String> {
    let settings = function_fetch_engine::Settings::read(
        function_fetch_engine::Capabilities::default(),
        |name| (name == "FETCH_TARGETS").then(|| targets.to_owned()),
    );
    assert_eq!(settings.no_targets, None);
    settings
        .targets
        .iter()
        .map(|target| target.authority().to_owned())
        .collect()
}

/// Without the last part: the folder of a manifest.
fn folder_of(path: &str) -> PathBuf {
    root().join(path).parent().expect("a file").to_owned()
}
