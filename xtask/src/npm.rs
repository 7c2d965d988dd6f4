//! The adapters' npm package, with its dependencies installed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;
use crate::workspace::Workspace;

/// `adapters/`, ready to run its scripts.
pub struct Adapters {
    folder: PathBuf,
    npm: PathBuf,
}

impl Adapters {
    /// The package, whether or not its dependencies are installed.
    pub fn locate(workspace: &Workspace) -> Result<Self> {
        let npm = which::which("npm").context(
            "npm is not on PATH: install Node.js 22.19 or newer, which includes it (https://nodejs.org)",
        )?;
        Ok(Self {
            folder: workspace.root.join("adapters"),
            npm,
        })
    }

    /// Installs what the lockfile lists, unless it is installed.
    pub fn ensure(workspace: &Workspace) -> Result<Self> {
        let adapters = Self::locate(workspace)?;
        if !adapters.is_installed()? {
            process::run(adapters.npm().arg("ci"))
                .context("cannot install the adapters' dependencies")?;
        }
        Ok(adapters)
    }

    /// A script of `package.json`, with the Node.js of the package's own dependencies, whatever version is on PATH.
    pub fn script(&self, name: &str) -> Result<Command> {
        let mut npm = self.npm();
        npm.args(["run", "--silent", name]);
        // npm does the same for its scripts. But npm itself has to start first, under options for the tests which an
        // older Node.js rejects.
        npm.env("PATH", self.path()?);
        Ok(npm)
    }

    /// A program of its dependencies, by the path of its script in `node_modules`.
    pub fn tool(&self, script: &str) -> Result<Command> {
        let mut tool = Command::new(self.node()?);
        tool.arg(self.folder.join("node_modules").join(script));
        Ok(tool)
    }

    /// The Node.js that runs its scripts.
    pub fn node(&self) -> Result<PathBuf> {
        which::which_in("node", Some(self.path()?), &self.folder).context("Node.js is not on PATH")
    }

    /// The PATH: first the folder of the package's own dependencies.
    fn path(&self) -> Result<OsString> {
        let own = self.folder.join("node_modules").join(".bin");
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths([own].into_iter().chain(std::env::split_paths(&path)))
            .context("the repository's path cannot be used in PATH")
    }

    /// `npm` in the package's folder.
    pub fn npm(&self) -> Command {
        let mut npm = Command::new(&self.npm);
        npm.current_dir(&self.folder);
        npm
    }

    fn is_installed(&self) -> Result<bool> {
        let locked = read(&self.folder.join("package-lock.json"))?;
        // npm's own record of what it has installed; its age says nothing, since npm writes it before the lockfile.
        let note = self.folder.join("node_modules").join(".package-lock.json");
        Ok(note.is_file() && agree(&locked, &read(&note)?))
    }
}

fn read(file: &Path) -> Result<Value> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))
}

/// Whether every locked package is installed in that version. Optional packages are for other machines, and are not
/// installed on this one.
fn agree(locked: &Value, installed: &Value) -> bool {
    let Some(packages) = locked["packages"].as_object() else {
        return false;
    };
    packages
        .iter()
        .filter(|(path, _)| !path.is_empty())
        .all(|(path, package)| {
            let version = &installed["packages"][path]["version"];
            let left_out = version.is_null() && package["optional"] == true;
            left_out || *version == package["version"]
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reports_what_is_missing_or_of_another_version() {
        let locked = json!({ "packages": {
            "": { "version": "0.1.0" },
            "node_modules/a": { "version": "1.0.0" },
            "node_modules/for-windows": { "version": "2.0.0", "optional": true },
        }});
        let installed = |packages| json!({ "packages": packages });
        let good = json!({ "node_modules/a": { "version": "1.0.0" } });
        assert!(agree(&locked, &installed(good)));
        let older = json!({ "node_modules/a": { "version": "0.9.0" } });
        assert!(!agree(&locked, &installed(older)));
        assert!(!agree(&locked, &installed(json!({}))));
        let other = json!({
            "node_modules/a": { "version": "1.0.0" },
            "node_modules/for-windows": { "version": "1.0.0" },
        });
        assert!(!agree(&locked, &installed(other)));
        assert!(!agree(&json!({}), &installed(json!({}))));
    }
}
