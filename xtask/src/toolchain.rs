//! What the Rust toolchain needs in addition: targets, rustfmt, clippy.
//!
//! A `rust-toolchain.toml` would only list them: with `RUSTUP_AUTO_INSTALL=0` nothing installs them.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::process;

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
