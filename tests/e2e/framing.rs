//! How the embedded host handles a request before the component sees it: its framing, its target, and its sender.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::promises;
use crate::support::client::{get, request, send_h2c};
use crate::support::host::{Host, KNOWING_THE_CLIENT, OURS_OF_ANY_WASI};
use crate::support::origin::Origin;
use crate::support::raw_client::{self, RawClient, status};
use crate::support::raw_h2::{self, RawH2};
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::reply;
use crate::support::setup::{Proxy, proxy};
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        OURS_OF_ANY_WASI,
        [
            only_chunked_is_decoded,
            a_request_with_two_lengths_is_the_last_of_its_connection,
            expect_is_answered_and_not_forwarded,
            an_h2c_upgrade_is_ignored,
            a_target_that_browsers_would_send_arrives_byte_for_byte,
            a_target_that_must_be_encoded_is_refused_with_a_reason,
            an_early_response_announces_the_close,
            a_broken_body_never_arrives_whole,
        ]
    );
    let here: Vec<Host> = KNOWING_THE_CLIENT
        .iter()
        .copied()
        .filter(|host| host.is_ours())
        .collect();
    promises!(suite, &here, [no_client_chooses_the_scheme]);
}

async fn started(host: Host, target: String) -> Proxy {
    proxy(host).targets([target]).in_list_order().start().await
}

async fn only_chunked_is_decoded(host: Host) {
    let origin = Origin::start("origin");
    let proxy = started(host, origin.url()).await;
    let post = async |coding: &str| {
        let request =
            format!("POST / HTTP/1.1\r\nhost: a\r\n{coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        raw_client::exchange(proxy.address, request).await
    };
    for coding in [
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: chunked, chunked",
        "transfer-encoding: gzip\r\ntransfer-encoding: chunked",
    ] {
        let answer = post(coding).await;
        assert_eq!(status(&answer), 501, "{coding}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
    // Unless chunked is last, the end of the body is unknown (RFC 9112 section 6.3).
    for coding in ["gzip", "identity", "chunked, gzip"] {
        let answer = post(&format!("transfer-encoding: {coding}")).await;
        assert_eq!(status(&answer), 400, "{coding}: {answer}");
    }
    assert_eq!(origin.live().len(), 0);
    let answer = post("connection: close\r\ntransfer-encoding: Chunked").await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(origin.only().body.start, b"hello");
}

async fn a_request_with_two_lengths_is_the_last_of_its_connection(host: Host) {
    let origin = Origin::start("origin");
    let proxy = started(host, origin.url()).await;
    for lengths in [
        "content-length: 3\r\ntransfer-encoding: chunked",
        "content-length: 300\r\ntransfer-encoding: chunked",
    ] {
        let request =
            format!("POST / HTTP/1.1\r\nhost: a\r\n{lengths}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        let answer = raw_client::exchange(proxy.address, request).await;
        assert_eq!(status(&answer), 200, "{answer}");
        let seen = origin.live().pop().expect("it answered");
        assert_eq!(seen.body.start, b"hello");
        assert_eq!(seen.header("content-length"), None);
    }
}

async fn expect_is_answered_and_not_forwarded(host: Host) {
    let origin = Origin::start("origin");
    let proxy = started(host, origin.url()).await;
    let mut client = RawClient::connect(proxy.address).await;
    client
        .say("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\ncontent-length: 5\r\n\r\n")
        .await;
    client.until("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.say("hello").await;
    client.until("origin").await;
    let seen = origin.only();
    assert_eq!(
        (seen.header("expect"), seen.body.start.as_slice()),
        (None, &b"hello"[..])
    );
}

async fn an_h2c_upgrade_is_ignored(host: Host) {
    let origin = Origin::start("origin");
    let proxy = started(host, origin.url()).await;
    let mut client = RawClient::connect(proxy.address).await;
    for _ in 0..2 {
        client
            .say(
                "POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\n\
                 upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\
                 content-length: 5\r\n\r\nhello",
            )
            .await;
        let answer = client.until("origin").await;
        assert_eq!(status(&answer), 200, "{answer}");
    }
    for seen in origin.live() {
        assert_eq!(
            (seen.header("upgrade"), seen.header("http2-settings")),
            (None, None)
        );
        assert_eq!(seen.body.start, b"hello");
    }
}

async fn a_target_that_browsers_would_send_arrives_byte_for_byte(host: Host) {
    let origin = Origin::start("origin");
    let proxy = started(host, origin.url()).await;
    for target in [
        "/a[1]|^\\~'(x)!*;,=@$&+:",
        "/{json}\"quoted\"",
        "/?a[]={x}|^`\\~'()",
        "/%22?%22=%3c",
        "/\u{e4}?\u{e4}=\u{20ac}",
    ] {
        let answer = raw_client::get(proxy.address, target, "a", "").await;
        assert_eq!(status(&answer), 200, "{target}: {answer}");
        assert_eq!(origin.live().pop().expect("it answered").target, target);
    }
}

/// hyper's URIs, and so wasmtime's, cannot contain these characters, and RFC 9112 section 3 advises against changing
/// them: the line may have been crafted to bypass a filter. Browsers encode them.
async fn a_target_that_must_be_encoded_is_refused_with_a_reason(host: Host) {
    let origin = Origin::start("origin");
    let proxy = started(host, origin.url()).await;
    for target in [
        &b"/?q=\"x\""[..],
        b"/?q=<x",
        b"/?q=>",
        b"/<x>",
        b"/`",
        b"/\xe4",
        b"/?\xff",
    ] {
        let request = [b"GET ", target, b" HTTP/1.1\r\nhost: a\r\n\r\n"].concat();
        let answer = raw_client::exchange(proxy.address, request).await;
        assert_eq!(status(&answer), 400, "{answer}");
        for part in ["must be percent-encoded", "connection: close\r\n"] {
            assert!(answer.contains(part), "{answer}");
        }
    }
    assert_eq!(origin.live().len(), 0);
}

async fn no_client_chooses_the_scheme(host: Host) {
    let origin = Origin::start("origin");
    let proxy = started(host, origin.url()).await;
    let said = |name: &str| {
        let seen = origin.live().pop().expect("it answered");
        seen.header(name).map(str::to_owned)
    };
    for target in [
        "https://b.example/",
        "javascript://b.example/",
        "http://b.example/",
    ] {
        let answer = raw_client::get(proxy.address, target, "b.example", "").await;
        assert_eq!(status(&answer), 200, "{answer}");
        assert_eq!(said("x-forwarded-proto").as_deref(), Some("http"));
        assert_eq!(said("x-forwarded-host").as_deref(), Some("b.example"));
    }
    // `:scheme` https.
    let mut h2 = RawH2::connect(proxy.address, None).await;
    h2.request(1, false).await;
    h2.until(raw_h2::DATA).await;
    assert_eq!(said("x-forwarded-proto").as_deref(), Some("http"));
    let request = "OPTIONS * HTTP/1.1\r\nhost: good.example\r\nconnection: close\r\n\r\n";
    let answer = raw_client::exchange(proxy.address, request).await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(said("x-forwarded-host").as_deref(), Some("good.example"));
    assert_eq!(said("x-forwarded-for").as_deref(), Some("127.0.0.1"));
}

async fn an_early_response_announces_the_close(host: Host) {
    // Responds before it has the body.
    let answer = "HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let origin = RawOrigin::start(Act::Say(answer.into()));
    let proxy = started(host, origin.url()).await;
    let head = "HTTP/1.1\r\nhost: a\r\ncontent-length: 100000000\r\n\r\n";
    for (start, expected) in [
        (format!("POST / {head}"), 413),
        (format!("CONNECT a:1 {head}"), 501),
        (format!("POST relative {head}"), 400),
    ] {
        assert_eq!(answer_to_endless(proxy.address, &start).await, expected);
    }
}

/// The status for a client that continues to send until it sees the response and disconnects.
async fn answer_to_endless(to: SocketAddr, head: &str) -> u16 {
    let stream = tokio::net::TcpStream::connect(to)
        .await
        .expect("the proxy accepts");
    let (mut reader, mut writer) = stream.into_split();
    writer
        .write_all(head.as_bytes())
        .await
        .expect("the proxy reads");
    let sending =
        tokio::spawn(async move { while writer.write_all(&[b'x'; 16384]).await.is_ok() {} });
    let mut answer = Vec::new();
    let ended = reader.read_to_end(&mut answer).await;
    sending.abort();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(ended.is_ok(), "reset: {ended:?} after {answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    status(&answer)
}

async fn a_broken_body_never_arrives_whole(host: Host) {
    let origin = Origin::start("origin");
    let proxy = started(host, origin.url()).await;
    let head = "POST / HTTP/1.1\r\nhost: a\r\n";
    for start in [
        "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0x3\r\nabc\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\nffffffffffffffffff\r\nabc",
        "content-length: 10\r\n\r\nhello",
        "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "transfer-encoding: chunked\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
    ] {
        let mut client = RawClient::connect(proxy.address).await;
        client.say(format!("{head}{start}")).await;
        client.finish().await;
        let answer = client.rest().await;
        assert_eq!(status(&answer), 400, "{start:?}: {answer}");
    }
    // No error, cancelled, and any other reason.
    for (reason, start) in [
        (0_u32, "hello"),
        (8, "hello"),
        (2, "hello"),
        (0, ""),
        (8, ""),
    ] {
        let mut h2 = RawH2::connect(proxy.address, None).await;
        h2.request(1, true).await;
        h2.say(raw_h2::DATA, 0, 1, start.as_bytes()).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        h2.say(raw_h2::RST_STREAM, 0, 1, &reason.to_be_bytes())
            .await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    for seen in origin.live() {
        assert!(!seen.body.complete, "{seen:?}");
    }
    // And the proxy continues.
    send_h2c(proxy.address, get("/")).await.is_from("origin");
    send_h2c(proxy.address, request("POST", "/", reply::full("whole")))
        .await
        .is_from("origin");
}
