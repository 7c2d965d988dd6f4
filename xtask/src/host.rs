//! The embedded host: the `function-fetch` command.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// Builds the host and returns its binary.
///
/// Always with this profile and these features: wasmtime takes minutes to compile, and one build of it has to serve
/// `up`, `test` and the benchmarks.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, &["--bins"])?;
    Ok(built(workspace, &["function-fetch"]))
}

/// Builds the embedding example, another program with the host's library, and returns its binary.
pub fn build_embed_example(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, &["--example", "embed"])?;
    Ok(built(workspace, &["examples", "embed"]))
}

fn compile(workspace: &Workspace, what: &[&str]) -> Result<()> {
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args(["build", "--release", "--package", "function-fetch-host"])
        .args(what);
    process::run(&mut cargo).context("cannot build the host")
}

fn built(workspace: &Workspace, path: &[&str]) -> PathBuf {
    let mut file = workspace.target.join("release");
    file.extend(path);
    file.add_extension(std::env::consts::EXE_EXTENSION);
    file
}
