//! Where and how a run was made: without it, its numbers mean little.

use std::fs;
use std::process::Command;

use serde::Serialize;

use crate::bench::Bench;

/// Where and how.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The command that makes the results again.
    pub command: String,
    /// Seconds since the Unix epoch.
    pub started_at: u64,
    /// Of this repository; `-dirty` when something is not committed.
    pub commit: String,
    /// The processor.
    pub cpu: String,
    /// The system's kernel.
    pub kernel: String,
    /// How cores were shared.
    pub pinning: String,
    /// Rounds, and seconds of load in each.
    pub rounds: u32,
    /// Of load for each turn.
    pub seconds: u64,
    /// Of the machine's last minute, when the run began: a load beside the bench's own disturbs it.
    pub load_average: String,
    /// Of every program that is compared.
    pub versions: Vec<String>,
}

impl Run {
    /// Looks around.
    pub async fn describe(bench: &Bench) -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let epoch = std::time::SystemTime::UNIX_EPOCH.elapsed();
        Self {
            command: format!("cargo xtask bench {}", arguments.join(" "))
                .trim_end()
                .to_owned(),
            started_at: epoch.map_or(0, |since| since.as_secs()),
            commit: first_line("git", &["describe", "--always", "--dirty"]),
            cpu: cpu(),
            kernel: file("/proc/sys/kernel/osrelease"),
            pinning: bench.pinning.describe(),
            rounds: bench.plan.rounds,
            seconds: bench.plan.load.as_secs(),
            load_average: file("/proc/loadavg")
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned(),
            versions: versions(bench),
        }
    }
}

fn cpu() -> String {
    let text = file("/proc/cpuinfo");
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    name.map_or_else(
        || std::env::consts::ARCH.to_owned(),
        |name| name.trim_start_matches([' ', '\t', ':']).to_owned(),
    )
}

fn versions(bench: &Bench) -> Vec<String> {
    let programs = &bench.programs;
    [
        (&programs.nginx, "-v"),
        (&programs.haproxy, "-v"),
        (&programs.caddy, "version"),
        (&programs.wrk, "-v"),
        (&programs.h2load, "--version"),
        (&bench.artifacts.wasmtime, "--version"),
        (&bench.artifacts.host, "--version"),
    ]
    .into_iter()
    .filter_map(|(program, option)| {
        let program = program.as_ref().ok()?;
        let name = program.file_name()?.to_string_lossy();
        let line = first_line(&program.to_string_lossy(), &[option]);
        // Caddy says only the number.
        Some(if line.to_lowercase().contains(name.as_ref()) {
            line
        } else {
            format!("{name} {line}")
        })
    })
    .collect()
}

/// The first line of what a program prints, on stdout or on stderr.
fn first_line(program: &str, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        return "unknown".to_owned();
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    text.lines().next().unwrap_or("unknown").trim().to_owned()
}

fn file(path: &str) -> String {
    fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}
