//! `wit/` is a package that others can use as it is: it resolves without a network, every item of it is documented, and
//! it survives the binary form of registries. Reads only files.

use function_fetch_cases::repository;
use wit_component::DecodedWasm;
use wit_parser::{PackageId, Resolve};

use crate::promises;
use crate::support::host::{EMBEDDED, Host};
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EMBEDDED,
        [
            the_wit_package_survives_the_form_of_registries,
            the_wit_package_has_the_version_of_the_product,
            every_item_of_the_wit_package_is_documented,
        ]
    );
}

fn package() -> (Resolve, PackageId) {
    let wit = repository().join("wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&wit).expect("sound WIT");
    (resolve, package)
}

/// Each world by its name, with its imports and exports by theirs.
fn worlds(resolve: &Resolve, package: PackageId) -> Vec<(String, Vec<String>, Vec<String>)> {
    let of = |id: &wit_parser::WorldId| {
        let world = &resolve.worlds[*id];
        let names = |items: &wit_parser::IndexMap<wit_parser::WorldKey, wit_parser::WorldItem>| {
            let mut names: Vec<_> = items
                .keys()
                .map(|key| resolve.name_world_key(key))
                .collect();
            names.sort();
            names
        };
        (
            world.name.clone(),
            names(&world.imports),
            names(&world.exports),
        )
    };
    let mut worlds: Vec<_> = resolve.packages[package].worlds.values().map(of).collect();
    worlds.sort();
    worlds
}

async fn the_wit_package_survives_the_form_of_registries(_: Host) {
    let (resolve, id) = package();
    let before = worlds(&resolve, id);
    for name in ["adapter", "proxy", "spin-proxy"] {
        assert!(
            before.iter().any(|(world, ..)| world == name),
            "{before:#?}"
        );
    }
    let binary = wit_component::encode(&resolve, id).expect("it can be encoded");
    let decoded = wit_component::decode(&binary).expect("what was encoded can be read");
    let DecodedWasm::WitPackage(resolve, id) = decoded else {
        panic!("it is a component");
    };
    assert_eq!(worlds(&resolve, id), before);
}

async fn the_wit_package_has_the_version_of_the_product(_: Host) {
    let (resolve, id) = package();
    assert_eq!(
        resolve.packages[id].name.to_string(),
        format!("function-fetch:edge@{}", env!("CARGO_PKG_VERSION"))
    );
}

async fn every_item_of_the_wit_package_is_documented(_: Host) {
    let (resolve, id) = package();
    let package = &resolve.packages[id];
    let mut silent = Vec::new();
    let mut check = |name: String, docs: &wit_parser::Docs| {
        if docs
            .contents
            .as_deref()
            .is_none_or(|text| text.trim().is_empty())
        {
            silent.push(name);
        }
    };
    for (name, world) in &package.worlds {
        check(name.clone(), &resolve.worlds[*world].docs);
    }
    for (name, interface) in &package.interfaces {
        let interface = &resolve.interfaces[*interface];
        check(name.clone(), &interface.docs);
        for (item, id) in &interface.types {
            check(format!("{name}.{item}"), &resolve.types[*id].docs);
        }
        for (item, function) in &interface.functions {
            check(format!("{name}.{item}"), &function.docs);
        }
    }
    assert_eq!(silent, Vec::<String>::new());
}
