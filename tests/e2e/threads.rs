//! Serving on several threads: each connection stays on one, which has its own instances.

use futures::future::join_all;

use crate::promises;
use crate::support::host::{EMBEDDED, Host, OURS_OF_ANY_WASI};
use crate::support::origin::Origin;
use crate::support::raw_client::RawClient;
use crate::support::reply;
use crate::support::setup::{Proxy, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        OURS_OF_ANY_WASI,
        [
            connections_are_served_on_all_threads,
            sigterm_drains_all_threads,
        ]
    );
    promises!(
        suite,
        EMBEDDED,
        [
            each_thread_has_instances_of_its_own,
            few_instances_are_not_divided,
            a_second_start_finds_the_component_compiled,
        ]
    );
}

/// Clients that keep their connections, each with one answer so far.
async fn keep_connections(proxy: &Proxy, count: usize) -> Vec<RawClient> {
    let mut clients = vec![];
    for _ in 0..count {
        let mut client = RawClient::connect(proxy.address).await;
        client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(client.until("origin").await.starts_with("HTTP/1.1 200"));
        clients.push(client);
    }
    clients
}

async fn connections_are_served_on_all_threads(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host)
        .targets([origin.url()])
        .options(["--threads", "3"])
        .start()
        .await;
    let mut clients = keep_connections(&proxy, 7).await;
    for _ in 0..5 {
        join_all(clients.iter_mut().map(|client| async {
            client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
            assert!(client.until("origin").await.starts_with("HTTP/1.1 200"));
        }))
        .await;
    }
    assert_eq!(origin.live().len(), 7 + 5 * 7);
}

async fn sigterm_drains_all_threads(host: Host) {
    let origin = Origin::start("origin").script(|_| async {
        tokio::time::sleep(ms(700)).await;
        reply::with(200, reply::full("late"))
    });
    let mut proxy = proxy(host)
        .targets([origin.url()])
        .options(["--threads", "3"])
        .start()
        .await;
    let mut clients = vec![];
    for _ in 0..6 {
        let mut client = RawClient::connect(proxy.address).await;
        client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        clients.push(client);
    }
    eventually("all are in flight", || {
        (origin.live().len() == 6).then_some(())
    })
    .await;
    proxy.process.terminate();
    for client in clients {
        let response = client.rest().await;
        assert!(response.ends_with("late"), "{response}");
    }
    assert!(proxy.process.exit().await.success());
}

/// How many rounds of probes the targets got: one for each instance, which has no store.
async fn rounds(host: Host, options: &[&str]) -> usize {
    let origin = Origin::start("origin");
    let slow = Origin::start("slow").probed_in(ms(200));
    let proxy = proxy(host)
        .targets([origin.url(), slow.url()])
        .set("FETCH_CACHE_ADAPTER", "memory")
        .options(options.iter().copied())
        .start()
        .await;
    keep_connections(&proxy, 4).await;
    slow.probes().len()
}

async fn each_thread_has_instances_of_its_own(host: Host) {
    assert_eq!(rounds(host, &["--threads", "4"]).await, 4);
    assert_eq!(rounds(host, &["--threads", "1"]).await, 1);
}

async fn few_instances_are_not_divided(host: Host) {
    let few = ["--threads", "4", "--max-instances", "31"];
    assert_eq!(rounds(host, &few).await, 1);
    let enough = ["--threads", "4", "--max-instances", "32"];
    assert_eq!(rounds(host, &enough).await, 2);
}

async fn a_second_start_finds_the_component_compiled(host: Host) {
    let around = tempfile::tempdir().expect("a writable directory");
    let folder = around.path().join("compiled");
    let origin = Origin::start("origin");
    let start = || async {
        let options = ["--compile-cache".as_ref(), folder.as_os_str()];
        let proxy = proxy(host).targets([origin.url()]).options(options).start();
        let proxy = proxy.await;
        proxy.get("/").await.is_from("origin");
    };
    let entries = || {
        let mut found: Vec<_> = walk(&folder);
        found.sort();
        found
    };
    start().await;
    eventually("it is kept", || (!entries().is_empty()).then_some(())).await;
    let first = entries();
    start().await;
    let kept = |names: &[std::path::PathBuf]| {
        let components = names.iter().filter(|path| path.extension().is_none());
        components.cloned().collect::<Vec<_>>()
    };
    assert_eq!(kept(&entries()), kept(&first), "the same is used");
}

/// All files below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return vec![];
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
