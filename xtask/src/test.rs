//! `cargo xtask test`: every suite, and one line that sums them up.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::components::{self, Flavour};
use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{host, process, spin, wasmtime_cli};

#[derive(clap::Args)]
pub struct Args {
    /// Run only the tests whose name contains this
    filter: Option<String>,
    /// Leave out the end-to-end tests, and with them the components, the host's binary and wasmtime
    #[arg(long)]
    no_e2e: bool,
}

/// A command that runs tests, and what to call it when it fails.
struct Suite {
    name: &'static str,
    command: Command,
}

/// Runs every suite whatever the others do: one run shows everything that fails.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let filter = args.filter.as_deref();
    let suite = |name, arguments: &[&str]| {
        let mut command = process::cargo();
        command
            .current_dir(&workspace.root)
            .args(["test", "--no-fail-fast"])
            .args(arguments)
            .args(filter);
        Suite { name, command }
    };

    // Everything is built first, so that a component which does not compile shows within the first minutes. The
    // suites that can do without still run.
    let artifacts = if args.no_e2e {
        None
    } else {
        Some(prepare(&workspace))
    };

    let mut suites = vec![
        // The dev profile: its debug assertions check the engine's invariant after each step.
        suite(
            "engine and driver",
            &["-p", "function-fetch-engine", "-p", "function-fetch-driver"],
        ),
        // Release: its tests are hours of virtual time.
        suite(
            "simulator",
            &["--release", "-p", "function-fetch-simulator"],
        ),
        // Release: shares the host's one build of wasmtime.
        suite("host", &["--release", "-p", "function-fetch-host"]),
    ];
    let mut failed = Vec::new();
    match artifacts {
        None => {}
        Some(Ok(environment)) => {
            let mut e2e = suite(
                "end to end",
                &["--release", "-p", "function-fetch", "--test", "e2e"],
            );
            e2e.command.envs(environment);
            suites.push(e2e);
        }
        Some(Err(error)) => failed.push(format!("end to end: {error:#}")),
    }
    suites.push(suite("xtask", &["-p", "xtask"]));

    // What could not be prepared is a failure that no runner will print.
    let mut total = Tally {
        failed: failed.len() as u64,
        ..Tally::default()
    };
    for Suite { name, mut command } in suites {
        let mut tally = Tally::default();
        if let Err(error) = process::tee(&mut command, |line| tally.read(line)).flatten() {
            failed.push(format!("{name}: {error:#}"));
            // It did not compile, or died before its closing line.
            tally.failed = tally.failed.max(1);
        }
        total.passed += tally.passed;
        total.failed += tally.failed;
        total.skipped += tally.skipped;
    }

    if let Some(filter) = filter
        && total.is_empty()
    {
        bail!("no test has a name that contains {filter:?}");
    }
    for failure in &failed {
        eprintln!("failed: {failure}");
    }
    process::say(&format!("function-fetch: {total}"));
    Ok(if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Builds what the end-to-end tests run, and returns the environment in which they find it.
fn prepare(workspace: &Workspace) -> Result<Vec<(&'static str, OsString)>> {
    // Spin last: its flavour is then the one that cargo leaves where `spin.toml` looks for it.
    let wasi = components::build(workspace, Flavour::Wasi)?;
    let spin = components::build(workspace, Flavour::Spin)?;
    let host = host::build(workspace)?;
    let wasmtime = wasmtime_cli::ensure(workspace)?;
    let mut environment = vec![
        ("FUNCTION_FETCH_BIN", host.into()),
        ("FUNCTION_FETCH_SPIN_WASM", spin.into()),
        ("FUNCTION_FETCH_WASI_WASM", wasi.into()),
        ("WASMTIME", wasmtime.into()),
    ];
    match spin::find() {
        Ok(spin) => environment.push(("SPIN", spin.into())),
        Err(why) => eprintln!("Tests on Spin will be skipped: {why:#}"),
    }
    Ok(environment)
}
