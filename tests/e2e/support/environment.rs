//! What `cargo xtask test` passes to this suite.

use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The built files and the programs that run them.
pub struct Environment {
    /// The `function-fetch` command.
    pub bin: PathBuf,
    /// The component's Spin flavour.
    pub spin_wasm: PathBuf,
    /// The component's plain WASI flavour.
    pub wasi_wasm: PathBuf,
    /// The Spin flavour for WASI 0.2.
    pub spin_02_wasm: PathBuf,
    /// The plain flavour for WASI 0.2.
    pub wasi_02_wasm: PathBuf,
    /// The origins that can be composed with it, `tests/origin`.
    pub origin_wasm: PathBuf,
    /// The bare component of the benchmarks, `crates/bench/passthrough`, which is not this product.
    pub passthrough_wasm: PathBuf,
    /// The component that is built for a pipeline.
    pub middleware_wasm: PathBuf,
    /// The component of Spin's template `function-fetch-app`.
    pub spin_app_wasm: PathBuf,
    /// The example of an embedder, `crates/host/examples/embed.rs`.
    pub embed_example: PathBuf,
    /// A real `wasmtime`.
    pub wasmtime: PathBuf,
    /// `spin`, where it is installed.
    pub spin: Option<PathBuf>,
    /// `h2spec`, where it is installed.
    pub h2spec: Option<PathBuf>,
    /// Prometheus' linter, where it is installed.
    pub promtool: Option<PathBuf>,
    /// A Redis server, if one was found.
    pub redis: Option<PathBuf>,
    /// A Python with httpbin, if it could be installed.
    pub httpbin: Option<PathBuf>,
    /// The adapters' Node.js, if they could be built.
    pub node: Option<PathBuf>,
}

impl Environment {
    fn read() -> Result<Self, String> {
        let path = |name: &str| {
            let value = env::var_os(name).ok_or(format!("{name} is not set"))?;
            let path = PathBuf::from(value);
            if path.exists() {
                Ok(path)
            } else {
                Err(format!("{name}: {} does not exist", path.display()))
            }
        };
        Ok(Self {
            bin: path("FUNCTION_FETCH_BIN")?,
            spin_wasm: path("FUNCTION_FETCH_SPIN_WASM")?,
            wasi_wasm: path("FUNCTION_FETCH_WASI_WASM")?,
            spin_02_wasm: path("FUNCTION_FETCH_SPIN_02_WASM")?,
            wasi_02_wasm: path("FUNCTION_FETCH_WASI_02_WASM")?,
            origin_wasm: path("FUNCTION_FETCH_ORIGIN_WASM")?,
            passthrough_wasm: path("FUNCTION_FETCH_PASSTHROUGH_WASM")?,
            middleware_wasm: path("FUNCTION_FETCH_MIDDLEWARE_WASM")?,
            spin_app_wasm: path("FUNCTION_FETCH_SPIN_APP_WASM")?,
            embed_example: path("FUNCTION_FETCH_EMBED_EXAMPLE")?,
            wasmtime: path("WASMTIME")?,
            spin: path("SPIN").ok(),
            h2spec: path("H2SPEC").ok(),
            promtool: path("PROMTOOL").ok(),
            redis: path("REDIS_SERVER").ok(),
            httpbin: path("FUNCTION_FETCH_HTTPBIN").ok(),
            node: path("FUNCTION_FETCH_NODE").ok(),
        })
    }
}

/// The environment of this run, or what is missing from it.
pub fn checked() -> Result<&'static Environment, &'static str> {
    static READ: OnceLock<Result<Environment, String>> = OnceLock::new();
    READ.get_or_init(Environment::read)
        .as_ref()
        .map_err(String::as_str)
}

/// The environment of this run.
pub fn environment() -> &'static Environment {
    checked().unwrap_or_else(|missing| panic!("{missing}: run `cargo xtask test`"))
}
