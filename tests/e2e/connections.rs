//! What clients do with their connections, and with which methods.

use std::time::Instant;

use crate::promises;
use crate::support::client::{get, request};
use crate::support::host::{EVERY, Host, OURS_OF_ANY_WASI};
use crate::support::origin::{Health, Origin};
use crate::support::port::Port;
use crate::support::raw_client::{self, RawClient, status};
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::reply;
use crate::support::setup::proxy;
use crate::support::suite::Suite;
use crate::support::waiting::{SOON, ms};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            a_connection_serves_one_request_after_the_other,
            an_http_1_0_client_is_served,
            every_method_passes,
            local_replies_reach_a_client_that_uploads,
        ]
    );
    promises!(
        suite,
        POOLING,
        [a_kept_connection_that_the_target_closes_fails_no_get]
    );
    // Others keep no connections, or share them with other instances.
    promises!(suite, OURS_OF_ANY_WASI, [a_probe_keeps_its_connection]);
}

/// The hosts that keep connections to targets.
const POOLING: &[Host] = &[
    Host::Embedded,
    Host::EmbeddedPlain,
    Host::Embedded02,
    Host::SpinUp,
];

async fn a_kept_connection_that_the_target_closes_fails_no_get(host: Host) {
    let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
    let target = RawOrigin::start(Act::SayOnce(response.to_vec()));
    let proxy = proxy(host).targets([target.url()]).start().await;
    for _ in 0..20 {
        let answer = proxy.get("/").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.text(), "hi");
    }
    let heard = target.live().len();
    assert!(heard > 20, "no connection was kept");
}

async fn a_probe_keeps_its_connection(host: Host) {
    let fast = Origin::start("fast");
    let probed = Origin::start("probed");
    probed.set_health(Health::Fills(60_000, ms(150)));
    let proxy = proxy(host)
        .targets([fast.url(), probed.url()])
        // A decision that is based on one probe is refreshed after a tenth to a fifth of it.
        .set("FETCH_CACHE_TTL_SECONDS", "10")
        .one_instance()
        .start()
        .await;
    let started = Instant::now();
    while probed.probes().len() < 2 {
        assert!(started.elapsed() < SOON, "{} probes", probed.probes().len());
        proxy.get("/").await.is_from("fast");
        tokio::time::sleep(ms(100)).await;
    }
    assert_eq!(probed.connections(), 1, "none was broken off");
}

async fn a_connection_serves_one_request_after_the_other(host: Host) {
    let origin = Origin::start("origin").script(|arrived| async move {
        let seen = arrived.drain().await;
        match seen.target.as_str() {
            "/204" => reply::with(204, reply::empty()),
            "/304" => reply::with(304, reply::empty()),
            "/502" => reply::text(502, "bad"),
            _ => reply::text(200, seen.body.start),
        }
    });
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let mut client = RawClient::connect(proxy.address).await;
    // A response whose end is mistaken would shift all that follow.
    for (method, path, expected) in [
        ("POST", "/a", 200),
        ("HEAD", "/", 200),
        ("GET", "/204", 204),
        ("GET", "/304", 304),
        ("GET", "/502", 502),
        ("POST", "/b", 200),
    ] {
        let (length, body) = if method == "POST" {
            (4, "ping")
        } else {
            (0, "")
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: proxy\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        client.say(request).await;
        let head = client.until("\r\n\r\n").await;
        assert_eq!(status(&head), expected, "{method} {path}: {head}");
        match (method, path) {
            ("POST", _) => assert_eq!(client.until("ping").await, "ping"),
            (_, "/502") => assert_eq!(client.until("bad").await, "bad"),
            _ => {}
        }
    }
    assert_eq!(origin.live().len(), 6);
}

async fn an_http_1_0_client_is_served(host: Host) {
    let origin = Origin::start("origin").answer(|| {
        let (mut writer, body) = reply::written();
        tokio::spawn(async move { writer.send("streamed").await });
        reply::with(200, body)
    });
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let response =
        raw_client::exchange(proxy.address, "GET / HTTP/1.0\r\nhost: proxy\r\n\r\n").await;
    assert_eq!(status(&response), 200, "{response}");
    // It does not understand chunks: the end of the connection is the end of the body.
    assert!(response.ends_with("\r\n\r\nstreamed"), "{response:?}");
    assert_eq!(origin.only().target, "/");
}

async fn every_method_passes(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    for method in [
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "M-SEARCH",
    ] {
        proxy
            .send(request(method, "/m", reply::empty()))
            .await
            .is_from("origin");
        assert_eq!(
            origin.live().pop().expect("it answered").method.as_str(),
            method
        );
    }
    // A GET and a DELETE may carry a body.
    for method in ["GET", "DELETE", "PROPFIND"] {
        proxy
            .send(request(method, "/m", reply::full("body")))
            .await
            .is_from("origin");
        assert_eq!(
            origin.live().pop().expect("it answered").body.start,
            b"body",
            "{method}"
        );
    }
    proxy.send(get("/")).await.is_from("origin");
}

async fn local_replies_reach_a_client_that_uploads(host: Host) {
    // As `curl` sends it: the whole body, and only then it reads the response.
    let body = "b".repeat(100_000);
    let dead = Port::hold();
    for (targets, expected) in [(dead.url(), 502), (String::new(), 500)] {
        let proxy = proxy(host).set("FETCH_TARGETS", targets).start().await;
        let request = format!(
            "POST / HTTP/1.1\r\nhost: proxy\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let response = raw_client::exchange(proxy.address, request).await;
        assert_eq!(status(&response), expected, "{response}");
    }
}
