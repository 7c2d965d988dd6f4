//! A target that accepts connections but no longer responds: the failure that no connection
//! reports.

use std::time::Duration;

use futures::future::join_all;

use crate::promises;
use crate::support::client::{post, send};
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
            waiting_requests_leave_a_hanging_primary,
            a_slow_answer_is_waited_for,
            a_post_in_flight_is_not_repeated,
        ]
    );
}

fn impatient(host: Host, primary: &Origin, other: &Origin) -> Setup {
    proxy(host)
        .targets([other.url(), primary.url()])
        .set("FETCH_HEALTH_TIMEOUT_MS", "500")
        .one_instance()
}

async fn waiting_requests_leave_a_hanging_primary(host: Host) {
    let primary = Origin::start("primary");
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = impatient(host, &primary, &other).start_warm(&other).await;
    primary.hang();
    let waiting = join_all((0..5).map(|_| proxy.get("/waiting"))).await;
    assert!(!primary.asked_for("/waiting").is_empty());
    for answer in &waiting {
        answer.is_from("other");
        // A second on an idle machine. By its time-out alone it would take 30.
        assert!(
            answer.elapsed < Duration::from_secs(10),
            "{:?}",
            answer.elapsed
        );
    }
    eventually("no request waits for the dead one any more", || {
        let waiting = primary.asked_for("/waiting");
        waiting.iter().all(|seen| seen.abandoned).then_some(())
    })
    .await;
    for _ in 0..5 {
        proxy.get("/later").await.is_from("other");
        proxy.send(post("/later", "body")).await.is_from("other");
    }
    assert_eq!(primary.asked_for("/later").len(), 0);
    assert_eq!(other.asked_for("/later").len(), 10);
}

async fn a_slow_answer_is_waited_for(host: Host) {
    let primary = Origin::start("primary").script(|arrived| async move {
        if arrived.drain().await.target == "/report" {
            tokio::time::sleep(ms(3000)).await;
        }
        reply::text(200, "primary")
    });
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = impatient(host, &primary, &other).start_warm(&other).await;
    // Overdue too, but a probe finds the target alive.
    proxy.get("/report").await.is_from("primary");
    assert_eq!(primary.asked_for("/report").len(), 1);
    assert_eq!(other.live().len(), 0);
}

async fn a_post_in_flight_is_not_repeated(host: Host) {
    let primary = Origin::start("primary");
    let other = Origin::start("other").probed_in(ms(200));
    let setup = impatient(host, &primary, &other).set("FETCH_ATTEMPT_TIMEOUT_MS", "4000");
    let proxy = setup.start_warm(&other).await;
    primary.hang();
    let address = proxy.address;
    let order = tokio::spawn(async move { send(address, post("/order", "body")).await });
    eventually("it is in flight", || primary.asked_for("/order").pop()).await;
    proxy.get("/").await.is_from("other");
    let answer = order.await.expect("no panic");
    assert_eq!(answer.status, 504);
    assert_eq!(primary.asked_for("/order").len(), 1);
    assert_eq!(other.asked_for("/order").len(), 0);
    // The next one does not wait as long either.
    proxy.send(post("/next", "body")).await.is_from("other");
    assert_eq!(primary.asked_for("/next").len(), 0);
}
