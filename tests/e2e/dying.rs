//! Targets that die and come back while the proxy runs.

use std::time::{Duration, Instant};

use crate::cold_start::{COUNTED, begun};
use crate::promises;
use crate::support::client::{get, post};
use crate::support::host::{EVERY, Host, OURS_OF_ANY_WASI};
use crate::support::origin::Origin;
use crate::support::port::Port;
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::reply;
use crate::support::setup::{Proxy, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{SOON, eventually, ms};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            killing_the_primary_between_requests_causes_no_error,
            a_dead_primary_costs_one_attempt,
            a_dead_primary_comes_back_by_a_probe,
            one_healthy_target_is_enough,
            all_ejected_still_serves,
        ]
    );
    // Instances are counted here, so there must be one.
    promises!(
        suite,
        OURS_OF_ANY_WASI,
        [three_gateway_failures_eject, retry_after_is_honoured]
    );
}

/// A proxy that knows `primary` as the fastest of both.
async fn warm(host: Host, primary: &Origin, other: &Origin) -> Proxy {
    proxy(host)
        .targets([other.url(), primary.url()])
        .one_instance()
        .start_warm(other)
        .await
}

async fn killing_the_primary_between_requests_causes_no_error(host: Host) {
    for first_is_post in [false, true] {
        let mut primary = Origin::start("primary");
        let other = Origin::start("other").probed_in(ms(200));
        let proxy = warm(host, &primary, &other).await;
        primary.kill().await;
        for n in 0..20 {
            let request = if (n % 2 == 0) == first_is_post {
                post("/", format!("body {n}"))
            } else {
                get("/")
            };
            proxy.send(request).await.is_from("other");
        }
        let bodies: Vec<_> = other
            .live()
            .into_iter()
            .filter(|seen| seen.method == "POST")
            .map(|seen| seen.body)
            .collect();
        assert_eq!(bodies.len(), 10);
        assert!(
            bodies
                .iter()
                .all(|body| body.complete && body.start.starts_with(b"body "))
        );
    }
}

async fn a_dead_primary_costs_one_attempt(host: Host) {
    let primary = RawOrigin::start(Act::Hang);
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = proxy(host)
        .targets([other.url(), primary.url(), COUNTED.to_owned()])
        .set("FETCH_ATTEMPT_TIMEOUT_MS", "400")
        .one_instance()
        .start()
        .await;
    proxy.get("/").await.is_from("other");
    let ejected = Instant::now();
    // The backoff begins at a second (jittered): within half of it nothing is sent to the dead one.
    let mut asked = 0;
    while ejected.elapsed() < ms(400) {
        proxy.get("/").await.is_from("other");
        if host.is_ours() {
            // With a second instance this might be the one that notices, and a POST is not sent again.
            proxy.send(post("/", "body")).await.is_from("other");
        }
        asked += 1;
    }
    let attempts = primary.live().len();
    let instances = begun(&proxy).await;
    assert!(
        (1..=instances).contains(&attempts),
        "{attempts} attempts by {instances} instances in {asked} requests"
    );
}

async fn three_gateway_failures_eject(host: Host) {
    let primary = Origin::start("primary").answer(|| reply::text(503, "primary"));
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = proxy(host)
        .targets([other.url(), primary.url()])
        .one_instance()
        .start()
        .await;
    let started = Instant::now();
    for _ in 0..3 {
        proxy.get("/").await.is_from("other");
    }
    let third = Instant::now();
    while third.elapsed() < ms(300) {
        // Before the ejection this one would have got the 503: a POST is not retried.
        proxy.send(post("/", "body")).await.is_from("other");
    }
    assert!(started.elapsed() < SOON);
    assert_eq!(primary.live().len(), 3);
}

async fn retry_after_is_honoured(host: Host) {
    let primary = Origin::start("primary").answer(|| {
        let mut reply = reply::text(503, "primary");
        reply
            .headers_mut()
            .insert("retry-after", "60".parse().expect("ASCII"));
        reply
    });
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = proxy(host)
        .targets([other.url(), primary.url()])
        .one_instance()
        .start()
        .await;
    for _ in 0..3 {
        proxy.get("/").await.is_from("other");
    }
    eventually("the other one is probed", || other.probes().pop()).await;
    let probes = primary.probes().len();
    let started = Instant::now();
    // Past the first backoff of a second, after which it would otherwise be probed and, being healthy, used
    // again.
    while started.elapsed() < ms(2500) {
        proxy.get("/").await.is_from("other");
        tokio::time::sleep(ms(50)).await;
    }
    // The first 503 sets it aside for requests that may go elsewhere.
    assert_eq!((primary.live().len(), primary.probes().len()), (1, probes));
}

async fn a_dead_primary_comes_back_by_a_probe(host: Host) {
    let mut primary = Origin::start("primary");
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = warm(host, &primary, &other).await;
    primary.kill_at_rest().await;
    proxy.get("/").await.is_from("other");
    let known = (primary.probes().len(), primary.live().len());
    primary.revive();
    let started = Instant::now();
    loop {
        let answer = proxy.get("/").await;
        if answer.text() == "primary" {
            break;
        }
        answer.is_from("other");
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "it never came back"
        );
        tokio::time::sleep(ms(50)).await;
    }
    assert!(
        primary.probes().len() > known.0,
        "a client's request found out"
    );
    assert_eq!(primary.live().len(), known.1 + 1);
}

async fn one_healthy_target_is_enough(host: Host) {
    let refused = Port::hold();
    let silent = RawOrigin::silent();
    let resets = RawOrigin::start(Act::Reset(0));
    let failing = Origin::start("failing").answer(|| reply::text(503, "failing"));
    let good = Origin::start("good").probed_in(ms(150));
    let targets = [
        refused.url(),
        silent.url(),
        resets.url(),
        failing.url(),
        good.url(),
    ];
    let proxy = proxy(host)
        .set("FETCH_MAX_ATTEMPTS", targets.len().to_string())
        .set("FETCH_ATTEMPT_TIMEOUT_MS", "500")
        .targets(targets)
        .start()
        .await;
    // Two of them look healthy to a probe, rank before the good one, and are not.
    for _ in 0..6 {
        proxy.get("/").await.is_from("good");
    }
}

async fn all_ejected_still_serves(host: Host) {
    let mut one = Origin::start("one");
    let mut two = Origin::start("two").probed_in(ms(200));
    let proxy = proxy(host)
        .targets([one.url(), two.url()])
        .one_instance()
        .start()
        .await;
    proxy.get("/").await.is_from("one");
    one.kill().await;
    two.kill_at_rest().await;
    assert_eq!(proxy.get("/").await.status, 502);
    two.revive();
    // Nothing is known to be healthy: every request may try, at once.
    proxy.get("/").await.is_from("two");
}
