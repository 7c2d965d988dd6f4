//! `cargo xtask bench`: Function Fetch beside other proxies on one machine.
//!
//! Everything that is compared runs in turns within each round, so that what else the machine does hits all alike: the
//! ratios within one run are what counts.

mod artifacts;
mod bench;
mod certificate;
mod client;
mod load;
mod machine;
mod origin;
mod part;
mod pinning;
mod plan;
mod proc;
mod programs;
mod progress;
mod proxy;
mod report;
mod results;
mod server;
mod upstream;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::artifacts::Artifacts;
use crate::bench::Bench;
use crate::machine::Run;
use crate::part::Part;
use crate::pinning::{Pin, Pinning};
use crate::plan::Plan;
use crate::programs::Programs;
use crate::progress::Progress;
use crate::results::Results;

/// The exit code of a run that was stopped by a signal.
const STOPPED: u8 = 130;

/// Measures Function Fetch beside other proxies, and judges it by the targets
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Cli {
    /// The central figures in fewer and shorter rounds: under ten minutes
    #[arg(long)]
    quick: bool,

    /// Parts to run [default: all; with --quick the central ones]
    #[arg(long, value_name = "NAME", num_args = 1.., value_enum)]
    only: Vec<Part>,

    /// Rounds in which all proxies take turns [default: 5; 3 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Seconds of load for each proxy in each round [default: 6; 2 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: Option<u64>,

    /// How load generator, proxies and upstream share the cores
    #[arg(long, value_enum, default_value_t = Pin::Auto)]
    pin: Pin,

    /// Folder for the table, the JSON and the plots
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // When a signal comes, the run is dropped, and with it every process that it started.
    let outcome = tokio::select! {
        outcome = run(&cli) => outcome,
        stopped = stopped() => stopped,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

async fn stopped() -> Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    eprintln!("Stopped; the processes that the bench started are ended");
    Ok(ExitCode::from(STOPPED))
}

async fn run(cli: &Cli) -> Result<ExitCode> {
    let plan = Plan::new(cli.quick, cli.rounds, cli.seconds);
    let parts = part::chosen(&cli.only, cli.quick);
    std::fs::create_dir_all(&cli.out)
        .with_context(|| format!("cannot make {}", cli.out.display()))?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let pinning = Pinning::new(cli.pin);
    let bench = Bench {
        artifacts: Artifacts::from_environment(),
        programs: Programs::ensure(&parts).await,
        progress: Progress::new(parts.len()),
        folder: folder.path().to_owned(),
        out: cli.out.clone(),
        plan,
        pinning,
    };
    let run = Run::describe(&bench).await;
    let mut results = Results::default();
    let mut broken = false;
    for part in parts {
        bench.progress.part(part.name());
        if let Err(error) = part.run(&bench, &mut results).await {
            broken = true;
            let reason = format!("{error:#}");
            bench
                .progress
                .say(&format!("{} failed: {reason}", part.name()));
            results.not_run(part.name(), "all", reason);
        }
        bench.progress.part_done();
        // After each one: what was measured is not lost if the run is stopped.
        report::write(&cli.out, &run, &results)?;
    }
    bench.progress.finish();
    print!("{}", report::markdown(&run, &results));
    eprintln!("Written to {}", cli.out.display());
    Ok(if broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_measurements_of_the_documentation_can_be_run() -> Result<()> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").context("run by cargo")?;
        let root = std::path::Path::new(&package).join("../..");
        let mut seen = 0;
        for (page, command) in function_fetch_pages::typed(&root, &["cargo"])? {
            let [_, xtask, bench, options @ ..] = &command.words[..] else {
                continue;
            };
            if xtask != "xtask" || bench != "bench" {
                continue;
            }
            Cli::try_parse_from([bench].into_iter().chain(options))
                .with_context(|| page.display().to_string())?;
            seen += 1;
        }
        assert!(seen > 5, "{seen}");
        Ok(())
    }
}
