//! `cargo xtask lint`: rustfmt, clippy on every target that the code is for, the documentation, the
//! dependencies, and the workflows.
//! Warnings are errors.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::actionlint;
use crate::advisories;
use crate::cargo_deny;
use crate::components::Flavour;
use crate::origin;
use crate::packages::{self, selected};
use crate::process;
use crate::spin_app;
use crate::toolchain::{self, BARE_TARGET, COMPONENT_TARGET};
use crate::workspace::Workspace;
use crate::{edge, fuzz, playground};

/// Runs every check, so that one run shows everything to fix.
pub fn run() -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    toolchain::ensure_lint_tools()?;
    toolchain::ensure_target(COMPONENT_TARGET)?;
    toolchain::ensure_target(BARE_TARGET)?;

    let mut checks = checks(&workspace);
    checks.extend(fuzz_checks(&workspace));
    let has_cargo_deny = cargo_deny::is_installed();
    if has_cargo_deny {
        // By `deny.toml`.
        checks.push(cargo_deny::check(
            &workspace,
            &["bans", "licenses", "sources"],
        ));
    } else {
        eprintln!(
            "Dependencies are not checked, since cargo-deny is not installed (`cargo install --locked cargo-deny`)"
        );
    }
    let mut failures = Vec::new();
    for mut check in checks {
        if let Err(error) = process::run(&mut check) {
            failures.push(error);
        }
    }
    if has_cargo_deny && let Err(error) = advisories::of_crates(&workspace) {
        failures.push(error);
    }
    // The types of the adapters and of the playground come from what is generated.
    let playground = playground::folder(&workspace);
    match edge::build(&workspace).and_then(|_| playground::build(&workspace, &playground)) {
        Ok(adapters) => {
            let mut lint = adapters.script("lint")?;
            failures.extend(process::run(&mut lint).err());
            failures.extend(actionlint::check(&workspace, &adapters).err());
            failures.extend(advisories::of_npm_packages(&adapters).err());
        }
        Err(error) => failures.push(error),
    }
    for failure in &failures {
        eprintln!("error: {failure:#}");
    }
    Ok(if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The fuzz targets. They are checked without the runtime of the fuzzer, which is only to be linked.
fn fuzz_checks(workspace: &Workspace) -> [Command; 2] {
    let mut format = fuzz::cargo(workspace, "fmt");
    format.arg("--check");
    let mut clippy = fuzz::cargo(workspace, "clippy");
    clippy.args([
        "--features",
        "libfuzzer",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    [format, clippy]
}

/// The checks, the fast ones first.
fn checks(workspace: &Workspace) -> Vec<Command> {
    let cargo = |arguments: &[&[&str]]| {
        let mut command = process::cargo();
        command
            .current_dir(&workspace.root)
            .args(arguments.concat());
        command
    };
    let deny: &[&str] = &["--", "-D", "warnings"];
    let documentation = |arguments: &[&str]| {
        let mut command = cargo(&[&["doc", "--no-deps", "--lib"], arguments]);
        command.env("RUSTDOCFLAGS", "-D warnings");
        command
    };
    let component = |flavour: Flavour| {
        let build: &[&str] = &[
            "clippy",
            "-p",
            flavour.package(),
            "--lib",
            "--target",
            COMPONENT_TARGET,
        ];
        cargo(&[build, flavour.features(), deny])
    };
    vec![
        cargo(&[&["fmt", "--all", "--check"]]),
        cargo(&[
            &["clippy"],
            &selected(&packages::OF_THE_PRODUCT),
            &selected(&[
                "function-fetch-simulator",
                "function-fetch-bench",
                "function-fetch-deploy",
                playground::PACKAGE,
                "xtask",
            ]),
            &["--all-targets"],
            deny,
        ]),
        cargo(&[&[
            "check",
            "-p",
            "function-fetch-engine",
            "--target",
            BARE_TARGET,
        ]]),
        cargo(&[
            &[
                "clippy",
                "-p",
                edge::PACKAGE,
                "-p",
                playground::PACKAGE,
                "--target",
                BARE_TARGET,
            ],
            deny,
        ]),
        component(Flavour::Spin),
        component(Flavour::Wasi),
        component(Flavour::Middleware),
        component(Flavour::Spin02),
        component(Flavour::Wasi02),
        cargo(&[
            &[
                "clippy",
                "-p",
                origin::PACKAGE,
                "-p",
                spin_app::PACKAGE,
                "-p",
                "function-fetch-passthrough",
                "--target",
                COMPONENT_TARGET,
            ],
            deny,
        ]),
        cargo(&[
            &[
                "clippy",
                "-p",
                "function-fetch",
                "-p",
                "function-fetch-e2e",
                "--all-targets",
            ],
            deny,
        ]),
        // In release, like every build of the host, to share the outputs of the build scripts (SQLite, ring).
        cargo(&[
            &[
                "clippy",
                "--release",
                "-p",
                "function-fetch-host",
                "--all-targets",
            ],
            deny,
        ]),
        documentation(&selected(&packages::OF_THE_PRODUCT)),
        documentation(&selected(&[
            "function-fetch-simulator",
            playground::PACKAGE,
        ])),
        documentation(&["--release", "-p", "function-fetch-host"]),
    ]
}
