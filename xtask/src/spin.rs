//! An installed Spin, when there is one.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::version::Version;

/// The first Spin that runs WASI 0.3 components.
const OLDEST: Version = Version(4, 0, 0);

/// The `spin` on PATH.
pub fn find() -> Result<PathBuf> {
    let Ok(spin) = which::which("spin") else {
        bail!("spin is not on PATH");
    };
    let version = Version::of(spin.as_os_str(), "spin")?;
    if version < OLDEST {
        bail!(
            "{} is Spin {version}, and WASI 0.3 needs Spin {OLDEST} or newer",
            spin.display()
        );
    }
    Ok(spin)
}
