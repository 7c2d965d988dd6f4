//! `cargo xtask settings`: the reference of the settings, from the engine's table.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use function_fetch_settings::Language;

use crate::process;
use crate::workspace::Workspace;

/// Writes the page in each language. A test in `tests/deploy` fails where what is committed differs.
pub fn run() -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    for language in Language::ALL {
        let file = workspace
            .root
            .join("docs")
            .join(language.file("settings.md"));
        let page = function_fetch_settings::page(language)?;
        fs::write(&file, page).with_context(|| format!("cannot write {}", file.display()))?;
        process::say(&format!("Wrote {}", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}
