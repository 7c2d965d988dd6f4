//! One large body each way: how fast, and in how much memory.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::bench::Bench;
use crate::client::Client;
use crate::origin::{BYTES_PATH, HEALTH_PATH, Origin};
use crate::proc;
use crate::proxy::{self, Front, Proxy};
use crate::results::{Metric, Results};
use crate::server::Server;

/// In tables.
pub const DOWN: &str = "bulk-down";
/// In tables.
pub const UP: &str = "bulk-up";

const MIB: f64 = 1_048_576.0;
/// How often the memory is looked at.
const SAMPLE: Duration = Duration::from_millis(20);

/// Measures it by turns. Both ends are in this process, so the direct way has the same ends.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let origin = Origin::start(Duration::ZERO).await?;
    let other = Origin::start(Duration::ZERO).await?;
    let front = Front {
        settings: vec![("FETCH_HEALTH_PATH", HEALTH_PATH.to_owned())],
        ..Front::of(&[origin.authority(), other.authority()])
    };
    for case in [DOWN, UP] {
        let mut servers = Vec::new();
        for proxy in proxy::ALL {
            if let Some(reason) = proxy.missing(bench, &front) {
                results.not_run(case, proxy.name(), reason);
                continue;
            }
            let server = match proxy {
                Proxy::Direct => None,
                _ => Some(proxy.start(bench, &front).await?),
            };
            servers.push((proxy.name(), server));
        }
        for round in 1..=bench.plan.rounds {
            let mut failed = Vec::new();
            for (name, server) in &servers {
                let rounds = bench.plan.rounds;
                bench
                    .progress
                    .step(format!("{case}, round {round} of {rounds}, {name}"));
                let address = server.as_ref().map_or(origin.address(), |s| s.address);
                match transfer(case, address, server.as_ref(), bench.plan.bulk_bytes).await {
                    Ok(transfer) => transfer.note(case, name, results),
                    Err(error) => {
                        results.not_run(case, name, format!("{error:#}"));
                        failed.push(*name);
                    }
                }
            }
            servers.retain(|(name, _)| !failed.contains(name));
        }
    }
    Ok(())
}

struct Transfer {
    rate: f64,
    /// None for the direct way.
    memory: Option<Memory>,
}

struct Memory {
    peak: f64,
    growth: f64,
}

impl Transfer {
    fn note(&self, case: &str, name: &str, results: &mut Results) {
        results.add(case, name, Metric::Throughput, self.rate);
        if let Some(memory) = &self.memory {
            results.add(case, name, Metric::PeakRss, memory.peak);
            results.add(case, name, Metric::RssGrowth, memory.growth);
        }
    }
}

async fn transfer(
    case: &str,
    address: SocketAddr,
    server: Option<&Server>,
    bytes: u64,
) -> Result<Transfer> {
    let mut client = Client::connect(address).await?;
    // The connection to the target, and what a first request costs.
    client.get("/").await?;
    let work = async {
        match case {
            DOWN => {
                client
                    .download(&format!("{BYTES_PATH}{bytes}"), bytes)
                    .await
            }
            _ => client.upload("/", bytes).await,
        }
    };
    let mut samples = Vec::new();
    let took = match server {
        None => work.await?,
        Some(server) => tokio::select! {
            took = work => took?,
            // It never ends by itself.
            () = watch(server.id(), &mut samples) => Duration::ZERO,
        },
    };
    Ok(Transfer {
        rate: bytes as f64 / MIB / took.as_secs_f64(),
        memory: server.map(|server| Memory {
            peak: proc::peak_rss_mib(server.id()),
            growth: growth(&samples),
        }),
    })
}

async fn watch(process: u32, samples: &mut Vec<(Instant, f64)>) {
    loop {
        samples.push((Instant::now(), proc::rss_mib(process)));
        tokio::time::sleep(SAMPLE).await;
    }
}

/// How much more memory there was in the second half than in the first.
fn growth(samples: &[(Instant, f64)]) -> f64 {
    let (Some((first, _)), Some((last, _))) = (samples.first(), samples.last()) else {
        return 0.0;
    };
    let middle = *first + (*last - *first) / 2;
    let most = |half: &dyn Fn(Instant) -> bool| {
        samples
            .iter()
            .filter(|(at, _)| half(*at))
            .map(|(_, rss)| *rss)
            .fold(0.0, f64::max)
    };
    (most(&|at| at > middle) - most(&|at| at <= middle)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_between_the_halves() {
        let start = Instant::now();
        let at = |ms, rss| (start + Duration::from_millis(ms), rss);
        assert_eq!(growth(&[]), 0.0);
        let flat = [at(0, 40.0), at(10, 60.0), at(30, 60.0), at(40, 50.0)];
        assert_eq!(growth(&flat), 0.0);
        let growing = [at(0, 40.0), at(10, 50.0), at(30, 60.0), at(40, 70.0)];
        assert_eq!(growth(&growing), 20.0);
    }
}
