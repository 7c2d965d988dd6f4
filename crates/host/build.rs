//! Builds the component that is part of the command: what `function-fetch serve` runs without a file.
//!
//! Only for release builds, since it takes a minute the first time: a development build, such as an editor's check,
//! has none. The component is built in the target folder of the host's own build. That cannot wait for a lock that the
//! outer cargo holds: the component has a profile of its own, and cargo locks the folders of profiles.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";
/// Compiled for speed, unlike the components that are sent to other hosts.
const COMPONENT_PROFILE: &str = "built-in";
const WITHOUT: &str = "or build with --no-default-features, without a component built in";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(built_in_component)");
    let wanted = env::var_os("CARGO_FEATURE_BUILT_IN_COMPONENT").is_some();
    if !wanted || env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    match build() {
        Ok(()) => println!("cargo::rustc-cfg=built_in_component"),
        Err(reason) => {
            println!("cargo::error={reason}");
            std::process::exit(1);
        }
    }
}

fn build() -> Result<(), String> {
    let host = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = host
        .ancestors()
        .nth(2)
        .filter(|root| root.join("src/lib.rs").is_file())
        .ok_or_else(|| format!("the component's source is not beside this package: build it in a clone of the repository, {WITHOUT}"))?;
    for source in [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "crates/component",
        "crates/driver",
        "crates/engine",
        "crates/status",
        "status",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    let rustc = variable("RUSTC")?;
    let libraries =
        run(Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]))?;
    if !Path::new(libraries.trim()).is_dir() {
        return Err(format!(
            "Rust's standard library for {TARGET}, which the built-in component needs, is missing: run `rustup target add {TARGET}`, {WITHOUT}"
        ));
    }
    let out = PathBuf::from(variable("OUT_DIR")?);
    // target/release/build/function-fetch-host-…/out
    let target_folder = out
        .ancestors()
        .nth(4)
        .ok_or("OUT_DIR is not in a target folder")?;
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .current_dir(root)
        .args(["build", "--locked", "--package", "function-fetch", "--lib"])
        .args(["--profile", COMPONENT_PROFILE, "--target", TARGET])
        .arg("--target-dir")
        .arg(target_folder);
    // What the outer cargo, or clippy, has set for the host is not for the component.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let of_this_build = [
            "CARGO_FEATURE_",
            "CARGO_CFG_",
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_PROFILE_",
        ];
        if of_this_build.iter().any(|start| name.starts_with(start)) {
            cargo.env_remove(&*name);
        }
    }
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC",
        "CLIPPY_ARGS",
        "TARGET",
        "PROFILE",
        "OPT_LEVEL",
        "DEBUG",
    ] {
        cargo.env_remove(name);
    }
    run(&mut cargo)?;
    let built = target_folder
        .join(TARGET)
        .join(COMPONENT_PROFILE)
        .join("function_fetch.wasm");
    std::fs::copy(&built, out.join("component.wasm"))
        .map(drop)
        .map_err(|error| format!("cannot copy {}: {error}", built.display()))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}, which cargo sets: {error}"))
}

/// Runs a command to its end, and returns what it printed.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run {command:?}: {error}"))?;
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!(
            "the built-in component cannot be built: {command:?} failed ({}), see its messages",
            output.status
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
