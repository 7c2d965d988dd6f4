//! Which failures are retried on the next target, and which responses are final.

use std::time::{Duration, Instant};

use http::StatusCode;

use crate::promises;
use crate::support::client::{Answer, post, request};
use crate::support::host::{EVERY, Host};
use crate::support::origin::Origin;
use crate::support::port::Port;
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::reply;
use crate::support::setup::{Setup, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::ms;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            fails_over_on_a_5xx,
            fails_over_on_a_refused_connection,
            fails_over_on_a_reset,
            fails_over_on_a_timeout,
            fails_over_on_garbage,
            fails_over_on_an_unknown_name,
            other_statuses_are_final,
            the_last_real_5xx_is_delivered,
            a_real_response_beats_a_local_reply,
            a_5xx_is_relayed_when_configured,
            post_is_not_retried_on_a_5xx,
            attempts_are_counted,
            the_deadline_ends_all_attempts,
            all_targets_dead_is_a_502,
            all_targets_silent_is_a_504,
            retries_have_a_budget,
        ]
    );
}

/// A proxy that tries `targets` in this order for every request.
fn in_order<const N: usize>(host: Host, targets: [String; N]) -> Setup {
    proxy(host).targets(targets).in_list_order()
}

/// A local reply: RFC 9209 gives the reason, a short text explains it, and neither contains an
/// address.
#[track_caller]
pub fn is_our_own(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    let proxy_status = answer.header("proxy-status").expect("a Proxy-Status");
    assert!(
        proxy_status.starts_with("function-fetch") && proxy_status.contains(error),
        "{proxy_status}"
    );
    let content_type = answer.header("content-type").expect("a content-type");
    assert!(content_type.starts_with("text/plain"), "{content_type}");
    let text = answer.text();
    assert!(!text.is_empty() && text.len() < 200, "{text:?}");
    assert!(!text.contains("127.0.0.1"), "{text:?}");
    assert!(!proxy_status.contains("127.0.0.1"), "{proxy_status}");
}

async fn fails_over_on_a_5xx(host: Host) {
    for status in [500, 502, 503, 504, 507] {
        let bad = Origin::start("bad").answer(move || reply::text(status, "bad"));
        let good = Origin::start("good");
        let proxy = in_order(host, [bad.url(), good.url()]).start().await;
        for method in ["GET", "HEAD", "OPTIONS"] {
            let answer = proxy.send(request(method, "/", reply::empty())).await;
            assert_eq!(answer.status, 200, "{method} after {status}");
        }
        assert_eq!((bad.live().len(), good.live().len()), (3, 3));
    }
}

async fn fails_over_on_a_refused_connection(host: Host) {
    let good = Origin::start("good");
    let proxy = in_order(host, [Port::hold().url(), good.url()])
        .start()
        .await;
    for _ in 0..3 {
        proxy.get("/").await.is_from("good");
    }
}

async fn fails_over_on_a_reset(host: Host) {
    let bad = RawOrigin::start(Act::Reset(0));
    let good = Origin::start("good");
    let proxy = in_order(host, [bad.url(), good.url()]).start().await;
    for _ in 0..3 {
        proxy.get("/").await.is_from("good");
    }
    assert!(bad.live().len() >= 3);
}

async fn fails_over_on_a_timeout(host: Host) {
    let bad = RawOrigin::start(Act::Hang);
    let good = Origin::start("good");
    let proxy = in_order(host, [bad.url(), good.url()])
        .set("FETCH_ATTEMPT_TIMEOUT_MS", "300")
        .start()
        .await;
    let answer = proxy.get("/").await;
    answer.is_from("good");
    assert!(answer.elapsed >= ms(300), "{:?}", answer.elapsed);
    assert_eq!(bad.live().len(), 1);
}

async fn fails_over_on_garbage(host: Host) {
    for bytes in ["GARBAGE\r\n\r\n", "", "HTTP/1.1 200 OK\r\nbroken"] {
        let bad = RawOrigin::start(Act::Say(bytes.as_bytes().to_vec()));
        let good = Origin::start("good");
        let proxy = in_order(host, [bad.url(), good.url()]).start().await;
        proxy.get("/").await.is_from("good");
        assert!(!bad.live().is_empty());
    }
}

async fn fails_over_on_an_unknown_name(host: Host) {
    let good = Origin::start("good");
    // RFC 6761: `invalid` never resolves.
    let proxy = in_order(host, ["http://nowhere.invalid".to_owned(), good.url()])
        .start()
        .await;
    proxy.get("/").await.is_from("good");
    assert_eq!(proxy.send(post("/", "body")).await.status, 200);
}

async fn other_statuses_are_final(host: Host) {
    for status in [400, 401, 404, 429, 501, 505] {
        let first = Origin::start("first").answer(move || reply::text(status, "final"));
        let second = Origin::start("second");
        let proxy = in_order(host, [first.url(), second.url()]).start().await;
        let answer = proxy.get("/").await;
        assert_eq!((answer.status.as_u16(), answer.text()), (status, "final"));
        assert!(second.live().is_empty(), "retried after {status}");
    }
}

async fn the_last_real_5xx_is_delivered(host: Host) {
    let first = Origin::start("first").answer(|| reply::text(500, "first"));
    let second = Origin::start("second").answer(|| {
        let mut reply = reply::text(503, "second");
        reply
            .headers_mut()
            .insert("x-reason", "overload".parse().expect("ASCII"));
        reply
    });
    let proxy = in_order(host, [first.url(), second.url()]).start().await;
    let answer = proxy.get("/").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (503, "second"));
    assert_eq!(answer.header("x-reason"), Some("overload"));
    // It is the origin's response, not a local reply.
    assert_eq!(answer.header("proxy-status"), None);
}

async fn a_real_response_beats_a_local_reply(host: Host) {
    let body = "b".repeat(100_000);
    let expected = body.clone();
    let first = Origin::start("first").answer(move || reply::text(503, body.clone()));
    let dead = Port::hold();
    let resets = RawOrigin::start(Act::Reset(0));
    let proxy = in_order(host, [first.url(), dead.url(), resets.url()])
        .start()
        .await;
    let answer = proxy.get("/").await;
    // It waited while the others were tried, and is still complete.
    assert_eq!(
        (answer.status.as_u16(), answer.text() == expected),
        (503, true)
    );
    // Spin does not report whether it was a kept connection that was reset.
    let sendings = if host == Host::SpinUp { 2 } else { 1 };
    assert_eq!(resets.live().len(), sendings);
}

async fn a_5xx_is_relayed_when_configured(host: Host) {
    let first = Origin::start("first").answer(|| reply::text(503, "first"));
    let second = Origin::start("second");
    let proxy = in_order(host, [first.url(), second.url()])
        .set("FETCH_RETRY_ON_5XX", "No")
        .start()
        .await;
    let answer = proxy.get("/").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (503, "first"));
    assert!(second.live().is_empty());
}

async fn post_is_not_retried_on_a_5xx(host: Host) {
    let first = Origin::start("first").answer(|| reply::text(503, "first"));
    let second = Origin::start("second");
    let proxy = in_order(host, [first.url(), second.url()]).start().await;
    let answer = proxy.send(post("/", "body")).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (503, "first"));
    assert_eq!((first.live().len(), second.live().len()), (1, 0));
}

async fn attempts_are_counted(host: Host) {
    let bad = [0; 4].map(|_| Origin::start("bad").answer(|| reply::text(503, "bad")));
    let targets = || bad.each_ref().map(Origin::url);
    let default = in_order(host, targets()).start().await;
    assert_eq!(default.get("/").await.status, 503);
    assert_eq!(bad.each_ref().map(|o| o.live().len()), [1, 1, 1, 0]);
    let two = in_order(host, targets())
        .set("FETCH_MAX_ATTEMPTS", "2")
        .start()
        .await;
    assert_eq!(two.get("/").await.status, 503);
    assert_eq!(bad.each_ref().map(|o| o.live().len()), [2, 2, 1, 0]);
}

async fn the_deadline_ends_all_attempts(host: Host) {
    let silent = [0; 3].map(|_| RawOrigin::start(Act::Hang));
    let proxy = in_order(host, silent.each_ref().map(RawOrigin::url))
        .set("FETCH_ATTEMPT_TIMEOUT_MS", "3000")
        .set("FETCH_DEADLINE_MS", "1000")
        .start()
        .await;
    let answer = proxy.get("/").await;
    is_our_own(&answer, 504, "timeout");
    // Three attempts would take nine seconds, one of them three.
    let range = ms(900)..ms(2500);
    assert!(range.contains(&answer.elapsed), "{:?}", answer.elapsed);
    assert_eq!(silent[2].live().len(), 0);
}

async fn all_targets_dead_is_a_502(host: Host) {
    let ports = [Port::hold(), Port::hold()];
    let targets = ports.each_ref().map(Port::url);
    for setup in [
        proxy(host).targets(&targets),
        in_order(host, targets.clone()),
    ] {
        let proxy = setup.start().await;
        is_our_own(&proxy.get("/").await, 502, "connection_refused");
        is_our_own(
            &proxy.send(post("/", "body")).await,
            502,
            "connection_refused",
        );
        let head = proxy.send(request("HEAD", "/", reply::empty())).await;
        assert_eq!(head.status, StatusCode::BAD_GATEWAY);
    }
}

async fn all_targets_silent_is_a_504(host: Host) {
    let silent = [0; 2].map(|_| RawOrigin::start(Act::Hang));
    let proxy = in_order(host, silent.each_ref().map(RawOrigin::url))
        .set("FETCH_ATTEMPT_TIMEOUT_MS", "300")
        .start()
        .await;
    is_our_own(&proxy.get("/").await, 504, "timeout");
    assert_eq!((silent[0].live().len(), silent[1].live().len()), (1, 1));
    // A POST may have been processed: one attempt, and the client gets the error.
    is_our_own(&proxy.send(post("/", "body")).await, 504, "timeout");
    assert_eq!((silent[0].live().len(), silent[1].live().len()), (2, 1));
}

/// Ten retries and a fifth of the requests: an outage does not double the load on what is left.
async fn retries_have_a_budget(host: Host) {
    let bad = Origin::start("bad").answer(|| reply::text(503, "bad"));
    let good = Origin::start("good");
    let proxy = in_order(host, [bad.url(), good.url()])
        .one_instance()
        .start()
        .await;
    let started = Instant::now();
    for _ in 0..40 {
        proxy.get("/").await;
    }
    assert!(started.elapsed() < Duration::from_secs(30));
    let retries = good.live().len();
    // 10 + 20 % of 40 = 18; an instance or two more may have been started.
    let most = if host.is_ours() { 18 } else { 36 };
    assert!(
        (10..=most).contains(&retries),
        "{retries} retries of 40 requests"
    );
}
