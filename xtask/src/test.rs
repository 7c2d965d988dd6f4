//! `cargo xtask test`: every suite, and one line with the totals.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::components::{self, Flavour, Optimizer};
use crate::packages::{self, selected};
use crate::summary::Summary;
use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{
    bench, chromium, edge, fuzz, host, httpbin, origin, playground, process, promtool, redis, soak,
    spin, spin_app, wasmtime_cli,
};

/// The suite whose tests are named after their hosts.
const END_TO_END: &str = "end to end";

/// The variable with the Redis server of the tests.
const REDIS_SERVER: &str = "REDIS_SERVER";

#[derive(clap::Args)]
pub struct Args {
    /// Run only the tests whose name contains this
    filter: Option<String>,
    /// Leave out the end-to-end tests and the adapters', and with them the components, the host's binary, wasmtime and
    /// Node.js
    #[arg(long)]
    no_e2e: bool,
    /// Write what passed, failed and was skipped to this file, as a Markdown table by suite and by host
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Of the matrix of faults, run all combinations (`all`), or those whose name contains this, instead of a sample
    #[arg(long, conflicts_with = "no_e2e")]
    matrix: Option<String>,
}

/// A command that runs tests, and its name in errors.
struct Suite {
    name: &'static str,
    command: Command,
}

/// Runs every suite even if others fail: one run shows everything that fails.
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

    // Everything is built first, so that a component which does not compile shows within the first minutes. The suites
    // that do not need it still run.
    let artifacts = if args.no_e2e {
        None
    } else {
        Some(prepare(&workspace))
    };

    let adapters = (!args.no_e2e).then(|| edge::build(&workspace));

    let redis = match &artifacts {
        Some(Ok(environment)) => environment.iter().find(|(name, _)| *name == REDIS_SERVER),
        _ => None,
    };
    // Release: shares the host's one build of wasmtime.
    let mut host = suite("host", &["--release", "-p", "function-fetch-host"]);
    host.command.envs(redis.cloned());

    let mut suites = vec![
        // The dev profile: its debug assertions check the engine's invariant after each step.
        suite("engine and driver", &selected(&packages::OF_THE_PRODUCT)),
        // Release: its tests are hours of virtual time.
        suite(
            "simulator",
            &[
                "--release",
                "-p",
                "function-fetch-simulator",
                "-p",
                playground::PACKAGE,
            ],
        ),
        host,
    ];
    let mut failed = Vec::new();
    let mut node = None;
    let chromium = (!args.no_e2e).then(chromium::ensure);
    if let Some(Err(why)) = &chromium {
        eprintln!("Tests in a browser will be skipped: {why:#}");
    }
    let chromium = chromium.and_then(Result::ok);
    match adapters {
        None => {}
        Some(Ok(adapters)) => {
            node = Some(adapters.node()?);
            let mut command = adapters.script("test")?;
            command.envs(redis.cloned());
            command.envs(chromium.iter().map(|program| ("CHROMIUM", program)));
            if let Some(filter) = filter {
                command.env("NODE_OPTIONS", name_filter(filter));
            }
            suites.push(Suite {
                name: "adapters",
                command,
            });
        }
        Some(Err(error)) => failed.push(format!("adapters: {error:#}")),
    }
    let page = playground::folder(&workspace);
    match (!args.no_e2e).then(|| playground::build(&workspace, &page)) {
        None => {}
        Some(Ok(adapters)) => {
            let mut command = adapters.script("test:playground")?;
            command.env("FUNCTION_FETCH_PLAYGROUND", &page);
            command.envs(chromium.iter().map(|program| ("CHROMIUM", program)));
            if let Some(filter) = filter {
                command.env("NODE_OPTIONS", name_filter(filter));
            }
            suites.push(Suite {
                name: "playground",
                command,
            });
        }
        Some(Err(error)) => failed.push(format!("playground: {error:#}")),
    }
    match artifacts {
        None => {}
        Some(Ok(environment)) => {
            let mut e2e = suite(
                END_TO_END,
                &["--release", "-p", "function-fetch-e2e", "--test", "e2e"],
            );
            let mut soak = suite("soak", soak::TEST);
            // They compare the manifests' options with those of the programs.
            let mut deploy = suite("deploy", &["-p", "function-fetch-deploy"]);
            deploy.command.envs(environment.clone());
            suites.push(deploy);
            for suite in [&mut e2e, &mut soak] {
                suite.command.envs(environment.clone());
                let node = node.clone();
                suite
                    .command
                    .envs(node.map(|node| ("FUNCTION_FETCH_NODE", node)));
            }
            e2e.command.envs(
                args.matrix
                    .as_ref()
                    .map(|cases| ("FUNCTION_FETCH_MATRIX", cases)),
            );
            suites.push(e2e);
            suites.push(soak);
        }
        Some(Err(error)) => failed.push(format!("end to end: {error:#}")),
    }
    let mut fuzzed = fuzz::cargo(&workspace, "test");
    fuzzed.args(filter);
    suites.push(Suite {
        name: "fuzz",
        command: fuzzed,
    });
    suites.push(suite(
        "xtask and bench",
        &["-p", "xtask", "-p", "function-fetch-bench"],
    ));

    // What could not be prepared is a failure that no runner prints.
    let mut total = Tally {
        failed: failed.len() as u64,
        ..Tally::default()
    };
    let mut summary = Summary::default();
    for Suite { name, mut command } in suites {
        let mut tally = Tally::default();
        let watch = |line: &str| {
            tally.read(line);
            if name == END_TO_END {
                summary.read(line);
            }
        };
        if let Err(error) = process::tee(&mut command, watch).flatten() {
            failed.push(format!("{name}: {error:#}"));
            // It did not compile, or crashed before its closing line.
            tally.failed = tally.failed.max(1);
        }
        total.passed += tally.passed;
        total.failed += tally.failed;
        total.skipped += tally.skipped;
        summary.add(name, tally);
    }

    if let Some(filter) = filter
        && total.is_empty()
    {
        bail!("no test has a name that contains {filter:?}");
    }
    for failure in &failed {
        eprintln!("failed: {failure}");
    }
    if let Some(file) = &args.summary {
        let table = summary.table(&title()?);
        fs::write(file, table).with_context(|| format!("cannot write {}", file.display()))?;
    }
    process::say(&format!("function-fetch: {total}"));
    Ok(if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Which run it was.
fn title() -> Result<String> {
    let output = |program: &str, arguments: &[&str]| -> Result<String> {
        let output = process::output(Command::new(program).args(arguments))?;
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    };
    let commit = output("git", &["rev-parse", "--short", "HEAD"])?;
    let date = output("date", &["-u", "+%Y-%m-%d"])?;
    Ok(format!("`cargo xtask test` at commit {commit}, {date}."))
}

/// The options that make Node.js run only the tests whose name contains `filter`, in however many runs the script
/// starts.
fn name_filter(filter: &str) -> String {
    // Node.js takes a regular expression, and interprets a backslash and a quote in the variable's value.
    let mut pattern = String::new();
    for character in filter.chars() {
        match character {
            '\\' => pattern.push_str(r"\\\\"),
            '"' => pattern.push_str(r#"\""#),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' | '|' | '/' => {
                pattern.push_str(r"\\");
                pattern.push(character);
            }
            _ => pattern.push(character),
        }
    }
    format!("--test-name-pattern=\"{pattern}\"")
}

/// Builds what the end-to-end tests run, and returns the environment variables with its paths.
pub fn prepare(workspace: &Workspace) -> Result<Vec<(&'static str, OsString)>> {
    let optimizer = Optimizer::find(workspace)?;
    // Spin last: its flavour is then the one that cargo leaves where `spin.toml` expects it.
    let wasi_02 = components::build(workspace, Flavour::Wasi02, &optimizer)?;
    let spin_02 = components::build(workspace, Flavour::Spin02, &optimizer)?;
    let wasi = components::build(workspace, Flavour::Wasi, &optimizer)?;
    let middleware = components::build(workspace, Flavour::Middleware, &optimizer)?;
    let spin = components::build(workspace, Flavour::Spin, &optimizer)?;
    let host = host::build(workspace)?;
    let embed_example = host::build_embed_example(workspace)?;
    let origin = origin::build(workspace)?;
    let spin_app = spin_app::build(workspace)?;
    let passthrough = bench::build_passthrough(workspace)?;
    let wasmtime = wasmtime_cli::ensure(workspace)?;
    let mut environment = vec![
        ("FUNCTION_FETCH_BIN", host.into()),
        ("FUNCTION_FETCH_SPIN_WASM", spin.into()),
        ("FUNCTION_FETCH_WASI_WASM", wasi.into()),
        ("FUNCTION_FETCH_SPIN_02_WASM", spin_02.into()),
        ("FUNCTION_FETCH_WASI_02_WASM", wasi_02.into()),
        ("FUNCTION_FETCH_EMBED_EXAMPLE", embed_example.into()),
        ("FUNCTION_FETCH_ORIGIN_WASM", origin.into()),
        ("FUNCTION_FETCH_MIDDLEWARE_WASM", middleware.into()),
        ("FUNCTION_FETCH_SPIN_APP_WASM", spin_app.into()),
        ("FUNCTION_FETCH_PASSTHROUGH_WASM", passthrough.into()),
        ("WASMTIME", wasmtime.into()),
    ];
    match redis::ensure(workspace) {
        Ok(redis) => environment.push((REDIS_SERVER, redis.into())),
        Err(why) => eprintln!("Tests of a shared Redis will be skipped: {why:#}"),
    }
    match httpbin::ensure(workspace) {
        Ok(python) => environment.push(("FUNCTION_FETCH_HTTPBIN", python.into())),
        Err(why) => eprintln!("Tests with httpbin will be skipped: {why:#}"),
    }
    match promtool::ensure(workspace) {
        Ok(promtool) => environment.push(("PROMTOOL", promtool.into())),
        Err(why) => eprintln!("Tests with promtool will be skipped: {why:#}"),
    }
    match spin::find() {
        Ok(spin) => environment.push(("SPIN", spin.into())),
        Err(why) => eprintln!("Tests on Spin will be skipped: {why:#}"),
    }
    // In no registry that can be installed from here: a program in Go, which is used where somebody has it.
    match which::which("h2spec") {
        Ok(h2spec) => environment.push(("H2SPEC", h2spec.into())),
        Err(_) => eprintln!("The tests of h2spec will be skipped: it is not on PATH"),
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_escaped_for_node() {
        for (filter, options) in [
            ("flap", r#"--test-name-pattern="flap""#),
            ("node::a b", r#"--test-name-pattern="node::a b""#),
            (r#"a.b(c)"#, r#"--test-name-pattern="a\\.b\\(c\\)""#),
            (r#"say "x\y""#, r#"--test-name-pattern="say \"x\\\\y\"""#),
        ] {
            assert_eq!(name_filter(filter), options);
        }
    }
}
