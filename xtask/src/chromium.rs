//! A Chromium for the tests of the status page and of the playground.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::toolchain;

/// As distributions call it.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The one in `CHROMIUM`, the one on PATH, or in CI the distribution's package, which is installed then.
pub fn ensure() -> Result<PathBuf> {
    if let Some(named) = toolchain::named("CHROMIUM")? {
        return Ok(named);
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    // Nobody's machine gets a package that was not asked for.
    if std::env::var_os("CI").is_none() {
        bail!("there is no chromium on PATH: install your system's package, or set CHROMIUM");
    }
    install().context("there is no chromium on PATH, and it could not be installed")?;
    find().context("chromium was installed, and is not on PATH")
}

fn find() -> Option<PathBuf> {
    NAMES.iter().find_map(|name| which::which(name).ok())
}

fn install() -> Result<()> {
    let apt = which::which("apt-get")?;
    process::run(Command::new(&apt).args(["update", "-qq"]))?;
    process::run(
        Command::new(&apt)
            .args([
                "install",
                "-y",
                "-qq",
                "--no-install-recommends",
                "chromium",
            ])
            // Chinese, so that screenshots show it.
            .arg("fonts-noto-cjk")
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}
