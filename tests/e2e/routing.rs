//! Which target a request goes to while all is well.

use crate::promises;
use crate::support::client;
use crate::support::host::{EVERY, Host};
use crate::support::origin::{Health, Origin};
use crate::support::setup::{HEALTH_PATH, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            routes_to_the_fastest,
            an_unhealthy_target_is_not_the_fastest,
            one_target_is_never_probed,
            without_cache_nothing_is_probed_and_the_list_is_the_order,
            all_probes_failed_serves_in_list_order,
            probes_are_plain_gets_of_the_health_path,
            a_base_path_is_joined_with_exactly_one_slash,
            targets_come_in_every_list_form,
        ]
    );
}

async fn routes_to_the_fastest(host: Host) {
    let slow = Origin::start("slow").probed_in(ms(400));
    let middle = Origin::start("middle").probed_in(ms(200));
    let fast = Origin::start("fast");
    let proxy = proxy(host)
        .targets([slow.url(), middle.url(), fast.url()])
        .start()
        .await;
    proxy.get("/cold").await.is_from("fast");
    // The round continues after the first response; ranked or not yet, the fastest is the first
    // choice.
    for _ in 0..3 {
        proxy.get("/warm").await.is_from("fast");
    }
    eventually("the slowest is probed", || slow.probes().pop()).await;
    tokio::time::sleep(ms(600)).await;
    for _ in 0..3 {
        proxy.get("/ranked").await.is_from("fast");
    }
    assert!(middle.live().is_empty() && slow.live().is_empty());
}

async fn an_unhealthy_target_is_not_the_fastest(host: Host) {
    let broken = Origin::start("broken");
    broken.set_health(Health::Answers(500, ms(0)));
    let slow = Origin::start("slow").probed_in(ms(150));
    let proxy = proxy(host)
        .targets([broken.url(), slow.url()])
        .start()
        .await;
    for _ in 0..3 {
        proxy.get("/").await.is_from("slow");
    }
    assert!(broken.live().is_empty());
}

async fn one_target_is_never_probed(host: Host) {
    let origin = Origin::start("only");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    for _ in 0..3 {
        proxy.get("/").await.is_from("only");
    }
    assert!(origin.probes().is_empty());
    assert_eq!(origin.live().len(), 3);
}

async fn without_cache_nothing_is_probed_and_the_list_is_the_order(host: Host) {
    let first = Origin::start("first").probed_in(ms(300));
    let second = Origin::start("second");
    let proxy = proxy(host)
        .targets([first.url(), second.url()])
        .in_list_order()
        .start()
        .await;
    for _ in 0..4 {
        proxy.get("/").await.is_from("first");
    }
    assert!(first.probes().is_empty() && second.probes().is_empty());
}

async fn all_probes_failed_serves_in_list_order(host: Host) {
    let first = Origin::start("first");
    let second = Origin::start("second");
    for origin in [&first, &second] {
        origin.set_health(Health::Answers(503, ms(0)));
    }
    let proxy = proxy(host)
        .targets([first.url(), second.url()])
        .start()
        .await;
    proxy.get("/").await.is_from("first");
    assert!(!first.probes().is_empty() && !second.probes().is_empty());
}

async fn probes_are_plain_gets_of_the_health_path(host: Host) {
    let one = Origin::start("one");
    let two = Origin::start("two");
    let proxy = proxy(host)
        .targets([format!("{}/base", one.url()), two.url()])
        .set("FETCH_HEALTH_PATH", "ready?deep=1")
        .start()
        .await;
    let answer = client::with(client::get("/"), "cookie", "session=secret");
    assert_eq!(proxy.send(answer).await.status, 200);
    for (origin, path) in [(&one, "/base/ready?deep=1"), (&two, "/ready?deep=1")] {
        let probe = eventually("a probe", || origin.probes().pop()).await;
        assert_eq!(
            (probe.method.as_str(), probe.target.as_str()),
            ("GET", path)
        );
        // A probe is the proxy's own request: it has nothing of the client's.
        assert_eq!(probe.header("cookie"), None);
    }
}

async fn a_base_path_is_joined_with_exactly_one_slash(host: Host) {
    for base in ["", "/", "/base", "/base/"] {
        let origin = Origin::start("origin");
        let proxy = proxy(host)
            .targets([format!("{}{base}", origin.url())])
            .start()
            .await;
        let joined = if base.len() > 1 { "/base" } else { "" };
        for target in ["/", "/a", "/a/", "/a?q=1", "/?q=1"] {
            proxy.get(target).await.is_from("origin");
            let seen = origin.live().pop().expect("it answered");
            assert_eq!(seen.target, format!("{joined}{target}"), "base {base:?}");
        }
    }
}

async fn targets_come_in_every_list_form(host: Host) {
    let first = Origin::start("first");
    let second = Origin::start("second");
    let (a, b) = (first.url(), second.url());
    for list in [
        format!("[\"{a}\", \"{b}\"]"),
        format!("{a},{b}"),
        format!(" {a}\n{b} "),
        format!("{a} ,\t{b},"),
        // A duplicate collapses: two targets, not three, so there is none left for a third attempt.
        format!("{a}/,{b},{a}"),
    ] {
        let before = (first.probes().len(), second.probes().len());
        let proxy = proxy(host)
            .set("FETCH_TARGETS", list.as_str())
            .start()
            .await;
        assert_eq!(proxy.get("/").await.status, 200, "{list:?}");
        let round = || {
            (
                first.probes().len() - before.0,
                second.probes().len() - before.1,
            )
        };
        eventually("both are probed", || {
            (round().0 + round().1 >= 2).then_some(())
        })
        .await;
        tokio::time::sleep(ms(50)).await;
        assert_eq!(round(), (1, 1), "probes of {list:?} at {HEALTH_PATH}");
    }
}
