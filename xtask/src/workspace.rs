//! Where the repository is, and where cargo puts what it builds.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// The two folders everything else is found from.
pub struct Workspace {
    /// The root of the repository.
    pub root: PathBuf,
    /// Cargo's target folder, as `CARGO_TARGET_DIR` and cargo's configuration have it.
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo, the only one that knows all the ways in which a target folder can be set.
    pub fn locate() -> Result<Self> {
        let mut command = process::cargo();
        command.args(["metadata", "--format-version", "1", "--no-deps"]);
        // Cargo says at run time which clone it runs us for. What it said when we were compiled may be another one:
        // clones that share a target folder share the binary. Started without cargo, the folder of the caller decides.
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
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
        })
    }

    /// Where tools that come from a registry are kept from one run to the next.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }
}
