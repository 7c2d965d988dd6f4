//! From a file to something that can be instantiated per request: read, compile, link.

use crate::error::one_line;
use crate::instance::InstanceState;
use crate::{Error, guest_limits, key_value, spin02, variables};
use std::borrow::Cow;
use std::path::PathBuf;
use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, Config, Engine};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

/// The first bytes of every WebAssembly binary.
const WASM_MAGIC: &[u8] = b"\0asm";
/// What follows them in a component, unlike in a core module.
const COMPONENT_LAYER: &[u8] = &[0x0d, 0x00, 0x01, 0x00];

const PROVIDED: &str = "WASI 0.2 and 0.3, wasi:http, spin:key-value@3.0.0, spin:variables@3.0.0 and the same two of fermyon:spin@2.0.0";

/// A component, compiled and linked, and the engine it was compiled for.
pub(crate) struct Loaded {
    pub(crate) engine: Engine,
    pub(crate) pre: ProxyPre<InstanceState>,
}

/// Where a component comes from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ComponentSource {
    /// From this file.
    File(PathBuf),
    /// From memory: compiled into the program with `include_bytes!`, or fetched from a registry.
    Bytes(Cow<'static, [u8]>),
}

impl ComponentSource {
    /// From the file at `path`.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// From memory.
    pub fn bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// Function Fetch itself, where it is built in: the feature `built-in-component`, in a release build.
    #[must_use]
    pub fn built_in() -> Option<Self> {
        #[cfg(built_in_component)]
        let component = Some(&include_bytes!(concat!(env!("OUT_DIR"), "/component.wasm"))[..]);
        #[cfg(not(built_in_component))]
        let component: Option<&[u8]> = None;
        component.map(Self::bytes)
    }

    /// Its name in errors.
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Bytes(_) => "the given component".to_owned(),
        }
    }

    fn read(&self) -> Result<Cow<'_, [u8]>, Error> {
        match self {
            Self::File(path) => {
                std::fs::read(path)
                    .map(Cow::Owned)
                    .map_err(|source| Error::ReadComponent {
                        path: path.to_owned(),
                        source,
                    })
            }
            Self::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        }
    }
}

/// Reads and compiles a component, unless `cache` has it compiled. Compiling takes about a second of all cores for each
/// ten megabytes.
pub(crate) fn load(source: &ComponentSource, cache: Option<Cache>) -> Result<Loaded, Error> {
    let bytes = source.read()?;
    let unusable = |reason: String| Error::Component {
        component: source.name(),
        reason,
    };
    if !bytes.starts_with(WASM_MAGIC) {
        return Err(unusable("is not WebAssembly".to_owned()));
    }
    if !bytes[WASM_MAGIC.len()..].starts_with(COMPONENT_LAYER) {
        return Err(unusable(
            "is a core WebAssembly module, not a component: build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"
                .to_owned(),
        ));
    }

    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .cache(cache);
    let engine = Engine::new(&config).map_err(|error| Error::Engine(describe(&error)))?;
    guest_limits::count_epochs(&engine).map_err(Error::Threads)?;
    let component = Component::from_binary(&engine, &bytes)
        .map_err(|error| unusable(format!("is not a valid component: {}", describe(&error))))?;
    let linker = linker(&engine).map_err(|error| Error::Engine(describe(&error)))?;
    let instance_pre = linker.instantiate_pre(&component).map_err(|error| {
        unusable(format!(
            "needs imports that this host does not provide ({PROVIDED}): {}",
            describe(&error)
        ))
    })?;

    let pre = match p3::bindings::ServicePre::new(instance_pre.clone()) {
        Ok(pre) => ProxyPre::P3(pre),
        Err(_) => ProxyPre::P2(p2::bindings::ProxyPre::new(instance_pre).map_err(|_| {
            unusable(
                "does not serve HTTP: it exports neither wasi:http/handler@0.3.0 nor wasi:http/incoming-handler@0.2"
                    .to_owned(),
            )
        })?),
    };
    Ok(Loaded { engine, pre })
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    key_value::add_to_linker(&mut linker)?;
    variables::add_to_linker(&mut linker)?;
    spin02::add_to_linker(&mut linker)?;
    Ok(linker)
}

fn describe(error: &wasmtime::Error) -> String {
    one_line(&format!("{error:#}"))
}
