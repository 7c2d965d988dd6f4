//! Both flavours are what `wit/world.wit` says, and import only what their hosts have. Reads the built files alone.

use std::fmt::Debug;
use std::path::Path;

use wasmparser::{Parser, Payload};
use wit_parser::Resolve;

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
}

async fn spin_world(_: Host) {
    conforms(&environment().spin_wasm, "spin-proxy").expect("a host of this world can run it");
    // What it needs beyond the other world is what that check is about.
    conforms(&environment().spin_wasm, "proxy").expect_err("it needs Spin");
}

async fn wasi_world(_: Host) {
    conforms(&environment().wasi_wasm, "proxy").expect("a host of this world can run it");
}

/// Whether a component runs wherever there is what this world of `wit/` imports, and exports what it exports.
fn conforms(file: &Path, world: &str) -> Result<(), impl Debug> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&wit).expect("sound WIT");
    let world = resolve
        .select_world(&[package], Some(world))
        .expect("it is in there");
    let bytes = std::fs::read(file).expect("the component is built");
    wit_component::targets(&resolve, world, &bytes)
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
