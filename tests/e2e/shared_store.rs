//! Many hosts, one memory: what one process finds out is known to all that share its Redis, and the Redis may die.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::task::JoinHandle;

use crate::promises;
use crate::support::client::{self, get};
use crate::support::environment;
use crate::support::host::{EMBEDDED, Host, WITH_STORE};
use crate::support::origin::{Health, Origin};
use crate::support::redis::{PASSWORD, Redis};
use crate::support::reply;
use crate::support::setup::{Proxy, Setup, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

pub fn register(suite: &mut Suite) {
    suite.lacking(
        environment::checked()
            .is_ok_and(|e| e.redis.is_none())
            .then_some("redis-server is not installed"),
    );
    promises!(
        suite,
        EMBEDDED,
        [
            hosts_that_start_later_use_the_decision_of_the_first,
            a_failover_found_by_one_host_reaches_all,
            a_redis_that_dies_hangs_and_returns_fails_no_request,
            a_host_starts_without_its_redis_and_finds_it_later,
            a_refused_redis_password_is_reported_without_it,
        ]
    );
    promises!(
        suite,
        WITH_STORE,
        [a_redis_that_hangs_delays_a_cold_start_a_little]
    );
    suite.lacking(None);
}

/// How many processes share the memory.
const HOSTS: usize = 4;

struct Pair {
    slow: Origin,
    fast: Origin,
}

impl Pair {
    fn start() -> Self {
        Self {
            slow: Origin::start("slow").probed_in(ms(200)),
            fast: Origin::start("fast"),
        }
    }

    fn on(&self, host: Host, redis: &Redis) -> Setup {
        proxy(host)
            .targets([self.slow.url(), self.fast.url()])
            .runtime_config(redis.runtime_config())
    }

    fn probes(&self) -> (usize, usize) {
        (self.slow.probes().len(), self.fast.probes().len())
    }

    /// Several hosts, one after the other, that all know the fast one to be the primary.
    async fn warm(&self, host: Host, redis: &Redis, set: &[(&str, &str)]) -> Vec<Proxy> {
        let setup = || {
            set.iter()
                .fold(self.on(host, redis), |setup, (name, value)| {
                    setup.set(name, *value)
                })
        };
        let first = setup().start().await;
        first.get("/").await.is_from("fast");
        redis.written("both are measured", is_whole).await;
        let mut proxies = vec![first];
        for _ in 1..HOSTS {
            let proxy = setup().start().await;
            proxy.get("/").await.is_from("fast");
            proxies.push(proxy);
        }
        proxies
    }
}

/// Both targets were measured. The record of a round that is still under way knows one of them.
fn is_whole(record: &serde_json::Value) -> bool {
    record["targets"]
        .as_array()
        .is_some_and(|targets| targets.len() == 2 && targets.iter().all(is_measured))
}

fn is_measured(target: &serde_json::Value) -> bool {
    target["ms"].is_number()
}

async fn hosts_that_start_later_use_the_decision_of_the_first(host: Host) {
    let (pair, redis) = (Pair::start(), Redis::start().await);
    let proxies = pair.warm(host, &redis, &[]).await;
    for _ in 0..5 {
        for proxy in &proxies {
            proxy.get("/").await.is_from("fast");
        }
    }
    tokio::time::sleep(ms(500)).await;
    assert_eq!(pair.probes(), (1, 1), "a host measured again");
}

/// The fast one no longer responds to the first host, but still to the others: they can learn that from the store
/// only.
async fn a_failover_found_by_one_host_reaches_all(host: Host) {
    let (pair, redis) = (Pair::start(), Redis::start().await);
    let dead = Arc::new(AtomicBool::new(false));
    let dying = dead.clone();
    let pair = Pair {
        slow: pair.slow,
        fast: pair.fast.script(move |arrived| {
            let hangs = dying.load(Ordering::SeqCst) && arrived.entry.get().target == "/first";
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                reply::text(200, "fast")
            }
        }),
    };
    let set = [("FETCH_ATTEMPT_TIMEOUT_MS", "300")];
    let proxies = pair.warm(host, &redis, &set).await;
    let (first, others) = proxies.split_first().expect("there are several");

    dead.store(true, Ordering::SeqCst);
    pair.fast.set_health(Health::Hangs);
    first.get("/first").await.is_from("slow");
    let found = Instant::now();

    // Each of them gets a request every 50 ms, and stops using the dead one within two seconds.
    join_all(others.iter().map(async |proxy| {
        let mut left_after = None;
        while found.elapsed() < ms(4000) {
            let answer = proxy.get("/other").await;
            assert_eq!(answer.status, 200);
            match (answer.text(), left_after) {
                ("slow", None) => left_after = Some(found.elapsed()),
                ("slow", Some(_)) | ("fast", None) => {}
                (text, _) => panic!("{text:?} after it had left at {left_after:?}"),
            }
            tokio::time::sleep(ms(50)).await;
        }
        let left_after = left_after.expect("it stopped using the dead one");
        assert!(
            left_after < ms(2000),
            "it stopped using the dead one after {left_after:?}"
        );
        assert!(
            proxy
                .said(r#""event":"primary_changed""#)
                .iter()
                .any(|line| line.contains(r#""reason":"store""#)),
            "{:?}",
            proxy.process.stderr()
        );
    }))
    .await;
}

/// Requests without a pause, until they are stopped.
fn load(proxy: &Proxy, stop: &Arc<AtomicBool>) -> JoinHandle<(usize, Duration)> {
    let (address, stop) = (proxy.address, stop.clone());
    tokio::spawn(async move {
        let (mut count, mut slowest) = (0, Duration::ZERO);
        while !stop.load(Ordering::SeqCst) {
            let answer = client::send(address, get("/load")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            count += 1;
            slowest = slowest.max(answer.elapsed);
            tokio::time::sleep(ms(5)).await;
        }
        (count, slowest)
    })
}

async fn a_redis_that_dies_hangs_and_returns_fails_no_request(host: Host) {
    let (pair, mut redis) = (Pair::start(), Redis::start().await);
    // Instances come and go: each new one reads the Redis first. A short TTL makes them write decisions often.
    let set = [("FETCH_CACHE_TTL_SECONDS", "10")];
    let mut proxies = pair.warm(host, &redis, &set).await;
    proxies.push(
        pair.on(host, &redis)
            .options(["--max-instance-reuse-count", "20"])
            .start()
            .await,
    );
    let stop = Arc::new(AtomicBool::new(false));
    let loads: Vec<_> = proxies.iter().map(|proxy| load(proxy, &stop)).collect();
    let all_say = async |text: &str, times: usize| {
        for proxy in &proxies {
            eventually(text, || (proxy.said(text).len() >= times).then_some(())).await;
        }
    };

    redis.kill();
    all_say("cannot be reached", 1).await;
    redis.revive().await;
    all_say("can be reached again", 1).await;
    redis.pause();
    all_say("cannot be reached", 2).await;
    // One has to start without it, too.
    let late = pair.on(host, &redis).start().await;
    let cold = late.get("/").await;
    cold.is_from("fast");
    assert!(cold.elapsed < ms(2500), "{:?}", cold.elapsed);
    redis.resume();
    all_say("can be reached again", 2).await;
    // It has lost everything.
    let written = tokio::time::timeout(Duration::from_secs(20), async {
        while !redis.record().is_some_and(|record| is_whole(&record)) {
            tokio::time::sleep(ms(50)).await;
        }
    });
    written.await.expect("the next round is written");

    stop.store(true, Ordering::SeqCst);
    for load in loads {
        let (count, slowest) = load.await.expect("no request is lost");
        assert!(count > 100, "{count} requests are no load");
        assert!(slowest < ms(2000), "one took {slowest:?}");
    }
    for proxy in &proxies {
        let changes = proxy.said("be reached").len();
        assert!(
            changes <= 6,
            "{changes} lines for four changes: {:#?}",
            proxy.said("be reached")
        );
    }
}

async fn a_host_starts_without_its_redis_and_finds_it_later(host: Host) {
    let (pair, mut redis) = (Pair::start(), Redis::absent());
    let proxy = pair
        .on(host, &redis)
        .set("FETCH_CACHE_TTL_SECONDS", "10")
        .start()
        .await;
    // Before any request.
    let said = proxy.says("cannot be reached").await;
    assert!(
        said[0].contains("127.0.0.1") && said[0].contains("WARN"),
        "{said:?}"
    );
    for _ in 0..5 {
        proxy.get("/").await.is_from("fast");
    }
    redis.revive().await;
    let written = tokio::time::timeout(Duration::from_secs(20), async {
        while redis.record().is_none() {
            proxy.get("/").await.is_from("fast");
            tokio::time::sleep(ms(100)).await;
        }
    });
    written.await.expect("the next round is written");
    assert_eq!(proxy.said("cannot be reached").len(), 1);
    assert_eq!(proxy.said("can be reached again").len(), 1);
    for line in proxy.process.stderr() {
        assert!(!line.contains("sesame"), "{line}");
    }
}

async fn a_refused_redis_password_is_reported_without_it(host: Host) {
    let (pair, redis) = (Pair::start(), Redis::start().await);
    let config = std::fs::read_to_string(redis.runtime_config()).expect("written by the test");
    std::fs::write(redis.runtime_config(), config.replace("sesame", "barley")).expect("writable");
    let proxy = pair
        .on(host, &redis)
        // Everything that could contain it. Compiling the component alone would log half a million lines.
        .options([
            "--log-level",
            "info,function_fetch=trace,function_fetch_host=trace,redis=trace",
        ])
        .start()
        .await;
    proxy.get("/").await.is_from("fast");
    let said = proxy.says("cannot be reached").await;
    assert!(said[0].to_lowercase().contains("password"), "{said:?}");
    for line in proxy.process.stderr() {
        assert!(
            !line.contains("barley") && !line.contains(PASSWORD),
            "{line}"
        );
    }
    assert_eq!(redis.record(), None);
}

async fn a_redis_that_hangs_delays_a_cold_start_a_little(host: Host) {
    let (pair, redis) = (Pair::start(), Redis::start().await);
    let proxy = pair.on(host, &redis).start().await;
    redis.pause();
    let cold = proxy.get("/").await;
    cold.is_from("fast");
    // The component times out after 250 ms, and then measures.
    assert!(cold.elapsed < ms(2500), "cold: {:?}", cold.elapsed);
    redis.resume();
}
