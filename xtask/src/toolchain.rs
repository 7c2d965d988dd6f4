//! What the Rust toolchain needs in addition: targets, rustfmt, clippy, subcommands of cargo.
//!
//! A `rust-toolchain.toml` would only list them: with `RUSTUP_AUTO_INSTALL=0` nothing installs them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::process;
use crate::version::Version;
use crate::workspace::Workspace;

/// The target of all flavours of the component.
pub const COMPONENT_TARGET: &str = "wasm32-wasip2";
/// A target on which the engine must compile as well: no WASI, no clock, no I/O.
pub const BARE_TARGET: &str = "wasm32-unknown-unknown";

/// Makes sure that `target` can be compiled for, adding its standard library when it is missing.
pub fn ensure_target(target: &str) -> Result<()> {
    // Asks rustc and not rustup: a distribution's Rust may have no rustup.
    let mut rustc = Command::new("rustc");
    let folder = process::output(rustc.args(["--print", "target-libdir", "--target", target]))?;
    if Path::new(String::from_utf8_lossy(&folder).trim()).is_dir() {
        return Ok(());
    }
    process::run(Command::new("rustup").args(["target", "add", target])).with_context(|| {
        format!("Rust's standard library for {target} is missing: run `rustup target add {target}`, or install your system's package for it")
    })
}

/// Makes sure that `cargo fmt` and `cargo clippy` exist.
pub fn ensure_lint_tools() -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let mut probe = process::cargo();
        probe
            .args([subcommand, "--version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if probe.status().is_ok_and(|status| status.success()) {
            continue;
        }
        process::run(Command::new("rustup").args(["component", "add", component])).with_context(|| {
            format!("`cargo {subcommand}` is missing: run `rustup component add {component}`, or install your system's package for it")
        })?;
    }
    Ok(())
}

/// The folder with a subcommand of cargo in this version: the one on PATH, or one that is built the first time.
pub fn ensure_cargo_tool(workspace: &Workspace, name: &str, version: Version) -> Result<PathBuf> {
    let own = workspace.tools().join("bin");
    let found = which::which(name).into_iter();
    for program in found.chain([own
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION)])
    {
        if Version::of(program.as_os_str(), name).is_ok_and(|found| found == version)
            && let Some(folder) = program.parent()
        {
            return Ok(folder.to_owned());
        }
    }
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args(["install", "--locked", name, "--version"])
        .arg(version.to_string())
        .arg("--root")
        .arg(workspace.tools());
    process::run(&mut cargo)
        .with_context(|| format!("cannot install {name} {version}: put it on PATH"))?;
    Ok(own)
}

/// The program that an environment variable names, where it is set.
pub fn named(variable: &str) -> Result<Option<PathBuf>> {
    let find = |named: OsString| {
        which::which(&named)
            .with_context(|| format!("{variable}: cannot find {}", named.to_string_lossy()))
    };
    std::env::var_os(variable).map(find).transpose()
}

/// The PATH, with `folder` first.
pub fn path_with(folder: &Path) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(
        [folder.to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&path)),
    )
    .with_context(|| format!("{} cannot be used in PATH", folder.display()))
}
