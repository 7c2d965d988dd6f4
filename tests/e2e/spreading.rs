//! `FETCH_SPREAD`: instances share the traffic among the targets that are as good as the best.

use std::collections::BTreeMap;

use futures::future::join_all;

use crate::promises;
use crate::support::client::Answer;
use crate::support::host::{Host, OURS, WITH_STORE};
use crate::support::origin::Origin;
use crate::support::reply;
use crate::support::setup::{Setup, proxy};
use crate::support::store::Store;
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

/// Instances that choose. With a fair coin all of them choose the same one once in half a million
/// runs.
const INSTANCES: usize = 20;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        OURS,
        [
            instances_that_measured_share_the_traffic,
            an_instance_keeps_its_choice,
        ]
    );
    promises!(
        suite,
        WITH_STORE,
        [
            instances_with_spread_share_the_traffic,
            without_it_the_primary_keeps_the_traffic,
        ]
    );
}

/// Two targets that are equal, within the margin below, and one that is not.
struct Scene {
    best: Origin,
    peer: Origin,
    slow: Origin,
}

impl Scene {
    fn new() -> Self {
        Self {
            best: Origin::start("best"),
            peer: Origin::start("peer").probed_in(ms(50)),
            slow: Origin::start("slow").probed_in(ms(800)),
        }
    }

    fn setup(&self, host: Host) -> Setup {
        proxy(host)
            .targets([self.slow.url(), self.peer.url(), self.best.url()])
            .set("FETCH_SWITCH_MARGIN", "20%,150ms")
    }

    /// Waits until so many instances know all three.
    async fn measured(&self, times: usize) {
        eventually("the slow one is probed", || {
            (self.slow.probes().len() >= times).then_some(())
        })
        .await;
        tokio::time::sleep(ms(1200)).await;
    }
}

/// How many of the responses came from each.
fn shares(answers: &[Answer]) -> BTreeMap<&str, usize> {
    let mut shares = BTreeMap::new();
    for answer in answers {
        assert_eq!(answer.status, 200);
        *shares.entry(answer.text()).or_default() += 1;
    }
    shares
}

#[track_caller]
fn are_shared(answers: &[Answer]) {
    let shares = shares(answers);
    let share = |name: &str| shares.get(name).copied().unwrap_or(0);
    assert!(share("best") > 0 && share("peer") > 0, "{shares:?}");
    // None, except from an instance whose two good targets had slow probes.
    assert!(share("slow") <= 2, "{shares:?}");
}

/// Holds each of the first requests until the last one has arrived: no instance takes two of them.
fn begins_an_instance_each(origin: Origin, name: &'static str) -> Origin {
    origin.script(move |arrived| async move {
        if arrived.drain().await.target == "/cold" {
            tokio::time::sleep(ms(1500)).await;
        }
        reply::text(200, name)
    })
}

async fn instances_that_measured_share_the_traffic(host: Host) {
    let mut scene = Scene::new();
    scene.best = begins_an_instance_each(scene.best, "best");
    scene.peer = begins_an_instance_each(scene.peer, "peer");
    let proxy = scene
        .setup(host)
        .set("FETCH_SPREAD", "true")
        .set("FETCH_CACHE_ADAPTER", "memory")
        .options([
            "--max-instance-concurrent-reuse-count",
            "1",
            "--max-instance-reuse-count",
            "2",
        ])
        .start()
        .await;
    join_all((0..INSTANCES).map(|_| proxy.get("/cold"))).await;
    scene.measured(INSTANCES).await;
    let answers = join_all((0..INSTANCES).map(|_| proxy.get("/warm"))).await;
    assert_eq!(scene.slow.probes().len(), INSTANCES, "others answered");
    are_shared(&answers);
}

async fn an_instance_keeps_its_choice(host: Host) {
    let scene = Scene::new();
    let proxy = scene
        .setup(host)
        .set("FETCH_SPREAD", "true")
        .one_instance()
        .start()
        .await;
    proxy.get("/").await;
    scene.measured(1).await;
    let mut answers = vec![];
    for _ in 0..INSTANCES {
        answers.push(proxy.get("/").await);
    }
    let shares = shares(&answers);
    assert_eq!(shares.len(), 1, "{shares:?}");
}

/// Lets one instance fill a store, then starts one after the other, each of which reads it.
async fn in_turn(host: Host, spread: &str) -> (Store, Vec<Answer>) {
    let scene = Scene::new();
    let store = Store::new();
    let proxy = scene
        .setup(host)
        .set("FETCH_SPREAD", spread)
        .store(&store)
        .options(["--max-instance-reuse-count", "1"])
        .start()
        .await;
    proxy.get("/").await;
    store.written("the decision is written", |_| true).await;
    let mut answers = vec![];
    for _ in 0..INSTANCES {
        answers.push(proxy.get("/").await);
    }
    assert_eq!(scene.slow.probes().len(), 1, "an instance did not know");
    (store, answers)
}

async fn instances_with_spread_share_the_traffic(host: Host) {
    let (_, answers) = in_turn(host, "true").await;
    are_shared(&answers);
}

async fn without_it_the_primary_keeps_the_traffic(host: Host) {
    let (store, answers) = in_turn(host, "false").await;
    let record = store.record().expect("it was written");
    let primary = ["slow", "peer", "best"][record["primary"].as_u64().expect("an index") as usize];
    assert_eq!(
        shares(&answers),
        BTreeMap::from([(primary, INSTANCES)]),
        "{record}"
    );
}
