//! Many requests at once, both directions at once, and sides of different speed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;

use crate::promises;
use crate::support::client::{get, request};
use crate::support::host::{EVERY, Host};
use crate::support::origin::{Arrived, Origin};
use crate::support::reply::{self, Reply};
use crate::support::setup::proxy;
use crate::support::suite::Suite;
use crate::support::waiting::ms;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            concurrent_requests_do_not_mix,
            both_directions_stream_at_once,
            a_slow_client_slows_the_upstream,
            a_stuck_request_delays_no_other,
        ]
    );
}

/// Echoes what arrives, as it arrives.
async fn echo(arrived: Arrived) -> Reply {
    let Arrived { entry, mut body } = arrived;
    let (mut writer, answer) = reply::written();
    tokio::spawn(async move {
        while let Some(piece) = entry.piece(&mut body).await {
            if !writer.send(piece).await {
                break;
            }
        }
    });
    reply::with(200, answer)
}

async fn concurrent_requests_do_not_mix(host: Host) {
    let origins = ["one", "two"].map(|name| Origin::start(name).script(echo));
    let proxy = proxy(host)
        .targets(origins.each_ref().map(Origin::url))
        .start()
        .await;
    for _ in 0..3 {
        let answers = join_all((0..40_usize).map(|n| {
            let body = format!("{n:02}").repeat(1 + n * n * 60);
            let sent = proxy.send(request("POST", "/", reply::full(body.clone())));
            async move { (sent.await, body) }
        }))
        .await;
        for (answer, body) in answers {
            assert_eq!(answer.status, 200);
            assert!(
                answer.text() == body,
                "not what was sent as {}…",
                &body[..2]
            );
        }
    }
}

async fn both_directions_stream_at_once(host: Host) {
    let origin = Origin::start("origin").script(echo);
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let (mut writer, body) = reply::written();
    // The first chunk is sent with the head: some clients and hosts wait for it.
    let (first, mut exchange) = tokio::join!(
        writer.send("piece 0"),
        proxy.open(request("POST", "/", body))
    );
    assert!(first);
    assert_eq!(exchange.text().await, "piece 0");
    for n in 1..=5 {
        let piece = format!("piece {n}");
        assert!(writer.send(piece.clone()).await);
        assert_eq!(exchange.text().await, piece);
    }
    drop(writer);
    assert!(exchange.piece().await.is_none());
}

async fn a_slow_client_slows_the_upstream(host: Host) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let origin = Origin::start("origin").answer(move || {
        let (mut writer, body) = reply::written();
        let counter = counter.clone();
        tokio::spawn(async move {
            while writer.send(vec![b'x'; 64 * 1024]).await {
                counter.fetch_add(64 * 1024, Ordering::SeqCst);
            }
        });
        reply::with(200, body)
    });
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let exchange = proxy.open(get("/endless")).await;
    assert_eq!(exchange.status, 200);
    // The client reads no more. The sockets' buffers (a few MiB each) fill up, and then everything stalls.
    let mut before = usize::MAX;
    for _ in 0..40 {
        tokio::time::sleep(ms(250)).await;
        let now = sent.load(Ordering::SeqCst);
        if now == before {
            break;
        }
        before = now;
    }
    let stopped_at = sent.load(Ordering::SeqCst);
    tokio::time::sleep(ms(500)).await;
    assert_eq!(sent.load(Ordering::SeqCst), stopped_at, "it does not stop");
    assert!(
        stopped_at < 64 * 1024 * 1024,
        "{stopped_at} bytes are held somewhere"
    );
    drop(exchange);
}

async fn a_stuck_request_delays_no_other(host: Host) {
    let origin = Origin::start("origin").script(|arrived| async move {
        if arrived.entry.get().target == "/stuck" {
            std::future::pending::<()>().await;
        }
        reply::text(200, "origin")
    });
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let address = proxy.address;
    let stuck: Vec<_> = (0..10)
        .map(|_| tokio::spawn(crate::support::client::try_send(address, get("/stuck"))))
        .collect();
    tokio::time::sleep(ms(200)).await;
    for _ in 0..10 {
        let answer = proxy.get("/").await;
        answer.is_from("origin");
        assert!(
            answer.elapsed < Duration::from_secs(2),
            "{:?}",
            answer.elapsed
        );
    }
    assert!(stuck.iter().all(|stuck| !stuck.is_finished()));
}
