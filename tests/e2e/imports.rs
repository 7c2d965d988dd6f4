//! All flavours conform to `wit/world.wit`, and import only what their hosts have. Reads only the built files.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

use function_fetch_cases::repository;
use wasmparser::{Parser, Payload};
use wit_parser::{Resolve, WorldId};

use crate::support::environment::environment;
use crate::support::host::Host;
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    // One host each, so that each file is read once: no host is started.
    suite.on(
        &[Host::Embedded],
        "imports_wasi_and_spin_alone",
        spin_flavour,
    );
    suite.on(&[Host::WasmtimeServe], "imports_wasi_alone", wasi_flavour);
    suite.on(&[Host::Embedded], "conforms_to_its_world", spin_world);
    suite.on(&[Host::WasmtimeServe], "conforms_to_its_world", wasi_world);
    suite.on(
        &[Host::Embedded],
        "the_flavour_for_pipelines_conforms_to_its_world",
        middleware_world,
    );
    suite.on(
        &[Host::Embedded02],
        "imports_wasi_and_spin_alone",
        spin_02_flavour,
    );
    suite.on(&[Host::Wasmtime02], "imports_wasi_alone", wasi_02_flavour);
    suite.on(&[Host::Embedded02], "conforms_to_its_world", spin_02_world);
    suite.on(&[Host::Wasmtime02], "conforms_to_its_world", wasi_02_world);
    suite.on(&[Host::Embedded02], "is_quick_to_load", spin_02_size);
    suite.on(&[Host::Wasmtime02], "is_quick_to_load", wasi_02_size);
}

async fn spin_world(_: Host) {
    conforms(&environment().spin_wasm, "spin-proxy").expect("a host of this world can run it");
    // What it needs beyond the other world is the subject of that check.
    conforms(&environment().spin_wasm, "proxy").expect_err("it needs Spin");
}

async fn middleware_world(_: Host) {
    let file = &environment().middleware_wasm;
    conforms(file, "spin-middleware").expect("a pipeline on a host of this world can run it");
    conforms(file, "spin-proxy").expect_err("it needs a component behind it");
    let (imports, exports) = interfaces(file);
    serves_wasi_0_3(&imports, &exports);
}

async fn wasi_world(_: Host) {
    conforms(&environment().wasi_wasm, "proxy").expect("a host of this world can run it");
}

async fn spin_02_world(_: Host) {
    asks_for_no_more(&environment().spin_02_wasm, "spin-proxy02");
}

async fn wasi_02_world(_: Host) {
    asks_for_no_more(&environment().wasi_02_wasm, "proxy02");
}

/// Whether a component imports what this world of `wit/` does, by any patch version, and exports exactly what it
/// exports.
///
/// The linker raises imports to the standard library's version of the same package: their types are then the other's,
/// and [`conforms`] would treat them as different. Hosts do not, and instantiate it in the other tests.
#[track_caller]
fn asks_for_no_more(file: &Path, world: &str) {
    let (resolve, world) = world_of(world);
    let world = &resolve.worlds[world];
    let offered = world.imports.keys().map(|key| resolve.name_world_key(key));
    let promised = world.exports.keys().map(|key| resolve.name_world_key(key));
    let minor = |name: String| match name.rsplit_once('.') {
        Some((minor, _patch)) => minor.to_owned(),
        None => name,
    };
    let (imports, exports) = interfaces(file);
    let imports: BTreeSet<String> = imports.into_iter().map(minor).collect();
    assert_eq!(imports, offered.map(minor).collect());
    assert_eq!(exports, promised.collect::<Vec<_>>());
}

async fn spin_02_size(_: Host) {
    is_small(&environment().spin_02_wasm);
}

async fn wasi_02_size(_: Host) {
    is_small(&environment().wasi_02_wasm);
}

/// Where each request has its own instance, some hosts also load and compile more often.
#[track_caller]
fn is_small(file: &Path) {
    let bytes = std::fs::metadata(file)
        .expect("the component is built")
        .len();
    assert!(bytes <= 400_000, "{bytes} bytes");
}

/// Whether a component runs wherever the imports of this world of `wit/` are available, and exports its exports.
fn conforms(file: &Path, world: &str) -> Result<(), impl Debug> {
    let (resolve, world) = world_of(world);
    let bytes = std::fs::read(file).expect("the component is built");
    wit_component::targets(&resolve, world, &bytes)
}

fn world_of(name: &str) -> (Resolve, WorldId) {
    let wit = repository().join("wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&wit).expect("sound WIT");
    let world = resolve
        .select_world(&[package], Some(name))
        .expect("it is in there");
    (resolve, world)
}

async fn spin_flavour(_: Host) {
    let (imports, exports) = interfaces(&environment().spin_wasm);
    for name in &imports {
        let known = ["wasi:", "spin:key-value/", "spin:variables/"];
        assert!(known.iter().any(|known| name.starts_with(known)), "{name}");
    }
    for wanted in [
        "spin:key-value/key-value@3.0.0",
        "spin:variables/variables@3.0.0",
    ] {
        assert!(imports.iter().any(|name| name == wanted), "{imports:#?}");
    }
    serves_wasi_0_3(&imports, &exports);
}

async fn wasi_flavour(_: Host) {
    let (imports, exports) = interfaces(&environment().wasi_wasm);
    for name in &imports {
        assert!(name.starts_with("wasi:"), "{name}");
    }
    serves_wasi_0_3(&imports, &exports);
}

async fn spin_02_flavour(_: Host) {
    let (imports, exports) = interfaces(&environment().spin_02_wasm);
    let spin = ["key-value", "variables"].map(|name| format!("fermyon:spin/{name}@2.0.0"));
    for name in &imports {
        assert!(name.starts_with("wasi:") || spin.contains(name), "{name}");
    }
    for wanted in &spin {
        assert!(imports.contains(wanted), "{imports:#?}");
    }
    serves_wasi_0_2(&imports, &exports);
}

async fn wasi_02_flavour(_: Host) {
    let (imports, exports) = interfaces(&environment().wasi_02_wasm);
    for name in &imports {
        assert!(name.starts_with("wasi:"), "{name}");
    }
    serves_wasi_0_2(&imports, &exports);
}

#[track_caller]
fn serves_wasi_0_2(imports: &[String], exports: &[String]) {
    for name in imports.iter().filter(|name| name.starts_with("wasi:")) {
        assert!(name.contains("@0.2."), "{name}");
    }
    // Spin before 3.1 recognises an HTTP component by this very name.
    assert!(
        exports
            .iter()
            .any(|name| name == "wasi:http/incoming-handler@0.2.0"),
        "{exports:#?}"
    );
}

#[track_caller]
fn serves_wasi_0_3(imports: &[String], exports: &[String]) {
    assert!(
        imports
            .iter()
            .any(|name| name.starts_with("wasi:http/client@0.3")),
        "{imports:#?}"
    );
    assert!(
        exports
            .iter()
            .any(|name| name.starts_with("wasi:http/handler@0.3")),
        "{exports:#?}"
    );
    // Spin 4 has 0.3.0 of it, and a host need not have later ones.
    for name in imports.iter().filter(|name| name.contains("@0.3")) {
        assert!(name.ends_with("@0.3.0"), "{name}");
    }
}

/// The names that a component imports and exports at its own level.
fn interfaces(file: &Path) -> (Vec<String>, Vec<String>) {
    let bytes = std::fs::read(file).expect("the component is built");
    let (mut imports, mut exports) = (vec![], vec![]);
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.expect("a sound file") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.expect("a sound file").name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.expect("a sound file").name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    (imports, exports)
}
