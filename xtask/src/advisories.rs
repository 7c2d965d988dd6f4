//! Known vulnerabilities of the dependencies, in the databases of RustSec and npm. They change without a commit, and need
//! a network: where one cannot be asked, that is said, and nothing fails.

use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cargo_deny;
use crate::npm::Adapters;
use crate::process;
use crate::workspace::Workspace;

/// What cargo-deny says when it has no database.
const NO_DATABASE: &str = "failed to fetch advisory database";

/// Checks `Cargo.lock`. cargo-deny must be installed.
pub fn of_crates(workspace: &Workspace) -> Result<()> {
    let output = quietly(&mut cargo_deny::check(workspace, &["advisories"]))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    if said.contains(NO_DATABASE) {
        eprintln!("Advisories of crates are not checked: their database cannot be reached");
        return Ok(());
    }
    bail!("a crate has an advisory:\n{said}");
}

/// Checks what the npm package needs where it is installed, without the tools of its development.
pub fn of_npm_packages(adapters: &Adapters) -> Result<()> {
    let output = quietly(adapters.npm().args(["audit", "--omit=dev", "--json"]))?;
    match serious(&output.stdout) {
        Some(0) => Ok(()),
        Some(count) => bail!(
            "{count} npm packages have advisories: `npm audit --omit=dev` in adapters/ lists them"
        ),
        None => {
            eprintln!(
                "Advisories of npm packages are not checked: the registry does not answer `npm audit`"
            );
            Ok(())
        }
    }
}

/// How many packages have advisories of severity moderate or more; nothing, if this is no report.
fn serious(report: &[u8]) -> Option<u64> {
    let report: Value = serde_json::from_slice(report).ok()?;
    let counts = report.get("metadata")?.get("vulnerabilities")?;
    let severities = ["moderate", "high", "critical"];
    severities
        .iter()
        .map(|name| counts.get(name)?.as_u64())
        .sum()
}

fn quietly(command: &mut Command) -> Result<Output> {
    process::echo(command);
    command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {:?}", command.get_program()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_told_from_an_error() {
        let report = |counts: &str| format!(r#"{{"metadata": {{"vulnerabilities": {counts}}}}}"#);
        let clean = report(r#"{"info": 1, "low": 2, "moderate": 0, "high": 0, "critical": 0}"#);
        assert_eq!(serious(clean.as_bytes()), Some(0));
        let bad = report(r#"{"info": 0, "low": 0, "moderate": 1, "high": 2, "critical": 3}"#);
        assert_eq!(serious(bad.as_bytes()), Some(6));
        for error in [
            r#"{"message": "405 Method Not Allowed", "error": {}}"#,
            "",
            "[]",
        ] {
            assert_eq!(serious(error.as_bytes()), None, "{error}");
        }
    }
}
