//! `cargo xtask fuzz`: the fuzz targets of `fuzz/`, with the toolchain at hand.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::process;
use crate::toolchain;
use crate::version::Version;
use crate::workspace::Workspace;

/// The fuzz targets, which are the binaries of `fuzz/Cargo.toml`.
const TARGETS: [&str; 7] = [
    "settings",
    "record",
    "headers",
    "fence",
    "conversation",
    "edge",
    "status",
];

const CARGO_FUZZ: Version = Version(0, 13, 1);

/// The longest input; a fuzzer's own default would keep `conversation` to far fewer moves than it takes.
const LONGEST: u32 = 4096;

#[derive(clap::Args)]
pub struct Args {
    /// Only this one
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
    /// For how long each runs
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Runs each target for so long. What a fuzzer adds to a corpus is kept below the target folder, so that the committed
/// ones stay small; an input that fails is printed, and kept in `fuzz/artifacts`.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let tools = toolchain::ensure_cargo_tool(&workspace, "cargo-fuzz", CARGO_FUZZ)?;
    let chosen = |target: &&str| args.target.as_ref().is_none_or(|only| only == target);
    for target in TARGETS.into_iter().filter(chosen) {
        let found = folder(&workspace).join("corpus").join(target);
        std::fs::create_dir_all(&found)
            .with_context(|| format!("cannot create {}", found.display()))?;
        let path = toolchain::path_with(&tools)?;
        process::run(fuzz(&workspace, target, &found, args.seconds).env("PATH", path))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn fuzz(workspace: &Workspace, target: &str, found: &Path, seconds: u32) -> Command {
    let committed = Path::new("fuzz/corpus").join(target);
    let mut command = process::cargo();
    command
        .current_dir(&workspace.root)
        .env("CARGO_TARGET_DIR", folder(workspace))
        // Without a sanitizer, and so on stable Rust: there is no unsafe code to find faults in.
        .args(["fuzz", "run", "--release", "--sanitizer", "none"])
        .args(["--features", "link", target])
        .arg(found)
        .arg(committed)
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LONGEST}"))
        .arg("-timeout=20");
    command
}

/// The package is a workspace of its own; what it builds is kept beside everything else that cargo does.
pub fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("fuzz")
}

/// A cargo command for the package, which is not in the workspace.
pub fn cargo(workspace: &Workspace, subcommand: &str) -> Command {
    let mut command = process::cargo();
    command
        .current_dir(&workspace.root)
        .env("CARGO_TARGET_DIR", folder(workspace))
        .args([subcommand, "--manifest-path", "fuzz/Cargo.toml"]);
    command
}
