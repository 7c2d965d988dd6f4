//! `cargo xtask soak`: the soak of the end-to-end tests, for as long as it is asked to.

use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{edge, process, server, test};

/// What cargo is given to run it.
pub const TEST: &[&str] = &["--release", "-p", "function-fetch-e2e", "--test", "soak"];

#[derive(clap::Args)]
pub struct Args {
    /// Run only the hosts whose name contains this: embedded, node
    filter: Option<String>,
    /// For each host, in seconds
    #[arg(long, default_value_t = 900, value_parser = clap::value_parser!(u64).range(20..=86_400))]
    seconds: u64,
    /// How the result is printed
    #[arg(long, default_value = "text", value_parser = ["text", "markdown", "json"])]
    format: String,
}

/// Builds what it needs, and runs it.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let environment = test::prepare(&workspace)?;
    let adapters = edge::build(&workspace)?;
    let mut command = process::cargo();
    command
        .current_dir(&workspace.root)
        .arg("test")
        .args(TEST)
        .args(&args.filter)
        .envs(environment)
        .env("FUNCTION_FETCH_NODE", adapters.node()?)
        .env("FUNCTION_FETCH_SOAK_SECONDS", args.seconds.to_string())
        .env("FUNCTION_FETCH_SOAK_FORMAT", &args.format);
    process::echo(&command);
    Ok(server::exit_code(command.status()?))
}
