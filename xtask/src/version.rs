//! Versions as tools print them, and their order.

use std::ffi::OsStr;
use std::fmt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// Major, minor, patch; a suffix (`-rc.1`, a commit) is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64, pub u64, pub u64);

impl Version {
    /// Runs `program --version`, and accepts the output only from a program that calls itself `name`: Debian, for
    /// example, has a model checker named `spin`.
    pub fn of(program: &OsStr, name: &str) -> Result<Self> {
        let output = process::output(Command::new(program).arg("--version"))?;
        let output = String::from_utf8_lossy(&output);
        Self::printed(&output, name).with_context(|| {
            let line = output.lines().next().unwrap_or_default();
            format!(
                "`{} --version` printed `{line}` instead of `{name} X.Y.Z`",
                program.to_string_lossy()
            )
        })
    }

    /// Reads `name X.Y.Z …`, where a `v` may precede the version.
    fn printed(output: &str, name: &str) -> Option<Self> {
        let mut words = output.split_whitespace();
        if words.next()? != name {
            return None;
        }
        let version = words.next()?;
        let mut numbers = version
            .strip_prefix('v')
            .unwrap_or(version)
            .split(['.', '-', '+'])
            .map(|number| number.parse().ok());
        Some(Self(numbers.next()??, numbers.next()??, numbers.next()??))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_tools_print() {
        for (output, name, expected) in [
            (
                "wasmtime 49.0.3 (f96eabaa1 2026-10-14)\n",
                "wasmtime",
                Some(Version(49, 0, 3)),
            ),
            ("mdbook v0.5.4\n", "mdbook", Some(Version(0, 5, 4))),
            ("wasmtime 48.0.8", "wasmtime", Some(Version(48, 0, 8))),
            (
                "spin 4.1.0 (abc 2026-11-01)",
                "spin",
                Some(Version(4, 1, 0)),
            ),
            (
                "spin 4.2.0-pre0 (abc 2026-11-01)",
                "spin",
                Some(Version(4, 2, 0)),
            ),
            ("Spin Version 6.5.2 -- 6 December 2019", "spin", None),
            ("wasmtime", "wasmtime", None),
            ("", "wasmtime", None),
        ] {
            assert_eq!(Version::printed(output, name), expected, "{output}");
        }
    }

    #[test]
    fn compares_by_number() {
        assert!(Version(49, 0, 0) > Version(48, 0, 8));
        assert!(Version(9, 0, 0) < Version(10, 0, 0));
    }
}
