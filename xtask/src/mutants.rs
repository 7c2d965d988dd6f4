//! `cargo xtask mutants`: whether the engine's tests notice when a line of it is changed.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::passed_on::Args;
use crate::process;
use crate::toolchain;
use crate::version::Version;
use crate::workspace::Workspace;

const CARGO_MUTANTS: Version = Version(27, 1, 0);

/// With which code cargo-mutants ends where tests have noticed every change.
const ALL_CAUGHT: i32 = 0;

/// And where some tests did not come to an end, whether or not others missed a change.
const SOME_TIMED_OUT: i32 = 3;

/// What the tests that draw their inputs at random are told. A change that slips through once is to slip through
/// again; and that they fail is enough, without the smallest input that makes them.
const RANDOM_TESTS: [(&str, &str); 3] = [
    ("PROPTEST_RNG_SEED", "20261128"),
    ("PROPTEST_MAX_SHRINK_ITERS", "0"),
    ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1"),
];

/// Changes the engine in a copy of the repository, one line at a time, and runs its tests on each. What is changed,
/// which tests count, and which changes nobody could notice, is in `.cargo/mutants.toml`. A change by which the tests
/// never end is one that they notice.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let tools = toolchain::ensure_cargo_tool(&workspace, "cargo-mutants", CARGO_MUTANTS)?;
    let mut command = process::cargo();
    command
        .current_dir(&workspace.root)
        .env("PATH", toolchain::path_with(&tools)?)
        // Each copy has a target folder of its own.
        .env_remove("CARGO_TARGET_DIR")
        .envs(RANDOM_TESTS)
        .args(["mutants", "--package", "function-fetch-engine", "--output"])
        .arg(&workspace.target)
        .args(&args.arguments);
    process::echo(&command);
    let status = command.status().context("cannot run cargo-mutants")?;
    let all_noticed = match status.code() {
        Some(ALL_CAUGHT) => true,
        Some(SOME_TIMED_OUT) => none_missed(&workspace.target)?,
        _ => false,
    };
    Ok(if all_noticed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn none_missed(output: &Path) -> Result<bool> {
    let list = output.join("mutants.out").join("missed.txt");
    let missed =
        fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    Ok(missed.trim().is_empty())
}
