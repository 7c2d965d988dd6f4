//! What was built of this repository, as `cargo xtask bench` names it in the environment.

use std::path::PathBuf;

/// What was built; each is missing for a reason.
pub struct Artifacts {
    /// The embedded host.
    pub host: Result<PathBuf, String>,
    /// The component for Spin, whose size is measured.
    pub spin: Result<PathBuf, String>,
    /// The component for any WASI host.
    pub wasi: Result<PathBuf, String>,
    /// The bare component of `crates/bench/passthrough`.
    pub passthrough: Result<PathBuf, String>,
    /// A `wasmtime` command.
    pub wasmtime: Result<PathBuf, String>,
}

impl Artifacts {
    /// The names are those that the end-to-end tests use.
    pub fn from_environment() -> Self {
        Self {
            host: named("FUNCTION_FETCH_BIN"),
            spin: named("FUNCTION_FETCH_SPIN_WASM"),
            wasi: named("FUNCTION_FETCH_WASI_WASM"),
            passthrough: named("FUNCTION_FETCH_PASSTHROUGH_WASM"),
            wasmtime: named("WASMTIME"),
        }
    }
}

fn named(variable: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{variable} is not set: start it by `cargo xtask bench`"))?;
    if !path.is_file() {
        return Err(format!("{variable}: there is no {}", path.display()));
    }
    // Servers are started in other folders.
    std::path::absolute(&path).map_err(|error| format!("{variable}: {error}"))
}
