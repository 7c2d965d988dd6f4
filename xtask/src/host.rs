//! The embedded host: the `function-fetch` command.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::toolchain;
use crate::workspace::Workspace;

/// The profile of tests and of `up`: wasmtime takes minutes to compile, and one build of it has to serve both.
const TESTED: &str = "release";

/// The profile of what is released and measured, which takes longer still.
const RELEASED: &str = "dist";

/// Builds the host and returns its binary.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, TESTED, &["--bins"])?;
    Ok(built(&workspace.target, TESTED, &["function-fetch"]))
}

/// Builds the host as it is released, and returns its binary.
pub fn build_released(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, RELEASED, &["--bins"])?;
    Ok(built(&workspace.target, RELEASED, &["function-fetch"]))
}

/// Builds it so for another target, which this machine must have a linker for, and returns its binary.
pub fn build_for(workspace: &Workspace, target: &str) -> Result<PathBuf> {
    toolchain::ensure_target(target)?;
    compile(
        workspace,
        RELEASED,
        &["--bins", "--locked", "--target", target],
    )?;
    Ok(built(
        &workspace.target.join(target),
        RELEASED,
        &["function-fetch"],
    ))
}

/// The target of this machine.
pub fn this_machine() -> Result<String> {
    let printed = process::output(Command::new("rustc").args(["--print", "host-tuple"]))?;
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}

/// Builds the embedding example, another program with the host's library, and returns its binary.
pub fn build_embed_example(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, TESTED, &["--example", "embed"])?;
    Ok(built(&workspace.target, TESTED, &["examples", "embed"]))
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

fn built(target_folder: &Path, profile: &str, path: &[&str]) -> PathBuf {
    let mut file = target_folder.join(profile);
    file.extend(path);
    file.add_extension(std::env::consts::EXE_EXTENSION);
    file
}
