//! The origins without a network, with which the composition tests compose the
//! component.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process;
use crate::toolchain::{self, COMPONENT_TARGET};
use crate::workspace::Workspace;

/// The package in `tests/origin`.
pub const PACKAGE: &str = "function-fetch-test-origin";

/// Builds them and returns the file of their component.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    toolchain::ensure_target(COMPONENT_TARGET)?;
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args(["build", "--package", PACKAGE])
        .args(["--profile", "component", "--target", COMPONENT_TARGET]);
    process::run(&mut cargo).context("cannot build the origins of the composition tests")?;
    Ok(workspace
        .target
        .join(COMPONENT_TARGET)
        .join("component")
        .join("function_fetch_test_origin.wasm"))
}
