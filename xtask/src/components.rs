//! The two flavours of the component.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::process;
use crate::toolchain::{self, COMPONENT_TARGET};
use crate::workspace::Workspace;

/// Two builds of one crate, because a plain WASI host refuses any `spin:*` import.
#[derive(Clone, Copy)]
pub enum Flavour {
    /// Spin's variables and key-value store: Spin itself and the embedded host.
    Spin,
    /// Environment and memory alone: any WASI 0.3 host.
    Wasi,
}

impl Flavour {
    fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Wasi => "wasi",
        }
    }

    /// The features that make this flavour.
    pub fn features(self) -> &'static [&'static str] {
        match self {
            Self::Spin => &[],
            Self::Wasi => &["--no-default-features", "--features", "wasi"],
        }
    }
}

/// Builds one flavour and returns its file.
pub fn build(workspace: &Workspace, flavour: Flavour) -> Result<PathBuf> {
    let built = compile(workspace, flavour, &workspace.target)?;
    // Cargo gives both flavours one name; under their own they can lie side by side.
    let folder = workspace.target.join("components");
    let file = folder.join(format!("function-fetch-{}.wasm", flavour.name()));
    install(&built, &file)
        .with_context(|| format!("cannot copy {} to {}", built.display(), file.display()))?;
    Ok(file)
}

/// Builds the Spin flavour to where `spin.toml` looks for it: the repository's own `target`, wherever
/// `CARGO_TARGET_DIR` points.
pub fn build_for_spin_toml(workspace: &Workspace) -> Result<()> {
    compile(workspace, Flavour::Spin, &workspace.root.join("target")).map(drop)
}

/// `cargo xtask build`.
pub fn build_and_report() -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let mut table = format!("{:<14} {:>10} {:>10}  file\n", "component", "bytes", "gzip");
    // Spin last: its flavour is then the one that cargo leaves where `spin.toml` looks for it.
    for flavour in [Flavour::Wasi, Flavour::Spin] {
        let file = build(&workspace, flavour)?;
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let gzip = gzipped(&bytes)?;
        table += &format!(
            "{:<14} {:>10} {gzip:>10}  {}\n",
            flavour.name(),
            bytes.len(),
            file.display()
        );
    }
    process::say(table.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn compile(workspace: &Workspace, flavour: Flavour, target: &Path) -> Result<PathBuf> {
    toolchain::ensure_target(COMPONENT_TARGET)?;
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args(["build", "--package", "function-fetch", "--lib"])
        .args(["--profile", "component", "--target", COMPONENT_TARGET])
        .args(flavour.features());
    if target != workspace.target {
        cargo.arg("--target-dir").arg(target);
    }
    process::run(&mut cargo)?;
    Ok(target
        .join(COMPONENT_TARGET)
        .join("component")
        .join("function_fetch.wasm"))
}

/// Copies by way of a rename, so that a host which starts meanwhile never reads half a component.
fn install(from: &Path, to: &Path) -> Result<()> {
    let unfinished = to.with_extension("unfinished");
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, &unfinished)?;
    fs::rename(&unfinished, to)?;
    Ok(())
}

/// What the component weighs on the wire to a registry or a platform's upload.
fn gzipped(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
