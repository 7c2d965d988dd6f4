//! Load generators.

pub mod h2load;
pub mod wrk;

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bench::Bench;
use crate::pinning::Role;

/// What a turn of load has shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Responses.
    pub requests: u64,
    /// Requests per second.
    pub rate: f64,
    /// Median latency, ms.
    pub p50_ms: f64,
    /// 99th percentile, ms.
    pub p99_ms: f64,
    /// Responses that are no success, and broken connections.
    pub failed: u64,
}

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not run.
    #[error("cannot run {0}")]
    Run(&'static str, #[source] std::io::Error),
    /// It ran longer than it was told to.
    #[error("{0} does not end")]
    Hangs(&'static str),
    /// It ended with an error.
    #[error("{program} failed: {stderr}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// Its last line on stderr.
        stderr: String,
    },
    /// Its output is not what it used to be.
    #[error("cannot read the output of {0}: {1}")]
    Output(&'static str, String),
    /// Nothing was answered.
    #[error("{0} got no response")]
    Silent(&'static str),
}

/// Beyond the load itself: to connect, and for the last responses.
const SLACK: Duration = Duration::from_secs(15);

/// Runs a load generator on its cores, and returns what it prints.
async fn output(
    bench: &Bench,
    program: &'static str,
    command: Command,
    load: Duration,
) -> Result<String, Error> {
    let mut command = tokio::process::Command::from(bench.pinning.apply(Role::Load, command));
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(load + SLACK, command.output())
        .await
        .map_err(|_| Error::Hangs(program))?
        .map_err(|error| Error::Run(program, error))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Failed {
            program,
            stderr: stderr.lines().last().unwrap_or_default().to_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
