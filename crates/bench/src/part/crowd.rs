//! Requests that arrive together when there is no instance: those that share one should share its round of probes.

use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;

use crate::bench::Bench;
use crate::client::Client;
use crate::origin::{HEALTH_PATH, Origin};
use crate::proxy::{Front, Proxy};
use crate::results::{Metric, Results, Spread};

const CASE: &str = "cold-crowd";
const CROWD: usize = 20;
const FASTEST: Duration = Duration::from_millis(10);
const SLOW: Duration = Duration::from_millis(800);
/// Until the slow target's probes are over, and the last crowd's instances have ended.
const PAUSE: Duration = Duration::from_millis(2_500);

/// Measures several crowds, each with new instances.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let (slow, fastest) = (Origin::start(SLOW).await?, Origin::start(FASTEST).await?);
    let front = Front {
        settings: vec![
            ("FETCH_HEALTH_PATH", HEALTH_PATH.to_owned()),
            ("FETCH_CACHE_ADAPTER", "memory".to_owned()),
        ],
        options: vec!["--idle-instance-timeout=200ms".to_owned()],
        ..Front::of(&[slow.authority(), fastest.authority()])
    };
    let (proxy, waits) = (Proxy::FunctionFetch, ["p50 of 20", "worst of 20"]);
    if let Some(reason) = proxy.missing(bench, &front) {
        results.not_run(CASE, waits[0], reason);
        return Ok(());
    }
    let server = proxy.start(bench, &front).await?;
    let connected = join_all((0..CROWD).map(|_| Client::connect(server.address))).await;
    let mut clients: Vec<Client> = connected.into_iter().collect::<Result<_, _>>()?;
    for round in 1..=bench.plan.rounds {
        bench
            .progress
            .step(format!("round {round} of {}", bench.plan.rounds));
        tokio::time::sleep(PAUSE).await;
        let before = fastest.probes();
        let answers = join_all(clients.iter_mut().map(|client| client.get("/"))).await;
        let times: Vec<f64> = answers
            .into_iter()
            .map(|took| Ok(took?.as_secs_f64() * 1e3))
            .collect::<Result<_>>()?;
        if let Some(spread) = Spread::of(&times) {
            results.add(CASE, waits[0], Metric::Time, spread.median);
            results.add(CASE, waits[1], Metric::Time, spread.max);
        }
        let probes = fastest.probes() - before;
        results.add(CASE, "probes of the fastest", Metric::Count, probes as f64);
    }
    Ok(())
}
