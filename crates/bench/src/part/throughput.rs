//! A steady load on every proxy in turn: requests per second, CPU, latency, memory.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::Part;
use crate::bench::Bench;
use crate::load::{h2load, wrk};
use crate::proxy::{self, Front, Proxy};
use crate::results::{Metric, Results};
use crate::server::Server;
use crate::upstream::{self, Upstream};
use crate::{load, proc};

/// How many targets Function Fetch has, unless their number is what is measured.
const TARGETS: usize = 2;
/// On each connection over HTTP/2.
const STREAMS: u32 = 8;

/// What is sent in one part.
struct Work {
    path: &'static str,
    connections: u32,
    post: bool,
}

/// One that is measured, and is up.
pub struct Runner<'a> {
    /// Its name in tables.
    pub name: String,
    /// Its process.
    pub server: &'a Server,
}

/// Measures one part.
pub async fn run(part: Part, bench: &Bench, results: &mut Results) -> Result<()> {
    let work = work(part);
    let upstream = Upstream::start(bench).await?;
    let front = match part {
        Part::Tls => Front {
            authority: Some(upstream.certificate.authority.clone()),
            ..Front::of(&upstream.tls_authorities)
        },
        Part::H2 => Front {
            http2: true,
            ..Front::of(&upstream.authorities[..TARGETS])
        },
        _ => Front::of(&upstream.authorities[..TARGETS]),
    };
    let case = part.name();
    let mut servers = Vec::new();
    for proxy in proxy::ALL {
        // The upstream speaks neither: there is nothing to compare.
        if proxy == Proxy::Direct && matches!(part, Part::Tls | Part::H2) {
            continue;
        }
        if let Some(reason) = proxy.missing(bench, &front) {
            results.not_run(case, proxy.name(), reason);
        } else if proxy == Proxy::Direct {
            servers.push((proxy, None));
        } else {
            bench.progress.step(format!("{} starts", proxy.name()));
            match proxy.start(bench, &front).await {
                Ok(server) => servers.push((proxy, Some(server))),
                Err(error) => results.not_run(case, proxy.name(), format!("{error:#}")),
            }
        }
    }
    let runners = servers
        .iter()
        .map(|(proxy, server)| Runner {
            name: proxy.name().to_owned(),
            server: server.as_ref().unwrap_or(&upstream.server),
        })
        .collect();
    let script = work.post.then(|| post_script(bench)).transpose()?;
    let put_load = async |runner: &Runner<'_>, duration| {
        let url = runner.server.url(work.path);
        if front.http2 {
            let requests = h2load::Requests {
                url: &url,
                connections: work.connections / STREAMS,
                streams: STREAMS,
            };
            h2load::run(bench, &requests, duration).await
        } else {
            let requests = wrk::Requests {
                url: &url,
                connections: work.connections,
                script: script.as_ref(),
            };
            wrk::run(bench, &requests, duration).await
        }
    };
    interleave(case, runners, put_load, bench, results).await;
    Ok(())
}

/// Loads all of them by turns, round by round. One that fails is left out from then on.
pub async fn interleave<'a>(
    case: &str,
    mut runners: Vec<Runner<'a>>,
    put_load: impl AsyncFn(&Runner<'a>, std::time::Duration) -> Result<load::Load, load::Error>,
    bench: &Bench,
    results: &mut Results,
) {
    for round in 0..=bench.plan.rounds {
        let is_warm_up = round == 0;
        let duration = if is_warm_up {
            bench.plan.warm_up
        } else {
            bench.plan.load
        };
        let mut failed = Vec::new();
        // Another one begins each round: none always runs after the same neighbour.
        let first = round.saturating_sub(1) as usize % runners.len().max(1);
        for turn in 0..runners.len() {
            let runner = &runners[(first + turn) % runners.len()];
            bench.progress.step(if is_warm_up {
                format!("warm-up, {}", runner.name)
            } else {
                format!("round {round} of {}, {}", bench.plan.rounds, runner.name)
            });
            let before = proc::cpu_us(runner.server.id());
            let outcome = put_load(runner, duration).await;
            let cpu = proc::cpu_us(runner.server.id()) - before;
            match outcome {
                Err(error) => {
                    let reason = format!("{:#}", anyhow::Error::from(error));
                    results.not_run(case, &runner.name, reason);
                    failed.push(runner.name.clone());
                }
                Ok(_) if is_warm_up => {}
                Ok(load) => {
                    let mut add = |metric, sample| results.add(case, &runner.name, metric, sample);
                    add(Metric::Rate, load.rate);
                    add(Metric::Cpu, cpu / load.requests as f64);
                    add(Metric::P50, load.p50_ms);
                    add(Metric::P99, load.p99_ms);
                    add(Metric::Failed, load.failed as f64);
                }
            }
        }
        runners.retain(|runner| !failed.contains(&runner.name));
    }
    for runner in runners {
        let peak = proc::peak_rss_mib(runner.server.id());
        results.add(case, &runner.name, Metric::PeakRss, peak);
    }
}

fn work(part: Part) -> Work {
    let get = |path, connections| Work {
        path,
        connections,
        post: false,
    };
    match part {
        Part::Small1 => get(upstream::SMALL, 1),
        Part::Small256 => get(upstream::SMALL, 256),
        Part::Large64 => get(upstream::LARGE, 64),
        Part::Post64 => Work {
            path: upstream::SINK,
            connections: 64,
            post: true,
        },
        _ => get(upstream::SMALL, 64),
    }
}

/// wrk's script for a POST of 64 KiB.
fn post_script(bench: &Bench) -> Result<PathBuf> {
    let file = bench.folder.join("post.lua");
    let body = upstream::LARGE_BYTES;
    let script = format!("wrk.method = \"POST\"\nwrk.body = string.rep(\"x\", {body})\n");
    fs::write(&file, script)?;
    Ok(file)
}
