//! From the start of the process to its first response. What a host keeps of a compiled component on disk is at hand:
//! the first start of each is not counted.

use anyhow::Result;

use crate::bench::Bench;
use crate::proxy::{self, Front, Proxy};
use crate::results::{Metric, Results};
use crate::upstream::Upstream;

/// In tables.
pub const CASE: &str = "process-start";

/// Starts all of them by turns.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let upstream = Upstream::start(bench).await?;
    let front = Front::of(&upstream.authorities[..2]);
    for round in 0..=bench.plan.rounds {
        for proxy in proxy::ALL {
            if proxy == Proxy::Direct {
                continue;
            }
            if let Some(reason) = proxy.missing(bench, &front) {
                if round == 0 {
                    results.not_run(CASE, proxy.name(), reason);
                }
                continue;
            }
            bench.progress.step(format!(
                "round {round} of {}, {}",
                bench.plan.rounds,
                proxy.name()
            ));
            let server = proxy.start(bench, &front).await?;
            if round > 0 {
                let took = server.started_in.as_secs_f64() * 1e3;
                results.add(CASE, proxy.name(), Metric::Time, took);
            }
        }
    }
    Ok(())
}
