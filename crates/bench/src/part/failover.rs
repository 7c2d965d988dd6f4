//! The primary of a warm instance dies: how much longer than usual the next request takes, and those after it.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::client::Client;
use crate::origin::{HEALTH_PATH, Origin};
use crate::proxy::{Front, Proxy};
use crate::results::{Metric, Results, Spread};

/// In tables: times beyond those of the second target when all is well.
pub const CASE: &str = "failover";
/// The primary's port refuses: the first request after that.
pub const REFUSED_FIRST: &str = "refused, first request: more than usual";
/// The median of the next ones.
pub const REFUSED_AFTER: &str = "refused, after that: more than usual";

const HANGS_FIRST: &str = "hangs, first request: more than usual";
const HANGS_AFTER: &str = "hangs, after that: more than usual";

/// The second target: slower by more than the margin, so that the first is surely the primary.
const SECOND: Duration = Duration::from_millis(20);
/// For what the first requests cost.
const WARM: usize = 20;
/// As many are compared with as many.
const REQUESTS: usize = 20;

#[derive(Clone, Copy)]
enum Death {
    Refuses,
    Hangs,
}

/// Each time a new process, since an ejection lasts.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let front = Front::default();
    if let Some(reason) = Proxy::FunctionFetch.missing(bench, &front) {
        results.not_run(CASE, REFUSED_FIRST, reason);
        return Ok(());
    }
    for round in 1..=bench.plan.rounds {
        bench
            .progress
            .step(format!("round {round} of {}", bench.plan.rounds));
        for (death, first, after) in [
            (Death::Refuses, REFUSED_FIRST, REFUSED_AFTER),
            (Death::Hangs, HANGS_FIRST, HANGS_AFTER),
        ] {
            let costs = once(bench, death).await?;
            results.add(CASE, first, Metric::Time, costs.first);
            results.add(CASE, after, Metric::Time, costs.after);
        }
    }
    Ok(())
}

/// Milliseconds beyond the usual.
struct Costs {
    first: f64,
    after: f64,
}

async fn once(bench: &Bench, death: Death) -> Result<Costs> {
    let primary = Origin::start(Duration::ZERO).await?;
    let second = Origin::start(SECOND).await?;
    let front = Front {
        settings: vec![
            ("FETCH_HEALTH_PATH", HEALTH_PATH.to_owned()),
            ("FETCH_CACHE_ADAPTER", "memory".to_owned()),
        ],
        // One instance, which lasts.
        options: vec![
            "--max-instances=1".to_owned(),
            "--max-instance-reuse-count=1000000".to_owned(),
            "--idle-instance-timeout=60s".to_owned(),
        ],
        ..Front::of(&[primary.authority(), second.authority()])
    };
    let server = Proxy::FunctionFetch.start(bench, &front).await?;
    let mut client = Client::connect(server.address).await?;
    median_ms(&mut client, WARM).await?;
    // The usual way to the second target: through a proxy that has no other.
    let control = Front {
        targets: vec![second.authority()],
        ..front
    };
    let control = Proxy::FunctionFetch.start(bench, &control).await?;
    let mut to_second = Client::connect(control.address).await?;
    let usual = median_ms(&mut to_second, REQUESTS).await?;
    // What a connection that was idle for long costs is not the failover's.
    median_ms(&mut client, WARM).await?;
    match death {
        Death::Refuses => {
            drop(primary);
            // Its task ends when the runtime next looks at it.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Death::Hangs => primary.hang(),
    }
    let first = client.get("/").await?.as_secs_f64() * 1e3;
    let after = median_ms(&mut client, REQUESTS).await?;
    Ok(Costs {
        first: first - usual,
        after: after - usual,
    })
}

async fn median_ms(client: &mut Client, requests: usize) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..requests {
        times.push(client.get("/").await?.as_secs_f64() * 1e3);
    }
    Ok(Spread::of(&times).map_or(0.0, |spread| spread.median))
}
