//! `cargo xtask lint`: rustfmt, and clippy with its warnings denied, on every target that the code is for.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::components::Flavour;
use crate::process;
use crate::toolchain::{self, BARE_TARGET, COMPONENT_TARGET};
use crate::workspace::Workspace;

/// Runs every check, so that one run shows everything there is to correct.
pub fn run() -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    toolchain::ensure_lint_tools()?;
    toolchain::ensure_target(COMPONENT_TARGET)?;
    toolchain::ensure_target(BARE_TARGET)?;

    let mut failures = Vec::new();
    for mut check in checks(&workspace) {
        if let Err(error) = process::run(&mut check) {
            failures.push(error);
        }
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

/// The checks, cheap ones first.
fn checks(workspace: &Workspace) -> Vec<Command> {
    let cargo = |arguments: &[&[&str]]| {
        let mut command = process::cargo();
        command
            .current_dir(&workspace.root)
            .args(arguments.concat());
        command
    };
    let deny: &[&str] = &["--", "-D", "warnings"];
    let component: &[&str] = &[
        "clippy",
        "-p",
        "function-fetch",
        "--lib",
        "--target",
        COMPONENT_TARGET,
    ];
    vec![
        cargo(&[&["fmt", "--all", "--check"]]),
        cargo(&[
            &[
                "clippy",
                "-p",
                "function-fetch-engine",
                "-p",
                "function-fetch-driver",
                "-p",
                "function-fetch-simulator",
                "-p",
                "xtask",
                "--all-targets",
            ],
            deny,
        ]),
        cargo(&[&[
            "check",
            "-p",
            "function-fetch-engine",
            "--target",
            BARE_TARGET,
        ]]),
        cargo(&[component, Flavour::Spin.features(), deny]),
        cargo(&[component, Flavour::Wasi.features(), deny]),
        cargo(&[&["clippy", "-p", "function-fetch", "--all-targets"], deny]),
        // In release, like every build of the host: the build scripts' outputs (SQLite, ring) are then shared.
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
    ]
}
