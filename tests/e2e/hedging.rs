//! `FETCH_HEDGE_MS`: a request that waits too long for its response is sent to the next target as
//! well.

use std::time::Duration;

use crate::promises;
use crate::support::client::{post, request, with};
use crate::support::host::{EVERY, Host};
use crate::support::origin::Origin;
use crate::support::reply;
use crate::support::setup::{Setup, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            a_hedge_answers_long_before_a_slow_primary,
            nothing_is_hedged_by_default,
            a_post_is_never_hedged,
            a_request_with_a_body_is_never_hedged,
            a_failing_hedge_does_not_win,
            a_hedge_outlives_a_primary_that_fails,
        ]
    );
}

/// Responds after as many milliseconds as the path says: `/` at once, `/2000` late.
fn patient(name: &'static str) -> Origin {
    Origin::start(name).script(move |arrived| async move {
        let seen = arrived.drain().await;
        let wait = seen.target.trim_start_matches('/').parse().unwrap_or(0);
        tokio::time::sleep(ms(wait)).await;
        reply::text(200, name)
    })
}

fn hedging(host: Host, primary: &Origin, other: &Origin) -> Setup {
    proxy(host)
        .targets([other.url(), primary.url()])
        .set("FETCH_HEDGE_MS", "100")
        .one_instance()
}

async fn a_hedge_answers_long_before_a_slow_primary(host: Host) {
    let primary = patient("primary");
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = hedging(host, &primary, &other).start_warm(&other).await;
    let answer = proxy.get("/4000").await;
    answer.is_from("other");
    assert!(
        answer.elapsed < Duration::from_secs(2),
        "{:?}",
        answer.elapsed
    );
    eventually("the loser is cancelled", || {
        primary
            .asked_for("/4000")
            .pop()
            .filter(|seen| seen.abandoned)
    })
    .await;
    assert_eq!(primary.asked_for("/4000").len(), 1);
    assert_eq!(other.asked_for("/4000").len(), 1);
    // Being slow once is not a failure.
    proxy.get("/").await.is_from("primary");
    let ejected = proxy.said("ejected");
    assert!(ejected.is_empty(), "{ejected:#?}");
}

async fn nothing_is_hedged_by_default(host: Host) {
    let primary = patient("primary");
    let other = Origin::start("other").probed_in(ms(200));
    let setup = hedging(host, &primary, &other).set("FETCH_HEDGE_MS", "");
    let proxy = setup.start_warm(&other).await;
    proxy.get("/1000").await.is_from("primary");
    assert_eq!(other.live().len(), 0);
}

async fn a_post_is_never_hedged(host: Host) {
    let primary = patient("primary");
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = hedging(host, &primary, &other).start_warm(&other).await;
    for body in ["", "body"] {
        proxy.send(post("/1000", body)).await.is_from("primary");
    }
    assert_eq!(primary.asked_for("/1000").len(), 2);
    assert_eq!(other.live().len(), 0);
}

async fn a_request_with_a_body_is_never_hedged(host: Host) {
    let primary = patient("primary");
    let other = Origin::start("other").probed_in(ms(200));
    let setup = hedging(host, &primary, &other).set("FETCH_RETRY_METHODS", "GET,PUT");
    let proxy = setup.start_warm(&other).await;
    // Either may be repeated, one after the other. A body cannot be sent to two targets at once.
    for method in ["GET", "PUT"] {
        let upload = request(method, "/1000", reply::full("body"));
        proxy.send(upload).await.is_from("primary");
    }
    assert_eq!(other.live().len(), 0);
    // The body was the reason.
    let bodiless = with(
        request("PUT", "/4000", reply::empty()),
        "content-length",
        "0",
    );
    proxy.send(bodiless).await.is_from("other");
}

async fn a_failing_hedge_does_not_win(host: Host) {
    let primary = patient("primary");
    let other = Origin::start("other")
        .probed_in(ms(200))
        .answer(|| reply::text(503, "other"));
    let proxy = hedging(host, &primary, &other).start_warm(&other).await;
    proxy.get("/1000").await.is_from("primary");
    assert_eq!(other.asked_for("/1000").len(), 1, "nothing was hedged");
    assert_eq!(primary.asked_for("/1000").len(), 1);
}

async fn a_hedge_outlives_a_primary_that_fails(host: Host) {
    let primary = Origin::start("primary").script(|arrived| async move {
        if arrived.drain().await.target == "/" {
            return reply::text(200, "primary");
        }
        tokio::time::sleep(ms(400)).await;
        reply::text(503, "primary")
    });
    let other = patient("other").probed_in(ms(200));
    let proxy = hedging(host, &primary, &other).start_warm(&other).await;
    proxy.get("/1000").await.is_from("other");
    // The hedge that runs is the next attempt: no other one is started.
    assert_eq!(primary.asked_for("/1000").len(), 1);
    assert_eq!(other.asked_for("/1000").len(), 1);
}
