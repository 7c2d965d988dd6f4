//! Components made smaller by binaryen's `wasm-opt`, by a sixth.
//!
//! It reads core modules only, so the one that matters is taken out of the component and put back. The version is the one
//! that the adapters pin.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasm_encoder::{Component, RawSection};
use wasmparser::{Chunk, Parser, Payload};

use crate::npm::Adapters;
use crate::process;

/// In `node_modules`.
const WASM_OPT: &str = "binaryen/bin/wasm-opt";

/// What Rust's target has enabled: no instruction beyond these, or a host might not know it.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Names for tools that print components.
const NAMES: &str = "component-name";

/// The linker's own modules are smaller: shims of a kilobyte.
const LEAST_BYTES: usize = 10_000;

/// Optimises the component in `from` into `to`.
pub fn component(adapters: &Adapters, from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let module = to.with_extension("core.wasm");
    let optimized = rebuilt(&bytes, |core| {
        fs::write(&module, core)?;
        let mut wasm_opt = adapters.tool(WASM_OPT)?;
        wasm_opt
            .arg(&module)
            .args(FEATURES)
            .args(["-Oz", "--strip-debug", "--strip-producers", "-o"])
            .arg(&module);
        process::run(&mut wasm_opt)?;
        let smaller = fs::read(&module)?;
        fs::remove_file(&module)?;
        Ok(smaller)
    })
    .with_context(|| format!("cannot optimise {}", from.display()))?;
    fs::write(to, optimized).with_context(|| format!("cannot write {}", to.display()))
}

/// The component with its own core module as `optimize` returns it, and without names.
fn rebuilt(component: &[u8], optimize: impl Fn(&[u8]) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let mut parser = Parser::new(0);
    let mut rebuilt = Component::new();
    let mut found = false;
    let mut at = 0;
    while at < component.len() {
        let Chunk::Parsed { consumed, payload } = parser.parse(&component[at..], true)? else {
            bail!("it is cut off");
        };
        at += consumed;
        let Some((id, range)) = payload.as_section() else {
            continue;
        };
        let data = component.get(range.clone()).context("it is cut off")?;
        let data = match payload {
            Payload::ModuleSection { .. } if data.len() >= LEAST_BYTES => {
                found = true;
                Cow::Owned(optimize(data)?)
            }
            Payload::CustomSection(section) if section.name() == NAMES => continue,
            _ => Cow::Borrowed(data),
        };
        rebuilt.section(&RawSection { id, data: &data });
        // Past a nested module or component, of which only the head has been parsed.
        at = at.max(range.end);
    }
    if !found {
        bail!("it has no core module of {LEAST_BYTES} bytes");
    }
    Ok(rebuilt.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{CustomSection, Module, ModuleSection};

    fn module(bytes: usize) -> Module {
        let data = vec![7; bytes];
        let mut module = Module::new();
        module.section(&CustomSection {
            name: "filling".into(),
            data: data.into(),
        });
        module
    }

    fn component(modules: &[&Module]) -> Vec<u8> {
        let mut component = Component::new();
        for module in modules {
            component.section(&ModuleSection(module));
            component.section(&CustomSection {
                name: NAMES.into(),
                data: b"names"[..].into(),
            });
        }
        component.finish()
    }

    #[test]
    fn the_large_module_is_replaced_and_names_are_left_out() {
        let (shim, large, small) = (module(100), module(LEAST_BYTES), module(3));
        let given = component(&[&shim, &large]);
        let wanted = {
            let mut component = Component::new();
            component.section(&ModuleSection(&shim));
            component.section(&ModuleSection(&small));
            component.finish()
        };
        let optimized = rebuilt(&given, |core| {
            assert_eq!(core, large.as_slice());
            Ok(small.as_slice().to_vec())
        });
        assert_eq!(optimized.unwrap(), wanted);
    }

    #[test]
    fn what_is_no_such_component_is_refused() {
        let large = component(&[&module(LEAST_BYTES)]);
        for given in [
            &b""[..],
            b"no wasm",
            &component(&[&module(100)]),
            &large[..large.len() / 2],
        ] {
            assert!(rebuilt(given, |core| Ok(core.to_vec())).is_err());
        }
    }
}
