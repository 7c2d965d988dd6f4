//! cargo-deny, which whoever wants it has installed.

use std::process::Command;

use crate::process;
use crate::workspace::Workspace;

/// Whether there is one.
pub fn is_installed() -> bool {
    which::which("cargo-deny").is_ok()
}

/// Runs some of its checks.
pub fn check(workspace: &Workspace, checks: &[&str]) -> Command {
    let mut command = process::cargo();
    command
        .current_dir(&workspace.root)
        .args(["deny", "--workspace", "--locked", "check"])
        .args(checks);
    command
}
