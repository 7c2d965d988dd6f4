//! A run as a table for people, JSON for programs, and plots.

mod plot;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use crate::machine::Run;
use crate::results::Results;
use crate::verdict::judge;

pub use table::markdown;

/// Writes `bench.md`, `bench.json` and the plots.
pub fn write(folder: &Path, run: &Run, results: &Results) -> Result<()> {
    let put = |name: &str, text: String| {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    };
    put("bench.md", markdown(run, results))?;
    let value = json!({
        "run": run,
        "verdicts": judge(results),
        "results": results,
    });
    put("bench.json", serde_json::to_string_pretty(&value)? + "\n")?;
    plot::draw(folder, run, results)
}
