//! The engine for JavaScript: `crates/edge`, and what is generated from it for the
//! adapters.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::npm::Adapters;
use crate::process;
use crate::toolchain::{self, BARE_TARGET};
use crate::workspace::Workspace;

/// The package of the WebAssembly module.
pub const PACKAGE: &str = "function-fetch-edge";

/// `cargo xtask build --edge`. The script prints the sizes.
pub fn build_and_report() -> Result<ExitCode> {
    build(&Workspace::locate()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the module, and generates `adapters/generated` from it.
pub fn build(workspace: &Workspace) -> Result<Adapters> {
    let module = compile(workspace, PACKAGE, "component")?;
    let adapters = Adapters::ensure(workspace)?;
    let mut generate = adapters.script("generate")?;
    process::run(generate.arg("--").arg(module)).context("cannot generate the adapters' engine")?;
    Ok(adapters)
}

/// Builds a package as a module that imports nothing, and returns its file.
pub fn compile(workspace: &Workspace, package: &str, profile: &str) -> Result<PathBuf> {
    toolchain::ensure_target(BARE_TARGET)?;
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        // A `cdylib` by this argument and not in the manifest, where one beside the library that others link would be
        // built without link-time optimisation.
        .args(["rustc", "--package", package, "--crate-type", "cdylib"])
        .args(["--profile", profile, "--target", BARE_TARGET]);
    process::run(&mut cargo)?;
    Ok(workspace
        .target
        .join(BARE_TARGET)
        .join(profile)
        .join(package.replace('-', "_"))
        .with_extension("wasm"))
}
