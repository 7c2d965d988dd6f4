//! The components in an OCI registry, one repository for each flavour and a tag for each version, as wkg and hosts that
//! pull components expect them.

use std::path::Path;

use anyhow::{Result, bail};

use super::{FLAVOURS, VERSION};
use crate::process;
use crate::toolchain;
use crate::version::Version;
use crate::workspace::Workspace;

const WKG: Version = Version(0, 16, 1);

/// Pushes what `dist components` has made.
pub fn push(
    workspace: &Workspace,
    folder: &Path,
    registry: &str,
    source: Option<&str>,
    insecure: bool,
) -> Result<()> {
    let missing: Vec<_> = FLAVOURS
        .iter()
        .map(|flavour| folder.join(flavour.file_name()))
        .filter(|file| !file.is_file())
        .map(|file| file.display().to_string())
        .collect();
    if !missing.is_empty() {
        bail!(
            "missing: {} (run `cargo xtask dist components`)",
            missing.join(", ")
        );
    }
    let wkg = toolchain::ensure_cargo_tool(workspace, "wkg", WKG)?.join("wkg");
    for flavour in FLAVOURS {
        let mut command = std::process::Command::new(&wkg);
        command.args(["oci", "push", "--annotation"]);
        command.arg(format!("org.opencontainers.image.version={VERSION}"));
        command.args([
            "--annotation",
            "org.opencontainers.image.licenses=MIT OR Apache-2.0",
        ]);
        if let Some(source) = source {
            command.arg("--annotation");
            command.arg(format!("org.opencontainers.image.source={source}"));
        }
        if insecure {
            let host = registry.split('/').next().unwrap_or(registry);
            command.args(["--insecure", host]);
        }
        command.arg(format!("{registry}/{}:{VERSION}", flavour.stem()));
        command.arg(folder.join(flavour.file_name()));
        process::run(&mut command)?;
    }
    Ok(())
}
