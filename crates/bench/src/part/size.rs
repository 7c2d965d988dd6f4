//! Sizes of the components, as they are uploaded.

use std::fs;

use anyhow::Result;

use crate::bench::Bench;
use crate::results::{Metric, Results};

/// In tables.
pub const CASE: &str = "size";
/// The component for Spin and the embedded host.
pub const SPIN: &str = "function-fetch-spin.wasm";

/// Looks at the files.
pub fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let artifacts = &bench.artifacts;
    for (name, file) in [
        (SPIN, &artifacts.spin),
        ("function-fetch-wasi.wasm", &artifacts.wasi),
        ("bare pass-through", &artifacts.passthrough),
    ] {
        match file {
            Ok(file) => {
                let bytes = fs::metadata(file)?.len();
                results.add(CASE, name, Metric::Size, bytes as f64);
            }
            Err(reason) => results.not_run(CASE, name, reason.clone()),
        }
    }
    Ok(())
}
