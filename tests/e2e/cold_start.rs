//! The first request of an instance, and those that arrive with it; and that later ones wait for nothing.

use std::time::{Duration, Instant};

use futures::future::join_all;

use crate::promises;
use crate::support::host::{CONCURRENT, EVERY, Host, OURS};
use crate::support::origin::{Health, Origin};
use crate::support::raw_origin::RawOrigin;
use crate::support::setup::{Proxy, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::ms;

/// Requests that arrive together.
const CROWD: usize = 20;

pub fn register(suite: &mut Suite) {
    suite.alone(
        EVERY,
        "a_cold_start_waits_for_the_first_healthy_probe",
        a_cold_start_waits_for_the_first_healthy_probe,
    );
    promises!(suite, OURS, [a_cold_crowd_makes_one_probe_round]);
    promises!(
        suite,
        EVERY,
        [
            a_cold_crowd_makes_at_most_one_probe_round_per_instance,
            concurrent_instances_log_whole_lines,
            a_cold_start_without_a_healthy_answer_is_bounded,
        ]
    );
    promises!(suite, CONCURRENT, [a_warm_request_never_waits_for_a_probe]);
}

async fn a_cold_start_waits_for_the_first_healthy_probe(host: Host) {
    let slowest = Origin::start("slowest").probed_in(ms(300));
    let slow = Origin::start("slow").probed_in(ms(60));
    let fast = Origin::start("fast").probed_in(ms(5));
    let dead = RawOrigin::silent();
    let proxy = proxy(host)
        .targets([dead.url(), slowest.url(), slow.url(), fast.url()])
        .start()
        .await;
    let cold = proxy.get("/").await;
    cold.is_from("fast");
    // 10 to 30 ms on an idle machine. Waiting for the slowest would take 300, for the silent one 1500.
    assert!(cold.elapsed < ms(250), "cold: {:?}", cold.elapsed);
    let mut quickest = Duration::MAX;
    for _ in 0..10 {
        let warm = proxy.get("/").await;
        warm.is_from("fast");
        quickest = quickest.min(warm.elapsed);
    }
    assert!(quickest < ms(60), "warm: {quickest:?}");
    assert_eq!(dead.live().len(), 0);
}

async fn a_cold_crowd_makes_one_probe_round(host: Host) {
    let fast = Origin::start("fast").probed_in(ms(100));
    let slow = Origin::start("slow").probed_in(ms(500));
    let proxy = proxy(host)
        .targets([slow.url(), fast.url()])
        .one_instance()
        .start()
        .await;
    let answers = join_all((0..CROWD).map(|_| proxy.get("/"))).await;
    for answer in &answers {
        answer.is_from("fast");
    }
    tokio::time::sleep(ms(700)).await;
    proxy.get("/").await.is_from("fast");
    assert_eq!((fast.probes().len(), slow.probes().len()), (1, 1));
}

/// A bad target: each instance reports it once, unless it finds a record of one that has. Instances that start cold
/// are counted by that.
pub const COUNTED: &str = "ftp://counted";

/// How many instances have started, where one of the targets is [`COUNTED`].
pub async fn begun(proxy: &Proxy) -> usize {
    proxy
        .says(COUNTED)
        .await
        .iter()
        .map(|line| line.matches(COUNTED).count())
        .sum()
}

async fn a_cold_crowd_makes_at_most_one_probe_round_per_instance(host: Host) {
    let fast = Origin::start("fast").probed_in(ms(100));
    let slow = Origin::start("slow").probed_in(ms(500));
    let proxy = proxy(host)
        .targets([slow.url(), fast.url(), COUNTED.to_owned()])
        .start()
        .await;
    let answers = join_all((0..CROWD).map(|_| proxy.get("/"))).await;
    for answer in &answers {
        answer.is_from("fast");
    }
    tokio::time::sleep(ms(700)).await;
    let instances = begun(&proxy).await;
    assert!((1..=CROWD).contains(&instances), "{instances} instances");
    for origin in [&fast, &slow] {
        let probes = origin.probes().len();
        assert!(
            (1..=instances).contains(&probes),
            "{probes} probes by {instances} instances"
        );
    }
}

/// Logs are read by machines: instances that write at the same time must not mix their lines.
async fn concurrent_instances_log_whole_lines(host: Host) {
    let fast = Origin::start("fast");
    let proxy = proxy(host)
        .targets([fast.url(), COUNTED.to_owned()])
        .options(["--max-instance-concurrent-reuse-count", "1"])
        .start()
        .await;
    for _ in 0..5 {
        join_all((0..CROWD).map(|_| proxy.get("/"))).await;
    }
    let lines = proxy.says(COUNTED).await;
    assert!(lines.len() > 1, "one instance shows nothing");
    assert_eq!(begun(&proxy).await, lines.len(), "{lines:#?}");
}

async fn a_cold_start_without_a_healthy_answer_is_bounded(host: Host) {
    let targets = ["first", "second"].map(Origin::start);
    for target in &targets {
        target.set_health(Health::Hangs);
    }
    let proxy = proxy(host)
        .targets(targets.each_ref().map(Origin::url))
        .set("FETCH_HEALTH_TIMEOUT_MS", "600")
        .one_instance()
        .start()
        .await;
    let cold = proxy.get("/").await;
    cold.is_from("first");
    assert!(
        (ms(500)..ms(2000)).contains(&cold.elapsed),
        "{:?}",
        cold.elapsed
    );
    // Nothing is known, but a round has just failed: the next request does not wait for another.
    let next = proxy.get("/").await;
    next.is_from("first");
    assert!(
        next.elapsed < ms(400) || !host.is_ours(),
        "{:?}",
        next.elapsed
    );
}

async fn a_warm_request_never_waits_for_a_probe(host: Host) {
    let fast = Origin::start("fast");
    let slow = Origin::start("slow").probed_in(ms(150));
    let proxy = proxy(host)
        .targets([slow.url(), fast.url(), COUNTED.to_owned()])
        .one_instance()
        .set("FETCH_CACHE_TTL_SECONDS", "10")
        .set("FETCH_HEALTH_TIMEOUT_MS", "5000")
        .start()
        .await;
    proxy.get("/").await.is_from("fast");
    tokio::time::sleep(ms(500)).await;
    for origin in [&fast, &slow] {
        origin.set_health(Health::Hangs);
    }
    let before = fast.probes().len();
    let started = Instant::now();
    let mut waited = 0;
    // Past the whole TTL, so that the refresh, and the first request after the TTL, fall into it.
    while started.elapsed() < Duration::from_secs(12) {
        let warm = proxy.get("/").await;
        warm.is_from("fast");
        // Waiting for the round would take all of the five seconds.
        waited += usize::from(warm.elapsed > Duration::from_secs(2));
        tokio::time::sleep(ms(200)).await;
    }
    assert!(fast.probes().len() > before, "nothing was refreshed");
    // An instance that has just started is not warm.
    let begun = begun(&proxy).await;
    assert!(waited < begun, "{waited} waited, {begun} instances");
}
