//! The embedded host: the `function-fetch` command.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// The profile of tests and of `up`: wasmtime takes minutes to compile, and one build of it has to serve both.
const TESTED: &str = "release";

/// The profile of what is released and measured, which takes longer still.
const RELEASED: &str = "dist";

/// Builds the host and returns its binary.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, TESTED, &["--bins"])?;
    Ok(built(workspace, TESTED, &["function-fetch"]))
}

/// Builds the host as it is released, and returns its binary.
pub fn build_released(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, RELEASED, &["--bins"])?;
    Ok(built(workspace, RELEASED, &["function-fetch"]))
}

/// Builds the embedding example, another program with the host's library, and returns its binary.
pub fn build_embed_example(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, TESTED, &["--example", "embed"])?;
    Ok(built(workspace, TESTED, &["examples", "embed"]))
}

fn compile(workspace: &Workspace, profile: &str, what: &[&str]) -> Result<()> {
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args([
            "build",
            "--profile",
            profile,
            "--package",
            "function-fetch-host",
        ])
        .args(what);
    process::run(&mut cargo).context("cannot build the host")
}

fn built(workspace: &Workspace, profile: &str, path: &[&str]) -> PathBuf {
    let mut file = workspace.target.join(profile);
    file.extend(path);
    file.add_extension(std::env::consts::EXE_EXTENSION);
    file
}
