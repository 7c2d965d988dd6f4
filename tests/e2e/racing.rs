//! `FETCH_COLD_START=race`: a cold request is itself sent to the targets, and the first good head wins.

use std::time::Duration;

use futures::future::join_all;

use crate::promises;
use crate::support::client::{Answer, get, post, request, send};
use crate::support::host::{EVERY, Host, OURS};
use crate::support::origin::{Health, Origin};
use crate::support::reply;
use crate::support::setup::{Setup, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

/// Requests that arrive while the first one races.
const FOLLOWERS: usize = 10;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            a_cold_get_is_answered_by_the_fastest_target,
            a_failing_target_does_not_win_the_race,
            a_request_that_may_not_run_twice_waits_for_a_probe,
        ]
    );
    // Which request follows which is defined within an instance only.
    promises!(suite, OURS, [followers_do_not_race]);
}

/// Answers clients with this status, after `delay`.
fn late(name: &'static str, status: u16, delay: Duration) -> Origin {
    Origin::start(name).script(move |arrived| async move {
        arrived.drain().await;
        tokio::time::sleep(delay).await;
        reply::text(status, name)
    })
}

fn racing<'a>(host: Host, targets: impl IntoIterator<Item = &'a Origin>) -> Setup {
    proxy(host)
        .targets(targets.into_iter().map(Origin::url))
        .set("FETCH_COLD_START", "race")
}

async fn a_cold_get_is_answered_by_the_fastest_target(host: Host) {
    let slowest = late("slowest", 200, ms(6000));
    let slow = late("slow", 200, ms(5000));
    // Time for the others to get the request as well.
    let fast = late("fast", 200, ms(100));
    for origin in [&slowest, &slow, &fast] {
        // No probe shows which is the fastest.
        origin.set_health(Health::Hangs);
    }
    let proxy = racing(host, [&slowest, &slow, &fast])
        .set("FETCH_HEALTH_TIMEOUT_MS", "5000")
        .start()
        .await;
    let cold = proxy.get("/").await;
    cold.is_from("fast");
    assert!(cold.elapsed < ms(3000), "{:?}", cold.elapsed);
    for loser in [&slowest, &slow] {
        eventually("the loser is cancelled", || {
            loser.live().pop().filter(|seen| seen.abandoned)
        })
        .await;
        assert_eq!(loser.live().len(), 1);
    }
    assert_eq!(fast.live().len(), 1);
}

async fn a_failing_target_does_not_win_the_race(host: Host) {
    let failing = late("failing", 503, ms(0));
    let good = late("good", 200, ms(500));
    let proxy = racing(host, [&failing, &good]).start().await;
    proxy.get("/").await.is_from("good");
    assert_eq!((failing.live().len(), good.live().len()), (1, 1));
}

async fn a_request_that_may_not_run_twice_waits_for_a_probe(host: Host) {
    for cold in [
        post("/", "body"),
        post("/", ""),
        request("GET", "/", reply::full("body")),
    ] {
        let slow = Origin::start("slow").probed_in(ms(800));
        let fast = Origin::start("fast").probed_in(ms(200));
        let proxy = racing(host, [&slow, &fast]).start().await;
        let answer = proxy.send(cold).await;
        answer.is_from("fast");
        assert!(answer.elapsed >= ms(200), "{:?}", answer.elapsed);
        assert_eq!((slow.live().len(), fast.live().len()), (0, 1));
    }
}

async fn followers_do_not_race(host: Host) {
    let one = late("one", 200, ms(300)).probed_in(ms(800));
    let two = late("two", 200, ms(300)).probed_in(ms(1000));
    let proxy = racing(host, [&one, &two]).one_instance().start().await;
    let address = proxy.address;
    let leader = tokio::spawn(async move { send(address, get("/leader")).await });
    for origin in [&one, &two] {
        eventually("the first one races", || origin.asked_for("/leader").pop()).await;
    }
    let followers = join_all((0..FOLLOWERS).map(|_| proxy.get("/follower"))).await;
    let led = leader.await.expect("no panic");
    assert_eq!(led.status, 200);
    assert!(followers.iter().all(|follower| follower.status == 200));
    let copies = |target: &str| [&one, &two].map(|origin| origin.asked_for(target).len());
    assert_eq!(copies("/leader"), [1, 1]);
    assert_eq!(copies("/follower").iter().sum::<usize>(), FOLLOWERS);
    let waited = |answer: &Answer| answer.elapsed > led.elapsed;
    assert!(followers.iter().all(waited), "{:?}", led.elapsed);
}
