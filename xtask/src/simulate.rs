//! `cargo xtask simulate`: the simulator, which has its own command line.

use std::process::ExitCode;

use anyhow::Result;

use crate::passed_on::Args;
use crate::process;
use crate::workspace::Workspace;

/// Runs the simulator from the root, so that `--out docs/simulation` is the repository's folder. In release: a
/// virtual day is hundreds of millions of requests.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let mut command = process::cargo();
    command
        .current_dir(&workspace.root)
        .args([
            "run",
            "--quiet",
            "--release",
            "-p",
            "function-fetch-simulator",
            "--",
        ])
        .args(&args.arguments);
    process::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
