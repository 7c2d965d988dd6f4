//! The soak: traffic of every kind at saturation, in front of targets that die, recover, slow down and lie, beside
//! clients that are slow on purpose. What must hold meanwhile is judged request by request, and memory, descriptors and
//! the shutdown over the whole run.
//!
//! `cargo xtask soak` runs it; `cargo xtask test` for half a minute on each host.

mod abuse;
mod faults;
mod ledger;
mod load;
mod report;
mod run;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared with the suite of the promises")]
mod support;
mod target;
mod verdict;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use report::{Format, Report};
use run::SoakHost;

/// For each host, in seconds.
const SECONDS: &str = "FUNCTION_FETCH_SOAK_SECONDS";
/// `text`, `markdown` or `json`.
const FORMAT: &str = "FUNCTION_FETCH_SOAK_FORMAT";

const DEFAULT_SECONDS: u64 = 30;
/// Below that no phase is long enough to show anything.
const LEAST_SECONDS: u64 = 20;
const MOST_SECONDS: u64 = 24 * 60 * 60;

fn main() -> ExitCode {
    let arguments = libtest_mimic::Arguments::from_args();
    let asked_for = |name: &str| {
        let filter = arguments.filter.as_deref();
        filter.is_none_or(|part| format!("soak::{name}").contains(part))
    };
    let hosts: Vec<_> = SoakHost::ALL
        .into_iter()
        .filter(|host| asked_for(host.name()))
        .collect();
    if arguments.list {
        for host in hosts {
            println!("soak::{}: test", host.name());
        }
        return ExitCode::SUCCESS;
    }
    if hosts.is_empty() {
        println!("test result: ok. 0 passed; 0 failed; 0 ignored");
        return ExitCode::SUCCESS;
    }
    if let Err(missing) = support::environment::checked() {
        eprintln!("{missing}: run `cargo xtask test`");
        return ExitCode::FAILURE;
    }
    match soak(&hosts) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went well.
fn soak(hosts: &[SoakHost]) -> Result<bool, String> {
    let seconds = match std::env::var(SECONDS) {
        Ok(text) => text
            .parse()
            .ok()
            .filter(|seconds| (LEAST_SECONDS..=MOST_SECONDS).contains(seconds))
            .ok_or(format!(
                "{SECONDS}={text}: a whole number from {LEAST_SECONDS} to {MOST_SECONDS}"
            ))?,
        Err(_) => DEFAULT_SECONDS,
    };
    let format = match std::env::var(FORMAT) {
        Ok(text) => text
            .parse::<Format>()
            .map_err(|why| format!("{FORMAT}={text}: {why}"))?,
        Err(_) => Format::Text,
    };
    let mut reports = Vec::new();
    let mut skipped = 0;
    for &host in hosts {
        if let Some(reason) = host.missing() {
            println!("skipped: soak::{}: {reason}", host.name());
            skipped += 1;
            continue;
        }
        // Two threads: the proxy has to get its share of a small machine.
        let report: Report = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?
            .block_on(run::soak(host, Duration::from_secs(seconds)));
        let outcome = if report.is_good() { "ok" } else { "FAILED" };
        println!("test soak::{} ... {outcome}", host.name());
        reports.push(report);
    }
    println!("{}", report::render(&reports, format));
    let failed = reports.iter().filter(|report| !report.is_good()).count();
    println!(
        "test result: {}. {} passed; {failed} failed; {skipped} ignored",
        if failed == 0 { "ok" } else { "FAILED" },
        reports.len() - failed,
    );
    Ok(failed == 0)
}
