//! The origins without a network, with which the composition tests compose the
//! component.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::components;
use crate::workspace::Workspace;

/// The package in `tests/origin`.
pub const PACKAGE: &str = "function-fetch-test-origin";

/// Builds them and returns the file of their component.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    components::compile_package(workspace, PACKAGE, &[], &workspace.target)
        .context("cannot build the origins of the composition tests")
}
