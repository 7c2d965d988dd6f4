//! What the embedded host lets a component use: processor time, memory, and hosts to send requests to.

use std::time::{Duration, Instant};

use crate::composition::Composed;
use crate::promises;
use crate::support::client::{get, post, try_send};
use crate::support::environment::environment;
use crate::support::host::{EMBEDDED, Host, OURS_OF_ANY_WASI};
use crate::support::origin::Origin;
use crate::support::pattern;
use crate::support::setup::{Setup, proxy};
use crate::support::store::Store;
use crate::support::suite::Suite;
use crate::support::waiting::ms;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        &[Host::EmbeddedPlain],
        [
            a_component_that_spins_is_ended_and_others_are_served_meanwhile,
            a_component_that_takes_too_much_memory_is_ended,
        ]
    );
    promises!(
        suite,
        OURS_OF_ANY_WASI,
        [a_busy_component_that_pauses_is_not_ended]
    );
    promises!(
        suite,
        EMBEDDED,
        [
            a_component_may_reach_its_targets_and_no_other_host,
            a_stored_value_beyond_the_limit_is_not_read,
        ]
    );
}

/// A composition in which each request has an instance to itself, on one thread.
fn composed(of: &Composed, target: &str, options: [&str; 2]) -> Setup {
    of.proxy(Host::EmbeddedPlain, &[target])
        .options(["--max-instance-concurrent-reuse-count", "1"])
        .options(options)
}

async fn a_component_that_spins_is_ended_and_others_are_served_meanwhile(_: Host) {
    let of = Composed::new();
    let limit = ["--instance-compute-timeout", "2s"];
    let proxy = composed(&of, "http://spinning.internal", limit)
        .start()
        .await;
    let address = proxy.address;
    let started = Instant::now();
    let spinning = tokio::spawn(async move { try_send(address, get("/")).await });
    tokio::time::sleep(ms(300)).await;
    // The thread is shared: the probe path is answered by another instance.
    for _ in 0..3 {
        let answer = proxy.get("/health").await;
        assert_eq!(answer.text(), "spinning GET /health");
        assert!(answer.elapsed < ms(1500), "{:?}", answer.elapsed);
    }
    let answer = spinning.await.expect("no panic").expect("a response");
    assert_eq!(answer.status, 500, "{}", answer.text());
    let elapsed = started.elapsed();
    assert!(
        elapsed >= ms(1900) && elapsed < Duration::from_secs(20),
        "{elapsed:?}"
    );
    let said = proxy.says("instance failed").await;
    assert!(said[0].contains("--instance-compute-timeout"), "{said:?}");
    assert_eq!(proxy.get("/health").await.status, 200);
}

async fn a_component_that_takes_too_much_memory_is_ended(_: Host) {
    let of = Composed::new();
    let limit = ["--max-instance-memory-bytes", "33554432"];
    let proxy = composed(&of, "http://greedy.internal", limit).start().await;
    let answer = proxy.get("/").await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    let said = proxy.says("instance failed").await;
    assert!(said[0].contains("--max-instance-memory-bytes"), "{said:?}");
    assert_eq!(proxy.get("/health").await.status, 200);
}

async fn a_busy_component_that_pauses_is_not_ended(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host)
        .targets([origin.url()])
        .options(["--instance-compute-timeout", "100ms", "--threads", "1"])
        .start()
        .await;
    let until = Instant::now() + Duration::from_secs(3);
    let busy = (0..8).map(|_| {
        let address = proxy.address;
        tokio::spawn(async move {
            while Instant::now() < until {
                let upload = post("/", pattern::bytes(300_000));
                try_send(address, upload)
                    .await
                    .expect("a response")
                    .is_from("origin");
            }
        })
    });
    for client in busy.collect::<Vec<_>>() {
        client.await.expect("no panic");
    }
    assert_eq!(proxy.said("instance failed"), Vec::<String>::new());
}

/// Another component: it sends each request to one host, which is no target of ours.
fn passing_to(origin: &Origin) -> Setup {
    proxy(Host::Embedded)
        .component(environment().passthrough_wasm.clone())
        .set("PASSTHROUGH_TARGET", origin.address().to_string())
}

async fn a_component_may_reach_its_targets_and_no_other_host(_: Host) {
    let origin = Origin::start("origin");
    let denied = passing_to(&origin).start().await;
    for _ in 0..2 {
        assert_eq!(denied.get("/").await.status, 502);
    }
    let said = denied.says("--allow-outbound").await;
    assert_eq!(said.len(), 1, "once: {said:?}");
    let elsewhere = Origin::start("elsewhere");
    let other = passing_to(&origin).targets([elsewhere.url()]).start().await;
    assert_eq!(other.get("/").await.status, 502);
    assert_eq!((origin.connections(), elsewhere.connections()), (0, 0));
    let named = format!("http://{}", origin.address());
    for allowed in [named.as_str(), "*"] {
        let proxy = passing_to(&origin)
            .options(["--allow-outbound", allowed])
            .start()
            .await;
        proxy.get("/").await.is_from("origin");
    }
    let target = passing_to(&origin).targets([origin.url()]).start().await;
    target.get("/").await.is_from("origin");
}

async fn a_stored_value_beyond_the_limit_is_not_read(host: Host) {
    let origin = Origin::start("origin");
    let store = Store::new();
    store.plant(vec![b' '; 3_000_000]);
    let other = Origin::start("origin");
    let proxy = proxy(host)
        .targets([origin.url(), other.url()])
        .store(&store)
        .options(["--max-stored-value-bytes", "2000000"])
        .start()
        .await;
    proxy.get("/").await.is_from("origin");
    let said = proxy.says("store_failed").await;
    assert!(said[0].contains(r#""operation":"read""#), "{said:?}");
    // It is replaced by a record.
    store.written("a record takes its place", |_| true).await;
}
