//! What an instance takes of memory while it lives: requests that all wait, each in an instance of its own, beside the
//! same requests in one instance.

use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;

use crate::bench::Bench;
use crate::client::Client;
use crate::origin::{HEALTH_PATH, Origin};
use crate::proc;
use crate::proxy::{Front, Proxy};
use crate::results::{Metric, Results};

const CASE: &str = "instance-memory";
const REQUESTS: usize = 100;
/// The requests wait so long, and in the middle the memory is looked at.
const WAIT: Duration = Duration::from_secs(2);

/// Measures both, each round in a new process: what was freed need not go back to the system.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let cases = [
        ("a request in an instance of its own", 1),
        ("a request in a shared instance", REQUESTS),
    ];
    for round in 1..=bench.plan.rounds {
        for (name, at_once) in cases {
            bench
                .progress
                .step(format!("round {round} of {}, {name}", bench.plan.rounds));
            let (first, second) = (
                Origin::start(Duration::ZERO).await?,
                Origin::start(Duration::ZERO).await?,
            );
            let front = Front {
                settings: vec![("FETCH_HEALTH_PATH", HEALTH_PATH.to_owned())],
                options: vec![
                    format!("--max-instance-concurrent-reuse-count={at_once}"),
                    "--max-instance-reuse-count=1000000".to_owned(),
                ],
                ..Front::of(&[first.authority(), second.authority()])
            };
            if let Some(reason) = Proxy::FunctionFetch.missing(bench, &front) {
                if round == 1 {
                    results.not_run(CASE, name, reason);
                }
                continue;
            }
            let server = Proxy::FunctionFetch.start(bench, &front).await?;
            let connected = join_all((0..REQUESTS).map(|_| Client::connect(server.address))).await;
            let mut clients: Vec<Client> = connected.into_iter().collect::<Result<_, _>>()?;
            // One instance that has all of them behind it: what is not the instance's is there.
            for client in &mut clients {
                client.get("/").await?;
            }
            let before = proc::rss_mib(server.id());
            // Now both are slow, so that it does not matter which is the primary.
            first.delay(WAIT);
            second.delay(WAIT);
            let waiting = join_all(clients.iter_mut().map(|client| client.get("/")));
            let look = async {
                tokio::time::sleep(WAIT / 2).await;
                proc::rss_mib(server.id())
            };
            let (answers, during) = futures::future::join(waiting, look).await;
            for answer in answers {
                answer?;
            }
            let each = (during - before).max(0.0) * 1024.0 / REQUESTS as f64;
            results.add(CASE, name, Metric::MemoryEach, each);
        }
    }
    Ok(())
}
