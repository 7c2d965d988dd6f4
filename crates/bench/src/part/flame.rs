//! Where the time of a warm request goes: the host's stacks under load, as a flame graph and by layer.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use inferno::collapse::Collapse;
use inferno::collapse::perf::{Folder, Options as Folding};
use inferno::flamegraph::{self, Options};

use crate::bench::Bench;
use crate::load::wrk;
use crate::proxy::{Front, Proxy};
use crate::results::{Metric, Results};
use crate::upstream::{self, Upstream};

const CASE: &str = "flame";

/// How long the stacks are sampled, and how often a second: no multiple of a clock's rate.
const TIME: Duration = Duration::from_secs(10);
const FREQUENCY: &str = "499";

/// Enough for both sides to have work at any time, on one thread.
const CONNECTIONS: u32 = 16;

/// Whose code a sample was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Kernel,
    Component,
    Wasmtime,
    Host,
    Libc,
}

const LAYERS: [(Layer, &str); 5] = [
    (Layer::Kernel, "the kernel"),
    (Layer::Component, "the component, compiled"),
    (Layer::Wasmtime, "wasmtime"),
    (
        Layer::Host,
        "hyper, tokio, the allocator and the rest of the host",
    ),
    (Layer::Libc, "the C library"),
];

/// Samples `function-fetch serve` on one thread.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let upstream = Upstream::start(bench).await?;
    let front = Front {
        options: vec!["--threads=1".to_owned()],
        ..Front::of(&upstream.authorities[..2])
    };
    let proxy = Proxy::FunctionFetch;
    let perf = match (&bench.programs.perf, proxy.missing(bench, &front)) {
        (Ok(perf), None) => perf,
        (Err(reason), _) => {
            results.not_run(CASE, proxy.name(), reason.clone());
            return Ok(());
        }
        (_, Some(reason)) => {
            results.not_run(CASE, proxy.name(), reason);
            return Ok(());
        }
    };
    let server = proxy.start(bench, &front).await?;
    let url = server.url(upstream::SMALL);
    let requests = wrk::Requests {
        url: &url,
        connections: CONNECTIONS,
        script: None,
    };
    wrk::run(bench, &requests, bench.plan.warm_up).await?;
    let samples = bench.folder.join("perf.data");
    let mut record = Command::new(perf);
    record
        .args(["record", "--quiet", "--freq", FREQUENCY])
        .args(["--call-graph", "dwarf,16384", "--pid"])
        .arg(server.id().to_string())
        .arg("--output")
        .arg(&samples)
        .args(["--", "sleep"])
        .arg(TIME.as_secs().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    bench.progress.step(proxy.name().to_owned());
    let mut recording = record.spawn().context("cannot run perf")?;
    let load = wrk::run(bench, &requests, TIME).await;
    let status = recording.wait()?;
    if !status.success() {
        let reason = format!("perf ended with {status}: it may not watch other processes here");
        results.not_run(CASE, proxy.name(), reason);
        return Ok(());
    }
    load?;
    bench.progress.step("stacks".to_owned());
    let script = bench.folder.join("perf.script");
    unwind(perf, &samples, &script)?;
    let text = fs::read(&script).context("cannot read perf's stacks")?;
    let text = String::from_utf8_lossy(&text);
    for (layer, share) in shares(&text)? {
        results.add(CASE, layer, Metric::Share, share);
    }
    draw(&script, &bench.out.join("flame.svg"))
}

/// Writes the stacks as text.
fn unwind(perf: &Path, samples: &Path, script: &Path) -> Result<()> {
    let status = Command::new(perf)
        .args(["script", "--no-inline", "--input"])
        .arg(samples)
        .stdin(Stdio::null())
        .stdout(File::create(script)?)
        .stderr(Stdio::null())
        .status()
        .context("cannot run perf")?;
    if !status.success() {
        bail!("perf cannot read what it has recorded");
    }
    Ok(())
}

fn draw(script: &Path, file: &Path) -> Result<()> {
    let mut folding = Folding::default();
    folding.annotate_kernel = true;
    let mut folded = Vec::new();
    Folder::from(folding)
        .collapse(BufReader::new(File::open(script)?), &mut folded)
        .context("cannot fold perf's stacks")?;
    let mut options = Options::default();
    options.title = "function-fetch serve, GET of 13 bytes, one thread".to_owned();
    // What is narrower cannot be read.
    options.min_width = 0.1;
    flamegraph::from_reader(&mut options, &folded[..], File::create(file)?)
        .context("cannot draw the flame graph")
}

/// The share of each layer by the innermost frames, in percent.
fn shares(script: &str) -> Result<Vec<(&'static str, f64)>> {
    // A sample is a line about it, then its frames from the innermost on, then an empty line.
    let innermost = script.split("\n\n").filter_map(|sample| {
        let mut lines = sample.lines().filter(|line| !line.is_empty());
        lines.next()?;
        lines.next().map(layer)
    });
    let layers: Vec<Layer> = innermost.collect();
    if layers.is_empty() {
        bail!("perf has no samples");
    }
    let share = |layer| {
        let count = layers.iter().filter(|one| **one == layer).count();
        100.0 * count as f64 / layers.len() as f64
    };
    Ok(LAYERS
        .iter()
        .map(|(layer, name)| (*name, share(*layer)))
        .collect())
}

/// `55d0c0ffee wasmtime::runtime::func::invoke+0x12 (/usr/bin/function-fetch)`.
fn layer(frame: &str) -> Layer {
    let (symbol, file) = frame.rsplit_once(" (").unwrap_or((frame, ""));
    if ["[kernel", "[guest.kernel", "[vdso"]
        .iter()
        .any(|start| file.starts_with(start))
    {
        Layer::Kernel
    } else if file.contains("libc.") || file.contains("libm.") {
        Layer::Libc
    } else if file.contains("function-fetch") {
        if symbol.contains("wasmtime") {
            Layer::Wasmtime
        } else {
            Layer::Host
        }
    } else {
        Layer::Component
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "\
function-fetch  12 100.1:  2004008 cpu-clock:
\t    ffffffff8116 tcp_sendmsg+0x10 ([kernel.kallsyms])
\t    7f00000000a1 __send+0x1d (/usr/lib/libc.so.6)

function-fetch  12 100.2:  2004008 cpu-clock:
\t    7f1234567890 [unknown] (/memfd:wasm (deleted))
\t    55d0c0ffee00 wasmtime_fiber::run+0x12 (/target/release/function-fetch)

function-fetch  12 100.3:  2004008 cpu-clock:
\t    55d0c0ffee01 wasmtime::runtime::func::invoke+0x12 (/target/release/function-fetch)

function-fetch  12 100.4:  2004008 cpu-clock:
\t    55d0c0ffee02 hyper::proto::h1::role::parse+0x12 (/target/release/function-fetch)

";

    #[test]
    fn the_innermost_frame_names_the_layer() {
        let shares: Vec<f64> = shares(SCRIPT)
            .unwrap()
            .into_iter()
            .map(|(_, share)| share)
            .collect();
        assert_eq!(shares, [25.0, 25.0, 25.0, 25.0, 0.0]);
        assert!(super::shares("").is_err());
    }
}
