//! The components, in the embedded host and in `wasmtime serve`.

use std::path::Path;
use std::process::Command;

use super::{Front, Place};

/// `function-fetch serve` with the component that is built into it.
pub(super) fn function_fetch(host: &Path, front: &Front, place: &Place) -> Command {
    let mut command = serve(host, place);
    set(&mut command, "FETCH_TARGETS", &front.urls());
    for (name, value) in &front.settings {
        set(&mut command, name, value);
    }
    if let Some(authority) = &front.authority {
        command.arg("--ca-file").arg(authority);
    }
    command.args(&front.options);
    command
}

/// `function-fetch serve` with the bare pass-through component.
pub(super) fn pass_through(host: &Path, component: &Path, front: &Front, place: &Place) -> Command {
    let mut command = serve(host, place);
    command.arg(component);
    set(&mut command, "PASSTHROUGH_TARGET", &front.targets[0]);
    let target = format!("http://{}", front.targets[0]);
    command.arg("--allow-outbound").arg(target);
    command.args(&front.options);
    command
}

/// `wasmtime serve` with either, set up as docs/wasmtime.md says.
pub(super) fn wasmtime(program: &Path, component: &Path, front: &Front, place: &Place) -> Command {
    let mut command = Command::new(program);
    // 48 needs the last two for WASI 0.3; 49 accepts them.
    command.args([
        "serve",
        "-S",
        "cli",
        "-S",
        "p3",
        "-W",
        "component-model-async",
        "--max-instance-reuse-count",
        "1000000",
        "--max-instance-concurrent-reuse-count",
        "1000",
        "--idle-instance-timeout",
        "3600s",
    ]);
    command
        .arg("--addr")
        .arg(format!("127.0.0.1:{}", place.port));
    set(&mut command, "FETCH_TARGETS", &front.urls());
    set(&mut command, "PASSTHROUGH_TARGET", &front.targets[0]);
    command.arg(component);
    command
}

/// With the defaults of the embedded host.
fn serve(host: &Path, place: &Place) -> Command {
    let mut command = Command::new(host);
    command
        .args(["serve", "--listen"])
        .arg(format!("127.0.0.1:{}", place.port));
    command
}

fn set(command: &mut Command, name: &str, value: &str) {
    command.arg("--env").arg(format!("{name}={value}"));
}
