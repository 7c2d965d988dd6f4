//! The embedded host: the `function-fetch` command.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// Builds the host and returns its binary.
///
/// Always with this profile and these features: wasmtime takes minutes to compile, and one build of it has to serve
/// `up`, `test` and the bench.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo.current_dir(&workspace.root).args([
        "build",
        "--release",
        "--package",
        "function-fetch-host",
    ]);
    process::run(&mut cargo).context("cannot build the host")?;
    let name = format!("function-fetch{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace.target.join("release").join(name))
}
