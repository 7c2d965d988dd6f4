//! Hosts that create an instance for each request, as Spin does for WASI 0.2: what one has learned is in the store, and
//! background work is done after the client has its response.

use std::time::Duration;

use serde_json::json;

use crate::promises;
use crate::support::client::{post, request};
use crate::support::host::Host;
use crate::support::origin::Origin;
use crate::support::pattern;
use crate::support::port::Port;
use crate::support::reply;
use crate::support::setup::{Setup, proxy};
use crate::support::store::Store;
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        &[Host::Embedded02],
        [
            later_requests_know_what_one_has_learned,
            a_dead_primary_costs_one_attempt_once,
            the_round_and_the_write_continue_after_the_response,
        ]
    );
    promises!(
        suite,
        &[Host::Wasmtime02],
        [without_a_store_each_request_measures_for_itself]
    );
    promises!(
        suite,
        &[Host::Embedded02, Host::Wasmtime02],
        [a_body_that_only_the_host_buffered_goes_to_the_next_target]
    );
}

fn per_request(host: Host) -> Setup {
    proxy(host).options(["--max-instance-reuse-count", "1"])
}

async fn later_requests_know_what_one_has_learned(host: Host) {
    let store = Store::new();
    let slow = Origin::start("slow").probed_in(ms(150));
    let fast = Origin::start("fast");
    let proxy = per_request(host)
        .targets([slow.url(), fast.url()])
        .store(&store)
        .start()
        .await;
    proxy.get("/").await.is_from("fast");
    store.written("the round is written", |_| true).await;
    for _ in 0..5 {
        proxy.get("/").await.is_from("fast");
        proxy.send(post("/", "body")).await.is_from("fast");
    }
    tokio::time::sleep(ms(300)).await;
    assert_eq!((slow.probes().len(), fast.probes().len()), (1, 1));
}

async fn a_dead_primary_costs_one_attempt_once(host: Host) {
    let store = Store::new();
    let other = Origin::start("other").probed_in(ms(150));
    let mut primary = Origin::start("primary");
    let proxy = per_request(host)
        .targets([other.url(), primary.url()])
        .store(&store)
        .start()
        .await;
    proxy.get("/").await.is_from("primary");
    store
        .written("the round is written", |record| {
            record["primary"] == json!(1)
        })
        .await;
    primary.kill_at_rest().await;
    proxy.get("/").await.is_from("other");
    store
        .written("the failover is written", |record| {
            record["primary"] == json!(0)
        })
        .await;
    // It is up again, but a record says otherwise: a request sent to it now would succeed.
    primary.revive();
    let before = primary.live().len();
    for _ in 0..5 {
        proxy.get("/").await.is_from("other");
    }
    assert_eq!(primary.live().len(), before);
}

async fn the_round_and_the_write_continue_after_the_response(host: Host) {
    let store = Store::new();
    let slow = Origin::start("slow").probed_in(ms(1400));
    let fast = Origin::start("fast");
    let proxy = per_request(host)
        .targets([slow.url(), fast.url()])
        .set("FETCH_HEALTH_TIMEOUT_MS", "4000")
        .store(&store)
        .start()
        .await;
    let answer = proxy.get("/").await;
    answer.is_from("fast");
    assert!(answer.elapsed < ms(1200), "{:?}", answer.elapsed);
    assert_eq!(store.record(), None, "the round is not over");
    let record = store.written("the round is written", |_| true).await;
    assert_eq!(record["primary"], json!(1), "{record}");
}

async fn without_a_store_each_request_measures_for_itself(host: Host) {
    let slow = Origin::start("slow").probed_in(ms(300));
    let fast = Origin::start("fast");
    let proxy = per_request(host)
        .targets([slow.url(), fast.url()])
        .start()
        .await;
    for _ in 0..3 {
        let answer = proxy.get("/").await;
        answer.is_from("fast");
        assert!(answer.elapsed < Duration::from_secs(2));
    }
    eventually("each round is finished", || {
        (slow.probes().len() == 3).then_some(())
    })
    .await;
    assert_eq!(fast.probes().len(), 3);
}

/// A WASI 0.2 host takes the first bytes of a body before it knows whether it can connect.
async fn a_body_that_only_the_host_buffered_goes_to_the_next_target(host: Host) {
    let dead = Port::hold();
    let alive = Origin::start("alive");
    let proxy = proxy(host)
        .targets([dead.url(), alive.url()])
        .in_list_order()
        .set("FETCH_REPLAY_BODY_BYTES", "0")
        .start()
        .await;
    for size in [1, 20_000, 3_000_000_u64] {
        let body = reply::full(pattern::bytes(size as usize));
        proxy
            .send(request("POST", "/", body))
            .await
            .is_from("alive");
        let seen = alive.live().pop().expect("it came").body;
        assert_eq!((seen.length, seen.foreign), (size, false));
    }
}
