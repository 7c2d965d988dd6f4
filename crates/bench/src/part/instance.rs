//! What a new instance costs its first request: without a store it measures, with one it knows what the others found.

use std::fs;
use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::client::Client;
use crate::origin::{HEALTH_PATH, Origin};
use crate::part::by_turns;
use crate::proxy::{Front, Proxy};
use crate::results::Results;

const CASE: &str = "new-instance";
const FAST: Duration = Duration::from_millis(10);
const SLOW: Duration = Duration::from_millis(100);

/// Measures all kinds by turns.
pub async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let (fast, slow) = (Origin::start(FAST).await?, Origin::start(SLOW).await?);
    let warm = Front {
        settings: vec![("FETCH_HEALTH_PATH", HEALTH_PATH.to_owned())],
        ..Front::of(&[slow.authority(), fast.authority()])
    };
    let new = Front {
        options: vec!["--max-instance-reuse-count=1".to_owned()],
        ..warm.clone()
    };
    let mut alone = new.clone();
    alone
        .settings
        .push(("FETCH_CACHE_ADAPTER", "memory".to_owned()));
    let mut in_file = new.clone();
    let config = bench.folder.join("store.toml");
    let store = bench.folder.join("store.db");
    let text = format!(
        "[key_value_store.default]\ntype = \"spin\"\npath = \"{}\"\n",
        store.display()
    );
    fs::write(&config, text)?;
    in_file
        .options
        .push(format!("--runtime-config-file={}", config.display()));
    let mut clients = Vec::new();
    for (name, front) in [
        ("no store", alone),
        ("store in memory", new),
        ("store in SQLite", in_file),
        ("no new instance", warm),
    ] {
        if let Some(reason) = Proxy::FunctionFetch.missing(bench, &front) {
            results.not_run(CASE, name, reason);
            continue;
        }
        let server = Proxy::FunctionFetch.start(bench, &front).await?;
        let mut client = Client::connect(server.address).await?;
        // The first one measures, and writes what it found.
        client.get("/").await?;
        clients.push((name, server, client));
    }
    tokio::time::sleep(4 * SLOW).await;
    by_turns(bench, results, CASE, &mut clients).await
}
