//! The component of Spin's template `function-fetch-app`, which the tests compose with Function Fetch.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::components;
use crate::workspace::Workspace;

/// The package in `tests/spin-app`.
pub const PACKAGE: &str = "function-fetch-spin-app";

/// Builds it and returns the file of the component.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    components::compile_package(workspace, PACKAGE, &[], &workspace.target)
        .context("cannot build the component of Spin's template")
}
