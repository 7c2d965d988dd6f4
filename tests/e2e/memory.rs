//! The decision in the shared store: what it saves, and what may change it.

use std::time::Instant;

use serde_json::json;

use crate::promises;
use crate::support::host::{Host, WITH_STORE};
use crate::support::origin::{Health, Origin};
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::setup::{Setup, proxy};
use crate::support::store::{KEY, Store};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

/// An hour, ms.
const HOUR: f64 = 3_600_000.0;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        WITH_STORE,
        [
            the_decision_survives_a_restart,
            a_stale_record_serves_while_it_is_refreshed,
            a_record_keeps_its_age,
            an_expired_record_is_a_miss,
            useless_records_are_misses_and_replaced,
            a_plain_url_is_read_as_a_winner,
            a_plain_url_of_an_unknown_host_is_never_contacted,
            the_store_is_not_written_per_request,
            a_failover_is_written_to_the_store,
            memory_alone_leaves_the_store_alone,
            the_store_alone_works,
            the_key_can_be_named,
        ]
    );
}

/// Three targets of which the last is the fastest, and a store.
struct Scene {
    host: Host,
    store: Store,
    slow: Origin,
    middle: Origin,
    fast: Origin,
}

impl Scene {
    fn new(host: Host) -> Self {
        Self {
            host,
            store: Store::new(),
            slow: Origin::start("slow").probed_in(ms(300)),
            middle: Origin::start("middle").probed_in(ms(150)),
            fast: Origin::start("fast"),
        }
    }

    fn setup(&self) -> Setup {
        proxy(self.host)
            .targets([self.slow.url(), self.middle.url(), self.fast.url()])
            .store(&self.store)
    }

    fn probes(&self) -> usize {
        [&self.slow, &self.middle, &self.fast]
            .iter()
            .map(|origin| origin.probes().len())
            .sum()
    }

    fn hang_probes(&self) {
        for origin in [&self.slow, &self.middle, &self.fast] {
            origin.set_health(Health::Hangs);
        }
    }

    /// Lets the proxy write a record, and stops that host.
    async fn learn(&self) -> serde_json::Value {
        let proxy = self.setup().start().await;
        proxy.get("/").await.is_from("fast");
        self.store.written("a record is written", |_| true).await
    }
}

async fn the_decision_survives_a_restart(host: Host) {
    let scene = Scene::new(host);
    let record = scene.learn().await;
    assert_eq!(
        record["targets"].as_array().map(Vec::len),
        Some(3),
        "{record}"
    );
    assert_eq!(scene.probes(), 3);
    let proxy = scene.setup().start().await;
    for _ in 0..5 {
        proxy.get("/").await.is_from("fast");
    }
    tokio::time::sleep(ms(500)).await;
    assert_eq!(scene.probes(), 3, "the new host measured again");
    assert_eq!(scene.store.record(), Some(record), "its age was not kept");
}

async fn a_stale_record_serves_while_it_is_refreshed(host: Host) {
    let scene = Scene::new(host);
    let mut record = scene.learn().await;
    let at = record["at"].as_f64().expect("unix ms");
    // 15 s old where 10 s is the TTL, and another 10 s of grace.
    record["at"] = json!(at - 15_000.0);
    scene.store.plant(record.to_string());
    let before = scene.probes();
    scene.hang_probes();
    let proxy = scene
        .setup()
        .set("FETCH_CACHE_TTL_SECONDS", "10")
        .set("FETCH_HEALTH_TIMEOUT_MS", "8000")
        .start()
        .await;
    let answer = proxy.get("/").await;
    answer.is_from("fast");
    assert!(answer.elapsed < ms(4000), "{:?}", answer.elapsed);
    eventually("the refresh begins", || {
        (scene.probes() > before).then_some(())
    })
    .await;
}

async fn a_record_keeps_its_age(host: Host) {
    let scene = Scene::new(host);
    let mut record = scene.learn().await;
    let at = record["at"].as_f64().expect("unix ms");
    // A TTL of 10 s and another 10 s of grace, of which 17 are over.
    record["at"] = json!(at - 17_000.0);
    scene.store.plant(record.to_string());
    let planted = Instant::now();
    scene.hang_probes();
    let proxy = scene
        .setup()
        .set("FETCH_CACHE_TTL_SECONDS", "10")
        .set("FETCH_HEALTH_TIMEOUT_MS", "9000")
        .start()
        .await;
    let stale = proxy.get("/").await;
    stale.is_from("fast");
    assert!(stale.elapsed < ms(1500), "{:?}", stale.elapsed);
    tokio::time::sleep(ms(5000).saturating_sub(planted.elapsed())).await;
    // Expired for good, even if this instance has read it just before: the next one waits for the round.
    let expired = proxy.get("/").await;
    assert_eq!(expired.status, 200);
    assert!(expired.elapsed > ms(1500), "{:?}", expired.elapsed);
}

async fn an_expired_record_is_a_miss(host: Host) {
    let scene = Scene::new(host);
    let mut record = scene.learn().await;
    let at = record["at"].as_f64().expect("unix ms");
    record["at"] = json!(at - HOUR);
    scene.store.plant(record.to_string());
    let before = scene.probes();
    let proxy = scene.setup().start().await;
    proxy.get("/").await.is_from("fast");
    scene
        .store
        .written("the record is replaced", |new| {
            new["at"].as_f64() >= Some(at)
        })
        .await;
    assert_eq!(scene.probes(), before + 3);
}

async fn useless_records_are_misses_and_replaced(host: Host) {
    let scene = Scene::new(host);
    let good = scene.learn().await;
    let at = good["at"].as_f64().expect("unix ms");
    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        // If it were trusted, it would send everything to the slowest.
        let mut record = good.clone();
        record["primary"] = json!(0);
        for (n, target) in record["targets"]
            .as_array_mut()
            .expect("a list")
            .iter_mut()
            .enumerate()
        {
            target["ms"] = json!(n + 1);
        }
        change(&mut record);
        record.to_string().into_bytes()
    };
    // The forged content has an effect where the record is valid: else the cases below would prove
    // nothing.
    scene.store.plant(changed(&|_| {}));
    let proxy = scene.setup().start().await;
    proxy.get("/").await.is_from("slow");
    drop(proxy);

    let cases: [(&str, Vec<u8>); 9] = [
        ("empty", vec![]),
        ("binary", vec![0, 159, 146, 150]),
        ("cut off", changed(&|_| {}).split_off(10)),
        ("some other JSON", b"[1, {\"v\": 1}]".to_vec()),
        (
            "of other settings",
            changed(&|r| r["hash"] = json!("01234567")),
        ),
        ("of another version", changed(&|r| r["v"] = json!(99))),
        ("from the future", changed(&|r| r["at"] = json!(at + HOUR))),
        (
            "too large",
            changed(&|r| r["pad"] = json!("x".repeat(65_536))),
        ),
        (
            "short of targets",
            changed(&|r| drop(r["targets"].as_array_mut().map(Vec::pop))),
        ),
    ];
    for (name, value) in cases {
        scene.store.plant(&value);
        let before = scene.probes();
        let proxy = scene.setup().start().await;
        let answer = proxy.get("/").await;
        assert_eq!(
            answer.text(),
            "fast",
            "a record that is {name} was believed"
        );
        let record = scene
            .store
            .written("it is replaced", |new| {
                new["v"] == good["v"] && new["hash"] == good["hash"] && new["primary"] == json!(2)
            })
            .await;
        let now = record["at"].as_f64().expect("unix ms");
        assert!(now >= at && now < at + HOUR, "{name}: {record}");
        assert_eq!(scene.probes(), before + 3, "{name}");
    }
}

async fn a_plain_url_is_read_as_a_winner(host: Host) {
    for suffix in ["", "/"] {
        let scene = Scene::new(host);
        scene.store.plant(format!("{}{suffix}", scene.middle.url()));
        scene.hang_probes();
        let proxy = scene.setup().start().await;
        let answer = proxy.get("/").await;
        answer.is_from("middle");
        // Measured again in the background, since its age is not known.
        assert!(answer.elapsed < ms(1400), "{:?}", answer.elapsed);
        eventually("the refresh begins", || (scene.probes() > 0).then_some(())).await;
    }
}

async fn a_plain_url_of_an_unknown_host_is_never_contacted(host: Host) {
    let stranger = Origin::start("stranger");
    let scene = Scene::new(host);
    scene.store.plant(stranger.url());
    let proxy = scene.setup().start().await;
    proxy.get("/").await.is_from("fast");
    assert_eq!(stranger.connections(), 0);
}

async fn the_store_is_not_written_per_request(host: Host) {
    let scene = Scene::new(host);
    scene.store.execute(
        "CREATE TABLE writes (n INTEGER);
         CREATE TRIGGER inserted AFTER INSERT ON spin_key_value BEGIN INSERT INTO writes VALUES (1); END;
         CREATE TRIGGER updated AFTER UPDATE ON spin_key_value BEGIN INSERT INTO writes VALUES (1); END;",
    );
    let proxy = scene.setup().one_instance().start().await;
    for _ in 0..100 {
        proxy.get("/").await.is_from("fast");
    }
    scene.store.written("a record is written", |_| true).await;
    for _ in 0..100 {
        proxy.get("/").await.is_from("fast");
    }
    tokio::time::sleep(ms(300)).await;
    let writes: i64 = scene
        .store
        .connection()
        .query_row("SELECT count(*) FROM writes", [], |row| row.get(0))
        .expect("a count");
    // One decision, and once what is normal; a host that spread the first requests over instances may have made a few.
    assert!(
        (1..=4).contains(&writes),
        "{writes} writes for 200 requests"
    );
}

async fn a_failover_is_written_to_the_store(host: Host) {
    let store = Store::new();
    let primary = RawOrigin::start(Act::Hang);
    let other = Origin::start("other").probed_in(ms(200));
    let setup = || {
        proxy(host)
            .targets([other.url(), primary.url()])
            .set("FETCH_ATTEMPT_TIMEOUT_MS", "1000")
            .store(&store)
    };
    let one = setup().start().await;
    // Its first attempt hangs: meanwhile the round ends and is written with the primary on top.
    let first = tokio::spawn({
        let address = one.address;
        async move { crate::support::client::send(address, crate::support::client::get("/")).await }
    });
    store
        .written("the round is written", |record| {
            record["primary"] == json!(1)
        })
        .await;
    first.await.expect("no panic").is_from("other");
    // Some hosts write with the next request: let there be one. On the others a new instance must not read the store
    // before the write, or it waits again.
    tokio::time::sleep(ms(500)).await;
    one.get("/").await.is_from("other");
    store
        .written("the failover is written", |record| {
            record["primary"] == json!(0)
        })
        .await;
    // Another instance does not wait again.
    let two = setup().start().await;
    two.get("/").await.is_from("other");
    assert_eq!(primary.live().len(), 1);
}

async fn memory_alone_leaves_the_store_alone(host: Host) {
    let scene = Scene::new(host);
    let proxy = scene
        .setup()
        .set("FETCH_CACHE_ADAPTER", "memory")
        .start()
        .await;
    proxy.get("/").await.is_from("fast");
    tokio::time::sleep(ms(700)).await;
    proxy.get("/").await.is_from("fast");
    assert_eq!(scene.probes(), 3);
    assert_eq!(scene.store.read(KEY), None);
}

async fn the_store_alone_works(host: Host) {
    let scene = Scene::new(host);
    let proxy = scene.setup().set("FETCH_CACHE_ADAPTER", "kv").start().await;
    proxy.get("/").await.is_from("fast");
    let mut record = scene.store.written("a record is written", |_| true).await;
    proxy.get("/").await.is_from("fast");
    // Nothing is kept in memory: the store's content applies at once.
    record["primary"] = json!(1);
    scene.store.plant(record.to_string());
    proxy.get("/").await.is_from("middle");
}

async fn the_key_can_be_named(host: Host) {
    let scene = Scene::new(host);
    let proxy = scene
        .setup()
        .set("FETCH_CACHE_KEY", "my-app:best")
        .start()
        .await;
    proxy.get("/").await.is_from("fast");
    eventually("a record is written", || scene.store.read("my-app:best")).await;
    assert_eq!(scene.store.read(KEY), None);
}
