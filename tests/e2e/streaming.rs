//! Streaming bodies: forwarded as they arrive, in constant memory, and broken where they break.

use std::fs;
use std::sync::Arc;
use std::sync::Mutex;

use tokio::sync::mpsc;

use crate::promises;
use crate::support::client::{get, request, try_send};
use crate::support::host::{EVERY, Host, OURS_OF_ANY_WASI};
use crate::support::origin::Origin;
use crate::support::pattern;
use crate::support::raw_client;
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::reply;
use crate::support::setup::{Proxy, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

const GIB: u64 = 1024 * 1024 * 1024;

pub fn register(suite: &mut Suite) {
    suite.alone(
        EVERY,
        "a_gib_down_in_flat_memory",
        a_gib_down_in_flat_memory,
    );
    suite.alone(EVERY, "a_gib_up_in_flat_memory", a_gib_up_in_flat_memory);
    promises!(
        suite,
        EVERY,
        [
            server_sent_events_arrive_one_by_one,
            an_upload_is_not_buffered,
            a_client_gone_mid_stream_closes_the_upstream,
            an_upstream_dying_mid_body_breaks_the_response,
            nothing_is_retried_once_a_byte_has_gone_out,
        ]
    );
    promises!(
        suite,
        OURS_OF_ANY_WASI,
        [
            a_body_that_is_bad_from_its_start_is_not_an_empty_response,
            an_early_response_outlives_its_upload,
        ]
    );
}

/// The host's peak memory, in MiB.
fn peak_mib(proxy: &Proxy) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", proxy.process.pid()))
        .expect("the host runs on Linux");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("the kernel keeps the peak");
    let kib: u64 = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number of kB");
    kib / 1024
}

/// The embedded host promises 100 MiB in all; of another host only that it does not keep the body.
fn is_flat(host: Host, proxy: &Proxy, before: u64) {
    let peak = peak_mib(proxy);
    if host.is_ours() {
        assert!(peak < 100, "{peak} MiB, {before} before the body");
    } else {
        assert!(peak < before + 100, "{peak} MiB, {before} before the body");
    }
}

async fn a_gib_down_in_flat_memory(host: Host) {
    let origin = Origin::start("origin").answer(|| reply::with(200, pattern::body(GIB, true)));
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let before = peak_mib(&proxy);
    let mut exchange = proxy.open(get("/")).await;
    assert_eq!(exchange.status, 200);
    let mut received = 0;
    while let Some(piece) = exchange.piece().await {
        let piece = piece.expect("the body is whole");
        assert!(
            pattern::matches(received, &piece),
            "differs after byte {received}"
        );
        received += piece.len() as u64;
    }
    assert_eq!(received, GIB);
    is_flat(host, &proxy, before);
}

async fn a_gib_up_in_flat_memory(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let before = peak_mib(&proxy);
    let answer = proxy
        .send(request("PUT", "/", pattern::body(GIB, false)))
        .await;
    answer.is_from("origin");
    let seen = origin.only().body;
    assert_eq!(
        (seen.length, seen.foreign, seen.complete),
        (GIB, false, true)
    );
    is_flat(host, &proxy, before);
}

async fn server_sent_events_arrive_one_by_one(host: Host) {
    let (events, source) = mpsc::channel::<String>(1);
    let source = Arc::new(Mutex::new(Some(source)));
    let origin = Origin::start("origin").script(move |_| {
        let mut source = source
            .lock()
            .expect("nothing panics here")
            .take()
            .expect("asked once");
        async move {
            let (mut writer, body) = reply::written();
            tokio::spawn(async move {
                while let Some(event) = source.recv().await {
                    writer.send(event).await;
                }
            });
            let mut reply = reply::with(200, body);
            let kind = "text/event-stream".parse().expect("ASCII");
            reply.headers_mut().insert("content-type", kind);
            reply
        }
    });
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let mut exchange = proxy.open(get("/events")).await;
    assert_eq!(exchange.headers["content-type"], "text/event-stream");
    for n in 1..=5 {
        // The next event does not exist before the last one has arrived, so no buffer in between can be waiting for
        // it.
        let event = format!("data: {n}\n\n");
        events.send(event.clone()).await.expect("the origin serves");
        assert_eq!(exchange.text().await, event);
    }
    drop(events);
    assert!(
        exchange.piece().await.is_none(),
        "the stream ends with its origin"
    );
}

async fn an_upload_is_not_buffered(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let (mut writer, body) = reply::written();
    let address = proxy.address;
    let exchange = tokio::spawn(async move { try_send(address, request("POST", "/", body)).await });
    for n in 1..=3 {
        assert!(writer.send("0123456789").await);
        eventually("the piece reaches the origin", || {
            origin
                .live()
                .pop()
                .filter(|seen| seen.body.length == 10 * n)
        })
        .await;
    }
    drop(writer);
    let answer = exchange.await.expect("no panic").expect("a response");
    answer.is_from("origin");
}

async fn a_client_gone_mid_stream_closes_the_upstream(host: Host) {
    let (gone, mut noticed) = mpsc::channel::<()>(1);
    let origin = Origin::start("origin").answer(move || {
        let (mut writer, body) = reply::written();
        let gone = gone.clone();
        tokio::spawn(async move {
            while writer.send(vec![b'x'; 16 * 1024]).await {}
            let _ = gone.send(()).await;
        });
        reply::with(200, body)
    });
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let mut exchange = proxy.open(get("/endless")).await;
    let mut received = 0;
    while received < 1024 * 1024 {
        received += exchange
            .piece()
            .await
            .expect("endless")
            .expect("whole")
            .len();
    }
    assert!(noticed.try_recv().is_err(), "the upstream ended by itself");
    exchange.abandon().await;
    tokio::time::timeout(ms(10_000), noticed.recv())
        .await
        .expect("the upstream notices it");
    // And the proxy continues.
    let exchange = proxy.open(get("/endless")).await;
    assert_eq!(exchange.status, 200);
}

async fn an_upstream_dying_mid_body_breaks_the_response(host: Host) {
    let sized = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n0123456789";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n";
    let within_a_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n400\r\n0123456789";
    for start in [sized, chunked, within_a_chunk] {
        for reset in [false, true] {
            let bytes = start.as_bytes().to_vec();
            let act = if reset {
                Act::SayThenReset(bytes)
            } else {
                Act::Say(bytes)
            };
            let dying = RawOrigin::start(act);
            let proxy = proxy(host).targets([dying.url()]).start().await;
            let result = try_send(proxy.address, get("/")).await;
            assert!(result.is_err(), "looks complete: {start:?}, {result:?}");
            let raw = raw_client::get(proxy.address, "/", "proxy", "").await;
            assert!(!raw.ends_with("0\r\n\r\n"), "looks complete: {raw:?}");
            assert_eq!(dying.live().len(), 2);
        }
    }
}

async fn nothing_is_retried_once_a_byte_has_gone_out(host: Host) {
    let start = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n0123456789".to_vec();
    let dying = RawOrigin::start(Act::SayThenReset(start));
    let other = Origin::start("other");
    let proxy = proxy(host)
        .targets([dying.url(), other.url()])
        .in_list_order()
        .start()
        .await;
    assert!(try_send(proxy.address, get("/")).await.is_err());
    assert_eq!((dying.live().len(), other.live().len()), (1, 0));
}

async fn a_body_that_is_bad_from_its_start_is_not_an_empty_response(host: Host) {
    for chunk in ["0x2", "-2", "fffffffffffffffff"] {
        let bytes =
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunk}\r\nok\r\n");
        let bad = RawOrigin::start(Act::Say(bytes.into_bytes()));
        let proxy = proxy(host).targets([bad.url()]).start().await;
        for _ in 0..10 {
            let raw = raw_client::get(proxy.address, "/", "proxy", "").await;
            let status = raw_client::status(&raw);
            assert!(
                status == 502 || status == 200 && raw.ends_with("\r\n\r\n"),
                "{raw:?}"
            );
            assert!(!raw.ends_with("0\r\n\r\n"), "looks complete: {raw:?}");
        }
    }
}

async fn an_early_response_outlives_its_upload(host: Host) {
    let answer = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 9\r\n\r\ntoo large";
    let strict = RawOrigin::start(Act::SayThenReset(answer.to_vec()));
    let proxy = proxy(host).targets([strict.url()]).start().await;
    for sized in [true, false] {
        for _ in 0..12 {
            let upload = request("POST", "/", pattern::body(64 * 1024 * 1024, sized));
            let exchange = proxy.open(upload).await;
            assert_eq!(exchange.status, 413);
        }
    }
}
