//! The embedded host: the `function-fetch` command.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::toolchain;
use crate::workspace::Workspace;

/// Builds the host and returns its binary.
///
/// Always with this profile and these features: wasmtime takes minutes to compile, and one build of it has to serve
/// `up`, `test` and the benchmarks.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, &["--bins"])?;
    Ok(built(&workspace.target, &["function-fetch"]))
}

/// Builds the host for another target, which this machine must have a linker for, and returns its binary.
pub fn build_for(workspace: &Workspace, target: &str) -> Result<PathBuf> {
    toolchain::ensure_target(target)?;
    compile(workspace, &["--bins", "--locked", "--target", target])?;
    Ok(built(&workspace.target.join(target), &["function-fetch"]))
}

/// The target of this machine.
pub fn this_machine() -> Result<String> {
    let printed = process::output(Command::new("rustc").args(["--print", "host-tuple"]))?;
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}

/// Builds the embedding example, another program with the host's library, and returns its binary.
pub fn build_embed_example(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, &["--example", "embed"])?;
    Ok(built(&workspace.target, &["examples", "embed"]))
}

fn compile(workspace: &Workspace, what: &[&str]) -> Result<()> {
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args(["build", "--release", "--package", "function-fetch-host"])
        .args(what);
    process::run(&mut cargo).context("cannot build the host")
}

fn built(target_folder: &Path, path: &[&str]) -> PathBuf {
    let mut file = target_folder.join("release");
    file.extend(path);
    file.add_extension(std::env::consts::EXE_EXTENSION);
    file
}
