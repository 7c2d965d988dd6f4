//! The engine for JavaScript: `crates/edge`, and what the adapters are generated from it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

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
    if let Err(error) = compile_without_words(workspace) {
        eprintln!("warning: the engine for JavaScript will be about a tenth larger: {error:#}");
        toolchain::ensure_target(BARE_TARGET)?;
        process::run(&mut cargo_build(workspace, &workspace.target, COPY_WHOLE))?;
        return Ok(module(&workspace.target));
    }
    Ok(module(&without_words(workspace)))
}

/// With a standard library of its own, built so that a panic has no words: a trap says nothing to anyone, and the texts
/// with all that puts them together are a tenth of what a JavaScript edge loads. The options are not stable yet.
fn compile_without_words(workspace: &Workspace) -> Result<()> {
    toolchain::ensure_library_source()?;
    let flags =
        format!("{COPY_WHOLE} -Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none");
    let mut cargo = cargo_build(workspace, &without_words(workspace), &flags);
    cargo
        .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features="])
        .env("RUSTC_BOOTSTRAP", "1");
    process::run(&mut cargo)
}

/// Apart from everything else, which has the standard library that came with the compiler.
fn without_words(workspace: &Workspace) -> PathBuf {
    workspace.target.join("without-words")
}

fn cargo_build(workspace: &Workspace, target: &Path, flags: &str) -> Command {
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args(["build", "--package", PACKAGE])
        .args(["--profile", "component", "--target", BARE_TARGET])
        .arg("--target-dir")
        .arg(target)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags);
    cargo
}

fn module(target: &Path) -> PathBuf {
    target
        .join(BARE_TARGET)
        .join("component")
        .join("function_fetch_edge.wasm")
}
