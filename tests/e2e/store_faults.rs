//! A store that fails, is slow or full, or holds wrong data changes speed, never correctness.

use crate::promises;
use crate::support::client::post;
use crate::support::host::{Host, WITH_PATIENT_FILE, WITH_STORE};
use crate::support::origin::Origin;
use crate::support::setup::{Proxy, Setup, proxy};
use crate::support::store::Store;
use crate::support::suite::Suite;
use crate::support::waiting::ms;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        WITH_PATIENT_FILE,
        [
            a_hanging_store_delays_a_cold_start_a_little,
            a_store_that_hangs_later_delays_no_request,
        ]
    );
    promises!(
        suite,
        WITH_STORE,
        [
            a_store_that_is_no_database_changes_nothing,
            a_store_that_cannot_be_reached_changes_nothing,
            a_store_without_its_table_changes_nothing,
            a_full_store_changes_nothing,
            an_unknown_store_changes_nothing,
        ]
    );
}

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

    fn on(&self, host: Host) -> Setup {
        proxy(host).targets([self.slow.url(), self.fast.url()])
    }
}

/// A cold request, the end of its round, and warm requests: all succeed, and none is slow.
async fn is_right(proxy: &Proxy) {
    let cold = proxy.get("/cold").await;
    cold.is_from("fast");
    assert!(cold.elapsed < ms(2500), "cold: {:?}", cold.elapsed);
    tokio::time::sleep(ms(400)).await;
    for _ in 0..5 {
        let warm = proxy.get("/warm").await;
        warm.is_from("fast");
        // The read times out after 250 ms; warm requests do not read the store.
        assert!(warm.elapsed < ms(1500), "warm: {:?}", warm.elapsed);
        proxy.send(post("/warm", "body")).await.is_from("fast");
    }
}

async fn a_hanging_store_delays_a_cold_start_a_little(host: Host) {
    let pair = Pair::start();
    let store = Store::new();
    let _held = store.lock();
    let proxy = pair.on(host).store(&store).start().await;
    is_right(&proxy).await;
    let (fast, slow) = (pair.fast.probes().len(), pair.slow.probes().len());
    if host.is_wasi_02() {
        // The write blocks its instance as long as the store hangs; a request that gets a new one measures
        // again.
        assert_eq!(fast, slow);
    } else {
        assert_eq!((fast, slow), (1, 1));
    }
}

async fn a_store_that_is_no_database_changes_nothing(host: Host) {
    let pair = Pair::start();
    let store = Store::new();
    let proxy = pair.on(host).store(&store).start().await;
    std::fs::write(
        store.path(),
        b"this is no database, it is a text. ".repeat(200),
    )
    .expect("a writable directory");
    is_right(&proxy).await;
}

async fn a_store_that_cannot_be_reached_changes_nothing(host: Host) {
    let pair = Pair::start();
    let store = Store::new();
    let proxy = pair.on(host).store(&store).start().await;
    // A directory where the file should be: even root can neither open nor create it.
    std::fs::remove_file(store.path()).expect("a writable directory");
    std::fs::create_dir(store.path()).expect("a writable directory");
    is_right(&proxy).await;
}

async fn a_store_without_its_table_changes_nothing(host: Host) {
    let pair = Pair::start();
    let store = Store::new();
    // A table of the same name that is not Spin's: every statement on it fails.
    store.execute("DROP TABLE spin_key_value; CREATE TABLE spin_key_value (foreign_column TEXT)");
    let proxy = pair.on(host).store(&store).start().await;
    is_right(&proxy).await;
}

async fn a_full_store_changes_nothing(host: Host) {
    let pair = Pair::start();
    let store = Store::new();
    store.execute(
        "CREATE TRIGGER full BEFORE INSERT ON spin_key_value BEGIN SELECT RAISE(FAIL, 'full'); END",
    );
    let proxy = pair.on(host).store(&store).start().await;
    is_right(&proxy).await;
    assert_eq!(store.record(), None);
    let (fast, slow) = (pair.fast.probes().len(), pair.slow.probes().len());
    if host.is_wasi_02() {
        // The write blocks its instance as long as the store hangs; a request that gets a new one measures
        // again.
        assert_eq!(fast, slow);
    } else {
        assert_eq!((fast, slow), (1, 1));
    }
}

async fn a_store_that_hangs_later_delays_no_request(host: Host) {
    let pair = Pair::start();
    let store = Store::new();
    let proxy = pair
        .on(host)
        .store(&store)
        .set("FETCH_CACHE_TTL_SECONDS", "10")
        .start()
        .await;
    proxy.get("/").await.is_from("fast");
    store.written("a record is written", |_| true).await;
    let _held = store.lock();
    let probes = pair.fast.probes().len();
    // Past the refresh, which reads and writes the store.
    for _ in 0..48 {
        let warm = proxy.get("/").await;
        warm.is_from("fast");
        assert!(warm.elapsed < ms(1500), "{:?}", warm.elapsed);
        tokio::time::sleep(ms(250)).await;
    }
    assert!(pair.fast.probes().len() > probes, "nothing was refreshed");
}

async fn an_unknown_store_changes_nothing(host: Host) {
    let pair = Pair::start();
    let proxy = pair
        .on(host)
        .set("FETCH_CACHE_KV_BINDING", "nowhere")
        .start()
        .await;
    is_right(&proxy).await;
}
