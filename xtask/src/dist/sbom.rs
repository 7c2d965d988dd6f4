//! Bills of materials, in CycloneDX: by cargo-cyclonedx, which knows what a target and features bring in and leaves out
//! what only tests need; and by npm.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{VERSION, made};
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
        let file = to.join(format!("{name}.cdx.json"));
        save(&file, &format!("pkg:cargo/{package}"), &text)?;
    }
    let adapters = Adapters::locate(workspace)?;
    let text = process::output(adapters.npm().args([
        "sbom",
        "--package-lock-only",
        "--sbom-format",
        "cyclonedx",
        "--omit",
        "dev",
    ]))?;
    save(
        &to.join("function-fetch-npm.cdx.json"),
        "pkg:npm/function-fetch",
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
    let subject = bill["metadata"]["component"]["purl"].as_str();
    let is_of_it = subject.is_some_and(|subject| {
        subject
            .strip_prefix(package)
            .and_then(|rest| rest.strip_prefix('@'))
            .is_some_and(|rest| rest.split('?').next() == Some(VERSION))
    });
    let count = bill["components"].as_array().map_or(0, Vec::len);
    if bill["bomFormat"] != "CycloneDX" || !is_of_it || count == 0 {
        bail!("the bill of materials of {package} is of {subject:?}, with {count} components");
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    made(file);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_of_something_else_is_refused() {
        let file =
            std::env::temp_dir().join(format!("function-fetch-{}.cdx.json", std::process::id()));
        let bill = |purl: &str, components: &str| {
            format!(
                r#"{{"bomFormat": "CycloneDX", "metadata": {{"component": {{"purl": "{purl}"}}}}, "components": [{components}]}}"#
            )
        };
        let own = format!("pkg:cargo/a@{VERSION}?download_url=file://.");
        let saved = |bill: &str| save(&file, "pkg:cargo/a", bill.as_bytes());
        assert!(saved(&bill(&own, "{}")).is_ok());
        assert!(file.is_file());
        for wrong in [
            bill(&own, ""),
            bill(&format!("pkg:cargo/ab@{VERSION}"), "{}"),
            bill("pkg:cargo/a@9.9.9", "{}"),
            "{}".to_owned(),
            String::new(),
        ] {
            assert!(saved(&wrong).is_err(), "{wrong}");
        }
        fs::remove_file(&file).unwrap();
    }
}
