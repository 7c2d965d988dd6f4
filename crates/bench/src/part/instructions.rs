//! Instructions of the host for a warm request, by callgrind: the same on a busy machine, so that a change of a few percent
//! shows. What the kernel does is not in it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::client::Client;
use crate::origin::Origin;
use crate::part::engine::collected;
use crate::proxy::{Front, Proxy};
use crate::results::{Metric, Results};

const CASE: &str = "instructions";

/// The lengths of two runs: their difference has no start in it.
const REQUESTS: [usize; 2] = [50, 250];

/// Counts both components.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let origin = Origin::start(Duration::ZERO).await?;
    let front = Front {
        // The same instance serves all requests.
        options: [
            "threads=1",
            "max-instance-reuse-count=1000000",
            "idle-instance-timeout=60s",
        ]
        .map(|option| format!("--{option}"))
        .to_vec(),
        ..Front::of(&[origin.authority()])
    };
    for proxy in [Proxy::FunctionFetch, Proxy::PassThrough] {
        let valgrind = match (&bench.programs.valgrind, proxy.missing(bench, &front)) {
            (Ok(valgrind), None) => valgrind,
            (Err(reason), _) => {
                results.not_run(CASE, proxy.name(), reason.clone());
                continue;
            }
            (_, Some(reason)) => {
                results.not_run(CASE, proxy.name(), reason);
                continue;
            }
        };
        bench.progress.step(proxy.name().to_owned());
        // What it compiles now, the next starts find compiled: for the processor that valgrind shows, which may lack
        // what this one has.
        instructions(bench, proxy, &front, valgrind, 0).await?;
        let few = instructions(bench, proxy, &front, valgrind, REQUESTS[0]).await?;
        let many = instructions(bench, proxy, &front, valgrind, REQUESTS[1]).await?;
        let each = (many as f64 - few as f64) / (REQUESTS[1] - REQUESTS[0]) as f64;
        results.add(CASE, proxy.name(), Metric::Instructions, each);
    }
    Ok(())
}

async fn instructions(
    bench: &Bench,
    proxy: Proxy,
    front: &Front,
    valgrind: &Path,
    requests: usize,
) -> Result<u64> {
    let runner = |command: Command| {
        let mut counted = Command::new(valgrind);
        counted
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => counted.env(name, value),
                None => counted.env_remove(name),
            };
        }
        counted
    };
    let server = proxy.start_by(bench, front, runner).await?;
    let mut client = Client::connect(server.address).await?;
    for _ in 0..requests {
        client.get("/").await?;
    }
    drop(client);
    let text = server.end().await?;
    collected(&text).with_context(|| format!("callgrind counted nothing: {text}"))
}
