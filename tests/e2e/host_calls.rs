//! How often a warm request calls the host: each call costs, on every host alike.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use crate::promises;
use crate::support::host::{EMBEDDED, Host};
use crate::support::origin::Origin;
use crate::support::setup::{Proxy, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::eventually;

/// The calls of one warm GET. A change that needs more of them pays for it in `docs/performance.md`.
const CALLS: &[(&str, usize)] = &[
    ("client send", 1),
    ("monotonic-clock now", 2),
    ("monotonic-clock wait-for", 1),
    ("system-clock now", 2),
    ("types [method]fields.copy-all", 2),
    ("types [method]request-options.clone", 1),
    ("types [method]request.get-headers", 1),
    ("types [method]request.get-method", 1),
    ("types [method]request.get-path-with-query", 1),
    ("types [method]request.set-authority", 1),
    ("types [method]request.set-path-with-query", 1),
    ("types [method]request.set-scheme", 1),
    ("types [method]response.get-headers", 1),
    ("types [method]response.get-status-code", 1),
    ("types [static]fields.from-list", 1),
    ("types [static]request.consume-body", 1),
    ("types [static]request.new", 1),
];

const REQUESTS: usize = 20;

pub fn register(suite: &mut Suite) {
    promises!(suite, EMBEDDED, [a_warm_request_makes_few_host_calls]);
}

async fn a_warm_request_makes_few_host_calls(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host)
        .targets([origin.url()])
        .options(["--log-format", "json", "--log-level"])
        .options(["info,wasmtime_wasi=trace,wasmtime_wasi_http=trace"])
        .start()
        .await;
    // The first ones open the connection and end with what the start leaves to do.
    for _ in 0..5 {
        proxy.get("/").await.is_from("origin");
    }
    let before = calls(&proxy, 5).await;
    for _ in 0..REQUESTS {
        proxy.get("/").await.is_from("origin");
    }
    let after = calls(&proxy, 5 + REQUESTS).await;

    let mut made = BTreeMap::new();
    for (name, count) in after {
        let count = count - before.get(&name).copied().unwrap_or_default();
        assert_eq!(
            count % REQUESTS,
            0,
            "{name}: {count} calls of {REQUESTS} requests"
        );
        if count > 0 {
            made.insert(name, count / REQUESTS);
        }
    }
    let known: BTreeMap<_, _> = CALLS
        .iter()
        .map(|(name, count)| (name.to_string(), *count))
        .collect();
    let table = made.iter().fold(String::new(), |mut table, (name, count)| {
        let _ = writeln!(table, "    (\"{name}\", {count}),");
        table
    });
    assert!(made == known, "the calls of a warm request:\n{table}");
}

/// All calls of WASI so far, once `requests` have been answered and the log has them.
async fn calls(proxy: &Proxy, requests: usize) -> BTreeMap<String, usize> {
    eventually("the log has all requests", || {
        let counts = count(&proxy.process.stderr());
        (counts.get("types [method]request.get-method").copied() == Some(requests)).then_some(())
    })
    .await;
    // What follows the response of the last one.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    count(&proxy.process.stderr())
}

fn count(log: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in log {
        let Ok(entry) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let span = &entry["span"];
        if entry["message"] == "call" && span["name"] == "wit-bindgen import" {
            let text = |key: &str| span[key].as_str().unwrap_or_default().to_owned();
            *counts
                .entry(format!("{} {}", text("module"), text("function")))
                .or_default() += 1;
        }
    }
    counts
}
