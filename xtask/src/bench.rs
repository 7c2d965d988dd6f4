//! `cargo xtask bench`: the benchmark, which has its own command line, beside everything that it compares.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::components::{self, Flavour, Optimizer};
use crate::passed_on::Args;
use crate::workspace::Workspace;
use crate::{host, process, server, wasmtime_cli};

/// The program that measures.
const PACKAGE: &str = "function-fetch-bench";
/// The least that a proxying component can do.
const PASSTHROUGH: &str = "function-fetch-passthrough";

/// Runs it from the root, so that `--out docs/bench` is the repository's folder. In release, like all that it measures.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let mut build = process::cargo();
    build
        .current_dir(&workspace.root)
        .args(["build", "--release", "--package", PACKAGE]);
    process::run(&mut build)?;
    let program = workspace
        .target
        .join("release")
        .join(PACKAGE)
        .with_extension(std::env::consts::EXE_EXTENSION);
    let mut command = Command::new(program);
    command.current_dir(&workspace.root).args(&args.arguments);
    if !asks_for_help(&args.arguments) {
        let optimizer = Optimizer::find(&workspace)?;
        command
            .env("FUNCTION_FETCH_BIN", host::build_released(&workspace)?)
            .env(
                "FUNCTION_FETCH_WASI_WASM",
                components::build(&workspace, Flavour::Wasi, &optimizer)?,
            )
            .env(
                "FUNCTION_FETCH_SPIN_WASM",
                components::build(&workspace, Flavour::Spin, &optimizer)?,
            )
            .env(
                "FUNCTION_FETCH_PASSTHROUGH_WASM",
                build_passthrough(&workspace)?,
            );
        match wasmtime_cli::ensure(&workspace) {
            Ok(wasmtime) => drop(command.env("WASMTIME", wasmtime)),
            Err(why) => {
                eprintln!("`wasmtime serve` will not be measured: {why:#}");
                command.env_remove("WASMTIME");
            }
        }
    }
    process::echo(&command);
    let status = command
        .status()
        .with_context(|| format!("cannot run {PACKAGE}"))?;
    Ok(server::exit_code(status))
}

/// Then nothing needs to be built first.
fn asks_for_help(arguments: &[OsString]) -> bool {
    arguments
        .iter()
        .any(|argument| argument == OsStr::new("--help") || argument == OsStr::new("-h"))
}

/// Builds the bare component, compiled as the one that is part of the host, and returns its file.
pub fn build_passthrough(workspace: &Workspace) -> Result<PathBuf> {
    components::compile_fast(workspace, PASSTHROUGH)
        .context("cannot build the pass-through component")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_needs_no_build() {
        let arguments = |words: &[&str]| words.iter().map(Into::into).collect::<Vec<OsString>>();
        assert!(asks_for_help(&arguments(&["--quick", "--help"])));
        assert!(asks_for_help(&arguments(&["-h"])));
        assert!(!asks_for_help(&arguments(&["--only", "h2"])));
    }
}
