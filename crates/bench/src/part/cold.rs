//! A request that meets a fresh instance without a store: how long it waits for the measurements, when one target is
//! slow and another one hangs.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::client::Client;
use crate::origin::{HEALTH_PATH, Origin};
use crate::part::by_turns;
use crate::proxy::{Front, Proxy};
use crate::results::Results;

/// In tables.
pub const CASE: &str = "cold-start";
/// A request of an instance that knows nothing.
pub const FRESH: &str = "fresh instance";
/// How long the fastest target takes.
pub const FASTEST_MS: f64 = 10.0;

const FASTEST: Duration = Duration::from_millis(10);
const SLOW: Duration = Duration::from_millis(800);

/// Measures fresh and warm instances by turns.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let (hanging, slow, fastest) = (
        Origin::hanging().await?,
        Origin::start(SLOW).await?,
        Origin::start(FASTEST).await?,
    );
    let targets = [&hanging, &slow, &fastest].map(Origin::authority);
    let warm = Front {
        settings: vec![
            ("FETCH_HEALTH_PATH", HEALTH_PATH.to_owned()),
            ("FETCH_CACHE_ADAPTER", "memory".to_owned()),
        ],
        ..Front::of(&targets)
    };
    let fresh = Front {
        options: vec!["--max-instance-reuse-count=1".to_owned()],
        ..warm.clone()
    };
    // What a fresh instance costs by itself.
    let bare = Front {
        targets: vec![fastest.authority()],
        ..fresh.clone()
    };
    let mut clients = Vec::new();
    for (name, proxy, front) in [
        (FRESH, Proxy::FunctionFetch, fresh),
        ("warm instance", Proxy::FunctionFetch, warm),
        (
            "fresh instance, bare pass-through",
            Proxy::PassThrough,
            bare,
        ),
    ] {
        if let Some(reason) = proxy.missing(bench, &front) {
            results.not_run(CASE, name, reason);
            continue;
        }
        let server = proxy.start(bench, &front).await?;
        let client = Client::connect(server.address).await?;
        clients.push((name, server, client));
    }
    by_turns(bench, results, CASE, &mut clients).await
}
