//! Request bodies: passed on whole or not at all, and never twice.

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::promises;
use crate::support::client::{get, post, request, try_send, with};
use crate::support::host::{EVERY, Host};
use crate::support::origin::Origin;
use crate::support::pattern;
use crate::support::port::Port;
use crate::support::raw_client::{RawClient, status};
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::reply::{self, AnyBody};
use crate::support::setup::{Setup, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

/// The default replay limit, bytes.
const REPLAYABLE: usize = 65_536;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            post_survives_a_refused_primary,
            post_is_never_sent_twice,
            post_on_a_reset_pooled_connection_is_never_sent_twice,
            a_retryable_body_is_replayed_whole,
            a_body_too_large_to_replay_is_not_retried,
            a_body_lost_to_a_reset_is_not_forwarded,
            bodies_keep_their_framing,
            request_trailers_pass,
            expect_100_continue_is_answered,
            a_broken_upload_never_looks_complete,
            a_body_that_is_still_arriving_is_replayed_and_continues,
            a_replay_is_whole_or_does_not_happen,
        ]
    );
}

fn in_order<const N: usize>(host: Host, targets: [String; N]) -> Setup {
    proxy(host).targets(targets).in_list_order()
}

/// The sizes around which a buffer may split.
const SIZES: [usize; 6] = [
    0,
    1,
    REPLAYABLE - 1,
    REPLAYABLE,
    REPLAYABLE + 1,
    1024 * 1024,
];

async fn post_survives_a_refused_primary(host: Host) {
    let dead = Port::hold();
    let good = Origin::start("good");
    let proxy = in_order(host, [dead.url(), good.url()]).start().await;
    for size in SIZES {
        for sized in [true, false] {
            let body = pattern::body(size as u64, sized);
            proxy.send(request("POST", "/", body)).await.is_from("good");
            let seen = good.live().pop().expect("it answered");
            assert_eq!(seen.method, "POST");
            assert_eq!(seen.body.length, size as u64, "sized: {sized}");
            assert!(
                !seen.body.foreign && seen.body.complete,
                "{size} bytes, sized: {sized}"
            );
        }
    }
    assert_eq!(good.live().len(), 2 * SIZES.len());
}

async fn post_is_never_sent_twice(host: Host) {
    for after in [0, 1, 4096] {
        let first = RawOrigin::start(Act::Reset(after));
        let second = Origin::start("second");
        let proxy = in_order(host, [first.url(), second.url()]).start().await;
        // Small enough for the replay buffer: what forbids a retry is the method POST.
        let answer = proxy.send(post("/", pattern::bytes(8192))).await;
        assert_eq!(answer.status, 502, "{answer:?}");
        assert!(
            answer
                .header("proxy-status")
                .expect("why")
                .contains("error=")
        );
        assert!(first.only().body.len() >= after);
        assert!(second.live().is_empty(), "sent twice, after {after} bytes");
    }
}

async fn post_on_a_reset_pooled_connection_is_never_sent_twice(host: Host) {
    // The probe leaves a connection in the pool, where the host has one: the POST is sent on it, and it is then reset.
    let primary = RawOrigin::start(Act::Reset(4096));
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = proxy(host)
        .targets([other.url(), primary.url()])
        .start()
        .await;
    let answer = proxy.send(post("/", pattern::bytes(8192))).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert_eq!((primary.live().len(), other.live().len()), (1, 0));
}

async fn a_retryable_body_is_replayed_whole(host: Host) {
    let first = Origin::start("first").answer(|| reply::text(503, "first"));
    let second = Origin::start("second");
    let proxy = in_order(host, [first.url(), second.url()])
        .set("FETCH_RETRY_METHODS", "GET,PUT")
        .start()
        .await;
    for size in [1, 1000, REPLAYABLE] {
        for sized in [true, false] {
            let body = pattern::body(size as u64, sized);
            proxy
                .send(request("PUT", "/", body))
                .await
                .is_from("second");
            for origin in [&first, &second] {
                let body = origin.live().pop().expect("it was asked").body;
                assert_eq!(body.length, size as u64, "sized: {sized}");
                assert!(!body.foreign && body.complete);
            }
        }
    }
    // Given without the defaults: methods that are not listed are not retried.
    let post = proxy.send(post("/", "body")).await;
    assert_eq!(post.status, 503);
}

async fn a_body_too_large_to_replay_is_not_retried(host: Host) {
    let first = Origin::start("first").answer(|| reply::text(503, "first"));
    let second = Origin::start("second");
    let proxy = in_order(host, [first.url(), second.url()])
        .set("FETCH_RETRY_METHODS", "PUT")
        .start()
        .await;
    let large = 16 * REPLAYABLE as u64;
    let answer = proxy
        .send(request("PUT", "/", pattern::body(large, true)))
        .await;
    assert_eq!((answer.status.as_u16(), answer.text()), (503, "first"));
    let seen = first.only().body;
    assert_eq!(
        (seen.length, seen.foreign, seen.complete),
        (large, false, true)
    );
    assert!(second.live().is_empty());
}

async fn a_body_lost_to_a_reset_is_not_forwarded(host: Host) {
    let first = RawOrigin::start(Act::Reset(3 * REPLAYABLE));
    let second = Origin::start("second");
    let proxy = in_order(host, [first.url(), second.url()])
        .set("FETCH_RETRY_METHODS", "PUT")
        .start()
        .await;
    let body = pattern::body(4 * REPLAYABLE as u64, false);
    let answer = proxy.send(request("PUT", "/", body)).await;
    assert_eq!(answer.status, 502);
    // The error is the target's failure, not that it could not be retried.
    let why = answer.header("proxy-status").expect("why");
    assert!(!why.contains("internal"), "{why}");
    assert!(second.live().is_empty());
}

async fn bodies_keep_their_framing(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    for size in [1, REPLAYABLE + 1, 300_000] {
        proxy
            .send(request("POST", "/", pattern::body(size as u64, true)))
            .await
            .is_from("origin");
        let seen = origin.live().pop().expect("it answered");
        assert_eq!(
            seen.header("content-length"),
            Some(size.to_string().as_str())
        );
        proxy
            .send(request("POST", "/", pattern::body(size as u64, false)))
            .await
            .is_from("origin");
        let seen = origin.live().pop().expect("it answered");
        assert_eq!(seen.header("content-length"), None, "a length was made up");
        assert_eq!(seen.body.length, size as u64);
    }
    // A request without a body must not get an empty chunked one: some servers refuse that on GET.
    proxy.send(get("/")).await.is_from("origin");
    let seen = origin.live().pop().expect("it answered");
    assert_eq!(seen.header("transfer-encoding"), None);
}

async fn request_trailers_pass(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", "abc123".parse().expect("ASCII"));
    let frames: [Result<_, std::io::Error>; 2] = [
        Ok(Frame::data(Bytes::from_static(b"body"))),
        Ok(Frame::trailers(trailers)),
    ];
    let body: AnyBody = StreamBody::new(futures::stream::iter(frames)).boxed();
    let request = with(request("POST", "/", body), "trailer", "x-checksum");
    proxy
        .send(with(request, "te", "trailers"))
        .await
        .is_from("origin");
    let seen = origin.only().body;
    assert_eq!(seen.start, b"body");
    let trailers = seen.trailers.expect("trailers");
    assert_eq!(trailers["x-checksum"], "abc123");
}

async fn expect_100_continue_is_answered(host: Host) {
    let dead = Port::hold();
    let origin = Origin::start("origin");
    // After a refusal too: what was not read yet is not lost.
    for targets in [vec![origin.url()], vec![dead.url(), origin.url()]] {
        let proxy = proxy(host).targets(targets).in_list_order().start().await;
        let mut client = RawClient::connect(proxy.address).await;
        client
            .say(
                "POST /upload HTTP/1.1\r\nhost: proxy\r\nconnection: close\r\n\
                 content-length: 5\r\nexpect: 100-continue\r\n\r\n",
            )
            .await;
        let interim = client.until("\r\n\r\n").await;
        assert_eq!(status(&interim), 100);
        client.say("hello").await;
        let response = client.rest().await;
        assert_eq!(status(&response), 200, "{response}");
        assert!(response.ends_with("origin"), "{response}");
        let seen = origin.live().pop().expect("it answered");
        assert_eq!(seen.body.start, b"hello");
    }
}

async fn a_broken_upload_never_looks_complete(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let starts = [
        ("content-length: 1000", "0123456789"),
        ("transfer-encoding: chunked", "a\r\n0123456789\r\n"),
    ];
    for (count, (framing, body)) in starts.into_iter().enumerate() {
        let mut client = RawClient::connect(proxy.address).await;
        client
            .say(format!(
                "POST / HTTP/1.1\r\nhost: proxy\r\n{framing}\r\n\r\n{body}"
            ))
            .await;
        eventually("the upload begins", || {
            origin
                .live()
                .get(count)
                .filter(|seen| seen.body.length == 10)
                .map(drop)
        })
        .await;
        drop(client);
        // Its end, if it came at all, would come now.
        tokio::time::sleep(ms(500)).await;
        let seen = origin.live().remove(count);
        assert!(!seen.body.complete, "{framing}: {:?}", seen.body);
    }
}

async fn a_body_that_is_still_arriving_is_replayed_and_continues(host: Host) {
    // The first target answers 503 after the first chunk; the second gets that chunk again, and then the rest.
    let first = Origin::start("first").script(|mut arrived| async move {
        arrived.entry.piece(&mut arrived.body).await;
        reply::text(503, "first")
    });
    let second = Origin::start("second");
    let proxy = in_order(host, [first.url(), second.url()])
        .set("FETCH_RETRY_METHODS", "PUT")
        .start()
        .await;
    let (mut writer, body) = reply::written();
    let address = proxy.address;
    let exchange = tokio::spawn(async move { try_send(address, request("PUT", "/", body)).await });
    assert!(writer.send("first piece, ").await);
    eventually("the second target is tried", || second.live().pop()).await;
    assert!(writer.send("second piece").await);
    drop(writer);
    exchange
        .await
        .expect("no panic")
        .expect("a response")
        .is_from("second");
    assert_eq!(second.only().body.start, b"first piece, second piece");
}

async fn a_replay_is_whole_or_does_not_happen(host: Host) {
    // The first target does not wait for the body: how much of it is sent before its response is a race.
    let first = Origin::start("first").script(|_| async { reply::text(503, "first") });
    let second = Origin::start("second");
    let proxy = in_order(host, [first.url(), second.url()])
        .set("FETCH_RETRY_METHODS", "PUT")
        .start()
        .await;
    for size in [1000, REPLAYABLE, REPLAYABLE + 1, 2 * REPLAYABLE] {
        for sized in [true, false] {
            let before = second.live().len();
            let body = pattern::body(size as u64, sized);
            // A connection that closes during an upload may lose the response.
            let answer = try_send(proxy.address, request("PUT", "/", body)).await;
            let seen = second.live().split_off(before);
            match answer.map(|answer| answer.status.as_u16()) {
                Ok(200) => {
                    let body = &seen[0].body;
                    assert_eq!((seen.len(), body.length), (1, size as u64));
                    assert!(
                        !body.foreign && body.complete,
                        "{size} bytes, sized: {sized}"
                    );
                }
                _ => assert!(seen.iter().all(|seen| !seen.body.complete)),
            }
        }
    }
}
