//! The location of the repository, and where cargo puts what it builds.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// The package of the root.
const PACKAGE: &str = "function-fetch";

/// The folders from which everything else is found, and where the repository is published.
pub struct Workspace {
    /// The root of the repository.
    pub root: PathBuf,
    /// Cargo's target folder, from `CARGO_TARGET_DIR` and cargo's configuration.
    pub target: PathBuf,
    /// Where it is published, if the root's manifest says so.
    pub repository: Option<String>,
}

impl Workspace {
    /// Asks cargo, since a target folder can be set in several ways.
    pub fn locate() -> Result<Self> {
        let mut command = process::cargo();
        command.args(["metadata", "--format-version", "1", "--no-deps"]);
        // Cargo sets it at run time to the clone that it runs in. The value at compile time may be another one: clones
        // that share a target folder share the binary. Without cargo, the caller's folder decides.
        if let Some(package) = std::env::var_os("CARGO_MANIFEST_DIR") {
            command
                .arg("--manifest-path")
                .arg(PathBuf::from(package).join("Cargo.toml"));
        }
        let output = process::output(&mut command)?;
        let metadata: Value =
            serde_json::from_slice(&output).context("cargo metadata printed no JSON")?;
        let folder = |key: &str| -> Result<PathBuf> {
            let path = metadata[key].as_str();
            Ok(path
                .with_context(|| format!("cargo metadata has no {key}"))?
                .into())
        };
        let package = metadata["packages"]
            .as_array()
            .and_then(|packages| packages.iter().find(|package| package["name"] == PACKAGE));
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
            repository: package
                .and_then(|package| package["repository"].as_str())
                .map(str::to_owned),
        })
    }

    /// Where tools from a registry are kept between runs.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }
}
