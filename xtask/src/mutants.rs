//! `cargo xtask mutants`: whether the engine's tests notice when a line of it is changed.

use std::process::ExitCode;

use anyhow::Result;

use crate::passed_on::Args;
use crate::process;
use crate::toolchain;
use crate::version::Version;
use crate::workspace::Workspace;

const CARGO_MUTANTS: Version = Version(27, 1, 0);

/// Changes the engine in a copy of the repository, one line at a time, and runs its tests on each. What is changed, and
/// which tests count, is in `.cargo/mutants.toml`.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let tools = toolchain::ensure_cargo_tool(&workspace, "cargo-mutants", CARGO_MUTANTS)?;
    let mut command = process::cargo();
    command
        .current_dir(&workspace.root)
        .env("PATH", toolchain::path_with(&tools)?)
        // Each copy has a target folder of its own.
        .env_remove("CARGO_TARGET_DIR")
        .args(["mutants", "--package", "function-fetch-engine", "--output"])
        .arg(&workspace.target)
        .args(&args.arguments);
    process::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
