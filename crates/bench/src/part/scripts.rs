//! The benchmarks of the adapters for JavaScript, which have their own peers and bounds: what they print is quoted.

use std::process::{Output, Stdio};

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
    let built = ran(build).await?;
    if !built.status.success() {
        bail!("cannot build the adapters: {}", failure(&built));
    }
    bench.progress.step(script.to_owned());
    let mut npm = Command::new("npm");
    npm.args(["run", "--silent", script])
        .current_dir("adapters");
    let output = ran(npm).await?;
    let mut text = printed(&output);
    if !output.status.success() {
        // Its bounds are judged by itself: what it has measured is worth as much where one is missed.
        if text.is_empty() {
            bail!("{}", failure(&output));
        }
        text += &format!("\n{}", failure(&output));
    }
    results.quotes.push(Quote {
        title: format!("npm run {script}"),
        text,
    });
    Ok(())
}

async fn ran(mut command: Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {:?}", command.as_std().get_program()))
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

/// How it ended, and the last that it said of that.
fn failure(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut last: Vec<&str> = stderr.lines().rev().take(3).collect();
    last.reverse();
    format!("{}: {}", output.status, last.join(" / "))
}
