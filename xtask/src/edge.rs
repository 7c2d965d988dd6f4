//! The engine for JavaScript: `crates/edge`, and what the adapters are generated from it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::npm::Adapters;
use crate::process;
use crate::toolchain::{self, BARE_TARGET};
use crate::workspace::Workspace;

/// The package of the WebAssembly module.
pub const PACKAGE: &str = "function-fetch-edge";

/// Structs are copied and cleared by one instruction each, not by runs of 64-bit loads and stores: those are small in
/// WebAssembly, but plain JavaScript has no such integers, and spells out each as several of 32 bits.
const COPY_WHOLE: &str = "-Cllvm-args=-max-store-memcpy=1 -Cllvm-args=-max-store-memmove=1 -Cllvm-args=-max-store-memset=1";

/// `cargo xtask build --edge`. The script prints what it has made.
pub fn build_and_report() -> Result<ExitCode> {
    build(&Workspace::locate()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the module, and makes `adapters/generated` of it.
pub fn build(workspace: &Workspace) -> Result<Adapters> {
    let module = compile(workspace)?;
    let adapters = Adapters::ensure(workspace)?;
    let mut generate = adapters.script("generate")?;
    process::run(generate.arg("--").arg(module)).context("cannot generate the adapters' engine")?;
    Ok(adapters)
}

fn compile(workspace: &Workspace) -> Result<PathBuf> {
    toolchain::ensure_target(BARE_TARGET)?;
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args(["build", "--package", PACKAGE])
        .args(["--profile", "component", "--target", BARE_TARGET])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", COPY_WHOLE);
    process::run(&mut cargo)?;
    let folder = workspace.target.join(BARE_TARGET).join("component");
    Ok(folder.join("function_fetch_edge.wasm"))
}
