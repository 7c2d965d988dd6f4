//! A real httpbin, and clients in Python, for the tests of transparency.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// What is installed, with its versions.
const REQUIREMENTS: &str = "tests/transparency/requirements.txt";

/// Whether everything is there, in versions that fit each other.
const PROBE: &str = "import h2, http_sfv, httpbin, httpx, requests, waitress";

/// The path of a Python with all of it, in an environment of its own under the target folder; and of a `curl`, on PATH.
pub fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let curl = which::which("curl")
        .context("curl is not on PATH: install your system's package for it")?;
    let said = process::output(Command::new(curl).arg("--version"))?;
    if !String::from_utf8_lossy(&said).contains("HTTP2") {
        bail!("curl is built without HTTP/2: install another one");
    }
    let wanted = fs::read_to_string(workspace.root.join(REQUIREMENTS))
        .with_context(|| format!("cannot read {REQUIREMENTS}"))?;
    let folder = workspace.tools().join("httpbin-py");
    let python = folder.join("bin").join("python3");
    let installed = folder.join("installed.txt");
    let is_current = fs::read_to_string(&installed).is_ok_and(|listed| listed == wanted);
    if !is_current || works(&python).is_err() {
        install(workspace, &folder, &python)?;
        works(&python)?;
        fs::write(&installed, wanted)
            .with_context(|| format!("cannot write {}", installed.display()))?;
    }
    Ok(python)
}

fn works(python: &Path) -> Result<()> {
    process::output(Command::new(python).args(["-c", PROBE])).map(drop)
}

fn install(workspace: &Workspace, folder: &Path, python: &Path) -> Result<()> {
    // Half an installation, or one of other versions.
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    process::run(Command::new("python3").args(["-m", "venv"]).arg(folder)).context(
        "cannot make a Python environment: install Python 3.10 or newer with its module venv",
    )?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input"]);
    pip.args(["--disable-pip-version-check", "--requirement"]);
    process::run(pip.arg(workspace.root.join(REQUIREMENTS)))
}
