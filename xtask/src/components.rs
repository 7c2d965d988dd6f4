//! The flavours of the component: for Spin, for any host and for a pipeline, with WASI 0.3 and WASI 0.2.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::npm::Adapters;
use crate::optimize;
use crate::process;
use crate::toolchain::{self, COMPONENT_TARGET};
use crate::workspace::Workspace;

/// The profile of what is sent to other hosts.
const SMALL: &str = "component";
/// The profile of the component that is part of the host, whose build script has it built.
const FAST: &str = "built-in";

/// Several builds of each crate, because a host rejects any import that it does not have.
#[derive(Clone, Copy)]
pub enum Flavour {
    /// Spin's variables and key-value store: Spin itself and the embedded host.
    Spin,
    /// Environment and memory only: any WASI 0.3 host.
    Wasi,
    /// `Spin` in a pipeline of components, with the next one as a target.
    Middleware,
    /// `Spin` for WASI 0.2: Fermyon Cloud, and Spin before 4.
    Spin02,
    /// `Wasi` for WASI 0.2.
    Wasi02,
}

impl Flavour {
    fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Wasi => "wasi",
            Self::Middleware => "middleware",
            Self::Spin02 => "spin-0.2",
            Self::Wasi02 => "wasi-0.2",
        }
    }

    /// The name of its file without the extension.
    pub fn stem(self) -> String {
        format!("function-fetch-{}", self.name())
    }

    /// The name of its file.
    pub fn file_name(self) -> String {
        format!("{}.wasm", self.stem())
    }

    /// The package of this flavour.
    pub fn package(self) -> &'static str {
        match self {
            Self::Spin | Self::Wasi | Self::Middleware => "function-fetch",
            Self::Spin02 | Self::Wasi02 => "function-fetch-wasi02",
        }
    }

    /// The features of this flavour.
    pub fn features(self) -> &'static [&'static str] {
        match self {
            Self::Spin | Self::Spin02 => &[],
            Self::Middleware => &["--features", "middleware"],
            Self::Wasi | Self::Wasi02 => &["--no-default-features", "--features", "wasi"],
        }
    }
}

/// Builds one flavour as it is deployed, and returns its file.
pub fn build(workspace: &Workspace, flavour: Flavour, optimizer: &Optimizer) -> Result<PathBuf> {
    let Optimizer(Some(adapters)) = optimizer else {
        return build_unoptimized(workspace, flavour);
    };
    let before = fs::read(unoptimized(workspace, flavour)).ok();
    let built = build_unoptimized(workspace, flavour)?;
    let file = file(&folder(workspace), flavour);
    // It takes ten seconds.
    let is_done = file.is_file()
        && before.is_some_and(|before| fs::read(&built).is_ok_and(|built| built == before));
    if !is_done {
        install(&file, |unfinished| {
            optimize::component(adapters, &built, unfinished)
        })?;
    }
    Ok(file)
}

/// Builds one flavour as the compiler leaves it, which needs nothing but Rust, and returns its file.
pub fn build_unoptimized(workspace: &Workspace, flavour: Flavour) -> Result<PathBuf> {
    let built = compile(workspace, flavour, &workspace.target)?;
    // Cargo gives both flavours the same file name; with separate names they can be in one folder.
    let file = unoptimized(workspace, flavour);
    install(&file, |unfinished| {
        Ok(fs::copy(&built, unfinished).map(drop)?)
    })
    .with_context(|| format!("cannot copy {} to {}", built.display(), file.display()))?;
    Ok(file)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("components")
}

fn unoptimized(workspace: &Workspace, flavour: Flavour) -> PathBuf {
    file(&folder(workspace).join("unoptimized"), flavour)
}

fn file(folder: &Path, flavour: Flavour) -> PathBuf {
    folder.join(flavour.file_name())
}

/// What makes components smaller: binaryen, which comes with the adapters' dependencies.
pub struct Optimizer(Option<Adapters>);

impl Optimizer {
    /// Without npm there is none, and that is said.
    pub fn find(workspace: &Workspace) -> Result<Self> {
        if which::which("npm").is_err() {
            eprintln!(
                "The components are a sixth larger than they could be: npm, which brings `wasm-opt`, is not installed"
            );
            return Ok(Self(None));
        }
        Self::require(workspace)
    }

    /// Without npm it fails: what is released is as small as it can be.
    pub fn require(workspace: &Workspace) -> Result<Self> {
        Ok(Self(Some(Adapters::ensure(workspace)?)))
    }
}

/// Builds the Spin flavour to where `spin.toml` looks for it: the repository's own `target`, wherever
/// `CARGO_TARGET_DIR` points.
pub fn build_for_spin_toml(workspace: &Workspace) -> Result<()> {
    compile(workspace, Flavour::Spin, &workspace.root.join("target")).map(drop)
}

/// `cargo xtask build`.
pub fn build_and_report() -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let optimizer = Optimizer::find(&workspace)?;
    let mut table = format!("{:<14} {:>10} {:>10}  file\n", "component", "bytes", "gzip");
    // Spin last: its flavour is then the one that cargo leaves where `spin.toml` expects it.
    for flavour in [
        Flavour::Wasi02,
        Flavour::Spin02,
        Flavour::Wasi,
        Flavour::Middleware,
        Flavour::Spin,
    ] {
        let file = build(&workspace, flavour, &optimizer)?;
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
    compile_package(workspace, flavour.package(), flavour.features(), target)
}

/// Builds the component of any package of this workspace, and returns the file that cargo leaves.
pub fn compile_package(
    workspace: &Workspace,
    package: &str,
    features: &[&str],
    target: &Path,
) -> Result<PathBuf> {
    compile_as(workspace, SMALL, package, features, target)
}

/// Builds it as the component that is part of the host.
pub fn compile_fast(workspace: &Workspace, package: &str) -> Result<PathBuf> {
    compile_as(workspace, FAST, package, &[], &workspace.target)
}

fn compile_as(
    workspace: &Workspace,
    profile: &str,
    package: &str,
    features: &[&str],
    target: &Path,
) -> Result<PathBuf> {
    toolchain::ensure_target(COMPONENT_TARGET)?;
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args(["build", "--package", package, "--lib"])
        .args(["--profile", profile, "--target", COMPONENT_TARGET])
        .args(features);
    if target != workspace.target {
        cargo.arg("--target-dir").arg(target);
    }
    process::run(&mut cargo)?;
    Ok(target
        .join(COMPONENT_TARGET)
        .join(profile)
        .join(package.replace('-', "_"))
        .with_extension("wasm"))
}

/// Has a temporary file written and renames it, so that a host which starts meanwhile never reads half a component.
fn install(file: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let unfinished = file.with_extension("unfinished");
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    write(&unfinished)?;
    fs::rename(&unfinished, file)?;
    Ok(())
}

/// The component's size as uploaded to a registry or a platform.
fn gzipped(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
