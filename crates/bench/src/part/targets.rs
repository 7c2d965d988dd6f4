//! What more targets cost, and one that is down: Function Fetch alone, warm.

use anyhow::Result;

use super::throughput::{Runner, interleave};
use crate::bench::Bench;
use crate::load::wrk;
use crate::proxy::{Front, Proxy};
use crate::results::Results;
use crate::server::free_port;
use crate::upstream::{SMALL, Upstream};

/// In tables.
pub const CASE: &str = "targets";
/// The least that a ranking needs.
pub const FEWEST: &str = "2 targets";
/// As many as the engine takes.
pub const MOST: &str = "32 targets";

const CONNECTIONS: u32 = 64;

/// Measures them by turns.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let upstream = Upstream::start(bench).await?;
    let of = |count: usize| upstream.authorities[..count].to_vec();
    // Nothing listens there.
    let down = format!("127.0.0.1:{}", free_port()?);
    let one_down = vec![down, upstream.authorities[0].clone()];
    let fronts = [
        (FEWEST, of(2)),
        ("16 targets", of(16)),
        (MOST, of(32)),
        ("2 targets, one down", one_down),
    ];
    let mut servers = Vec::new();
    for (name, targets) in fronts {
        let front = Front::of(&targets);
        if let Some(reason) = Proxy::FunctionFetch.missing(bench, &front) {
            results.not_run(CASE, name, reason);
        } else {
            bench.progress.step(format!("{name}: starts"));
            servers.push((name, Proxy::FunctionFetch.start(bench, &front).await?));
        }
    }
    let runners = servers
        .iter()
        .map(|(name, server)| Runner {
            name: (*name).to_owned(),
            server,
        })
        .collect();
    let put_load = async |runner: &Runner<'_>, duration| {
        let requests = wrk::Requests {
            url: &runner.server.url(SMALL),
            connections: CONNECTIONS,
            script: None,
        };
        wrk::run(bench, &requests, duration).await
    };
    interleave(CASE, runners, put_load, bench, results).await;
    Ok(())
}
