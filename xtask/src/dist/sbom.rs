//! Bills of materials, in CycloneDX: by cargo-cyclonedx, which knows what a target and features bring in and leaves out
//! what only tests need; and by npm.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::made;
use crate::npm::Adapters;
use crate::process;
use crate::toolchain::{self, COMPONENT_TARGET};
use crate::version::Version;
use crate::workspace::Workspace;

const CARGO_CYCLONEDX: Version = Version(0, 5, 9);

/// The newest specification that cargo-cyclonedx writes.
const SPECIFICATION: &str = "1.5";

/// The package of the command, and the one that stands for all components: the others have a part of what it has.
const OF_CARGO: [(&str, &str, &[&str]); 2] = [
    (
        "function-fetch-host",
        "function-fetch-command",
        &["--target", "all"],
    ),
    (
        "function-fetch",
        "function-fetch-components",
        &["--target", COMPONENT_TARGET, "--features", "middleware"],
    ),
];

/// Writes all three.
pub fn write(workspace: &Workspace, to: &Path) -> Result<()> {
    let tools = toolchain::ensure_cargo_tool(workspace, "cargo-cyclonedx", CARGO_CYCLONEDX)?;
    for (package, name, options) in OF_CARGO {
        let text = of_package(workspace, &tools, package, name, options)?;
        save(&to.join(format!("{name}.cdx.json")), package, &text)?;
    }
    let adapters = Adapters::ensure(workspace)?;
    let text = process::output(adapters.npm().args([
        "sbom",
        "--sbom-format",
        "cyclonedx",
        "--omit",
        "dev",
    ]))?;
    save(
        &to.join("function-fetch-npm.cdx.json"),
        "function-fetch",
        &text,
    )
}

/// The program writes a file beside the manifest of every package of the workspace. One is kept.
fn of_package(
    workspace: &Workspace,
    tools: &Path,
    package: &str,
    name: &str,
    options: &[&str],
) -> Result<Vec<u8>> {
    let folders = folders(workspace)?;
    let (_, own) = folders
        .iter()
        .find(|(of, _)| of == package)
        .with_context(|| format!("there is no package {package}"))?;
    let mut command = process::cargo();
    command
        .current_dir(&workspace.root)
        .env("PATH", toolchain::path_with(tools)?)
        .args([
            "cyclonedx",
            "--format",
            "json",
            "--spec-version",
            SPECIFICATION,
        ])
        .args(["--override-filename", name, "--manifest-path"])
        .arg(own.join("Cargo.toml"))
        .args(options);
    let outcome = process::run(&mut command);
    let file = |folder: &Path| folder.join(format!("{name}.json"));
    let text = fs::read(file(own));
    for (_, folder) in &folders {
        // Where it has written none there is none.
        let _ = fs::remove_file(file(folder));
    }
    outcome?;
    text.with_context(|| format!("cargo-cyclonedx has written none for {package}"))
}

/// The packages of the workspace, and where they are.
fn folders(workspace: &Workspace) -> Result<Vec<(String, PathBuf)>> {
    let mut command = process::cargo();
    command
        .current_dir(&workspace.root)
        .args(["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_slice(&process::output(&mut command)?)
        .context("cargo metadata printed no JSON")?;
    let packages = metadata["packages"].as_array();
    packages
        .context("cargo metadata has no packages")?
        .iter()
        .map(|package| {
            let manifest = package["manifest_path"].as_str();
            let folder = manifest.and_then(|manifest| Path::new(manifest).parent());
            let name = package["name"].as_str();
            let (name, folder) = name.zip(folder).context("a package without a name")?;
            Ok((name.to_owned(), folder.to_owned()))
        })
        .collect()
}

/// Checks that it is of what it should be, and that it lists something.
fn save(file: &Path, package: &str, text: &[u8]) -> Result<()> {
    let bill: Value = serde_json::from_slice(text).context("a bill of materials is no JSON")?;
    let subject = bill["metadata"]["component"]["name"].as_str();
    let count = bill["components"].as_array().map_or(0, Vec::len);
    if bill["bomFormat"] != "CycloneDX" || subject != Some(package) || count == 0 {
        bail!("the bill of materials of {package} is of {subject:?}, with {count} components");
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    made(file);
    Ok(())
}
