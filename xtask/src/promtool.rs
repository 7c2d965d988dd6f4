//! Prometheus' own linter, for the tests of the metrics and of the alert rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::toolchain;
use crate::workspace::Workspace;

const NAME: &str = "promtool";

/// Debian's package with it. It is unpacked and not installed: that would start a Prometheus.
const PACKAGE: &str = "prometheus";

/// The path of promtool: the one in `PROMTOOL`, the one on PATH, or in CI one under the target folder, from the
/// distribution's package.
pub fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = toolchain::named("PROMTOOL")? {
        return Ok(named);
    }
    if let Ok(path) = which::which(NAME) {
        return Ok(path);
    }
    let folder = workspace.tools().join(NAME);
    let own = folder.join("usr").join("bin").join(NAME);
    if runs(&own).is_ok() {
        return Ok(own);
    }
    // Nobody's machine downloads a package that was not asked for.
    if std::env::var_os("CI").is_none() {
        bail!("there is no promtool on PATH: install your system's package, or set PROMTOOL");
    }
    unpack(&folder).context("there is no promtool on PATH, and it could not be downloaded")?;
    runs(&own)?;
    Ok(own)
}

fn runs(path: &Path) -> Result<()> {
    process::output(Command::new(path).arg("--version")).map(drop)
}

fn unpack(folder: &Path) -> Result<()> {
    let apt = which::which("apt-get")?;
    let dpkg = which::which("dpkg")?;
    // Of another version, or half of one.
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let download = || {
        process::output(
            Command::new(&apt)
                .args(["download", "-qq", PACKAGE])
                .current_dir(folder),
        )
    };
    if download().is_err() {
        // What it knows of the packages is missing or old.
        process::run(Command::new(&apt).args(["update", "-qq"]))?;
        download()?;
    }
    let files =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let package = files
        .filter_map(Result::ok)
        .map(|file| file.path())
        .find(|path| path.extension().is_some_and(|end| end == "deb"))
        .context("apt-get downloaded no package")?;
    process::run(Command::new(dpkg).arg("-x").arg(&package).arg(folder))?;
    fs::remove_file(&package).with_context(|| format!("cannot remove {}", package.display()))
}
