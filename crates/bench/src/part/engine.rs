//! The engine alone, by the benchmarks in `crates/engine/benches`: time by criterion, allocations by a counting
//! allocator, instructions by callgrind.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::bench::Bench;
use crate::results::{Metric, Results};

/// In tables.
pub const CASE: &str = "engine";
/// Both calls of a GET that its target answers well.
pub const WARM_GET: &str = "warm-get-2-targets";

const PACKAGE: &str = "function-fetch-engine";
/// The lengths of two runs in callgrind: their difference has no start-up in it.
const TIMES: [u64; 2] = [1_000, 3_000];

/// Runs them, and reads what they have found.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    bench.progress.step("allocations".to_owned());
    let text = output(cargo_bench("allocations")).await?;
    let counted = allocations(&text);
    if counted.is_empty() {
        bail!("cannot read the output of the allocations' benchmark: {text}");
    }
    for (operation, count) in &counted {
        results.add(CASE, operation, Metric::Allocations, *count);
    }

    bench.progress.step("criterion".to_owned());
    let home = std::path::absolute(bench.out.join("criterion"))?;
    let mut criterion = cargo_bench("engine");
    criterion.env("CRITERION_HOME", &home).arg("--");
    if bench.plan.quick {
        criterion.args(["--warm-up-time", "0.5", "--measurement-time", "1"]);
    }
    output(criterion).await?;
    for (operation, _) in &counted {
        let ns = estimate(&home, operation)?;
        results.add(CASE, operation, Metric::OperationTime, ns);
    }

    match &bench.programs.valgrind {
        Err(reason) => results.not_run(CASE, "instructions", reason.clone()),
        Ok(valgrind) => {
            for (operation, _) in &counted {
                bench.progress.step(format!("callgrind, {operation}"));
                let short = instructions(valgrind, operation, TIMES[0]).await?;
                let long = instructions(valgrind, operation, TIMES[1]).await?;
                let each = (long as f64 - short as f64) / (TIMES[1] - TIMES[0]) as f64;
                results.add(CASE, operation, Metric::Instructions, each);
            }
        }
    }
    Ok(())
}

/// Cargo builds in the folder that it was told for this program.
fn cargo_bench(name: &str) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["bench", "--quiet", "--package", PACKAGE, "--bench", name]);
    command
}

async fn output(command: Command) -> Result<String> {
    Ok(outputs(command).await?.0)
}

/// What it prints on stdout and on stderr.
async fn outputs(mut command: Command) -> Result<(String, String)> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run cargo")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let stderr = text(&output.stderr);
    if !output.status.success() {
        let last: Vec<&str> = stderr.lines().rev().take(3).collect();
        bail!("cargo bench failed: {}", last.join(" / "));
    }
    Ok((text(&output.stdout), stderr))
}

/// Criterion's estimate of the time of one operation, ns.
fn estimate(home: &Path, operation: &str) -> Result<f64> {
    let file = home.join(operation).join("new").join("estimates.json");
    let text = fs::read_to_string(&file)
        .with_context(|| format!("criterion has no {}", file.display()))?;
    let value: Value = serde_json::from_str(&text)?;
    value["median"]["point_estimate"]
        .as_f64()
        .with_context(|| format!("{} has no median", file.display()))
}

async fn instructions(valgrind: &Path, operation: &str, times: u64) -> Result<u64> {
    let runner = format!(
        "target.'cfg(unix)'.runner = ['{}', '--tool=callgrind', '--callgrind-out-file=/dev/null']",
        valgrind.display()
    );
    let mut command = cargo_bench("instructions");
    command.args(["--config", &runner, "--", operation]);
    command.arg(times.to_string());
    let (_, stderr) = outputs(command).await?;
    collected(&stderr).with_context(|| format!("callgrind counted nothing: {stderr}"))
}

/// The sum of `==4242== Collected : 123456`.
pub fn collected(stderr: &str) -> Option<u64> {
    let line = stderr.lines().find(|line| line.contains("Collected"))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Lines of a name and a number.
fn allocations(text: &str) -> Vec<(String, f64)> {
    text.lines()
        .filter_map(|line| {
            let (name, count) = line.trim().rsplit_once(' ')?;
            Some((name.to_owned(), count.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_tools_print() {
        let valgrind = "==7== Events    : Ir\n==7== Collected : 1234567\n==7==\n";
        assert_eq!(collected(valgrind), Some(1_234_567));
        assert_eq!(collected("valgrind: not found"), None);
        assert_eq!(
            allocations("\nwarm-get-2-targets 0\nparse 12.5\n"),
            [
                ("warm-get-2-targets".to_owned(), 0.0),
                ("parse".to_owned(), 12.5)
            ]
        );
    }
}
