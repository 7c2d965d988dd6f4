//! The benchmarks of the adapters for JavaScript, which have their own peers and bounds: what they print is quoted.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::bench::Bench;
use crate::results::{Quote, Results};

/// Builds what the adapters need, and runs one script of their package.
pub async fn run(script: &str, bench: &Bench, results: &mut Results) -> Result<()> {
    bench.progress.step("builds".to_owned());
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["xtask", "build", "--edge"]);
    output(build).await.context("cannot build the adapters")?;
    bench.progress.step(script.to_owned());
    let mut npm = Command::new("npm");
    npm.args(["run", "--silent", script])
        .current_dir("adapters");
    results.quotes.push(Quote {
        title: format!("npm run {script}"),
        text: output(npm).await?,
    });
    Ok(())
}

async fn output(mut command: Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {:?}", command.as_std().get_program()))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = stderr.lines().rev().take(3).collect();
        bail!("{}: {}", output.status, last.join(" / "));
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}
