//! The embedded host limits its clients: how much memory and time each of them may use, and what happens beyond that.

use std::time::{Duration, Instant};

use crate::promises;
use crate::support::client::{get, request, send_h2c, try_send, with};
use crate::support::host::{EMBEDDED, Host, OURS_OF_ANY_WASI};
use crate::support::origin::Origin;
use crate::support::raw_client::{self, RawClient, status};
use crate::support::raw_h2::{self, RawH2};
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::reply;
use crate::support::setup::{Proxy, Setup, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EMBEDDED,
        [
            a_request_head_is_limited_and_the_reply_says_so,
            a_head_within_the_bounds_arrives_whole,
            a_half_sent_head_has_a_time_limit,
            an_idle_connection_is_closed_in_time,
            a_kept_connection_outlives_the_head_timeout,
            a_client_that_reads_nothing_is_disconnected,
            a_stream_that_is_not_read_is_reset,
            a_silent_connection_of_http2_is_pinged,
            streams_are_limited,
            connections_are_limited,
            a_half_sent_head_does_not_delay_the_shutdown,
        ]
    );
    promises!(
        suite,
        OURS_OF_ANY_WASI,
        [
            a_stalled_upload_is_broken_off,
            a_request_that_finds_no_instance_gets_retry_after,
        ]
    );
}

/// The time limit of these tests on a busy machine; the defaults are ten times as long.
const IN_TIME: Duration = Duration::from_secs(6);

fn limited(host: Host, origin: &Origin, options: &[&str]) -> Setup {
    proxy(host)
        .targets([origin.url()])
        .in_list_order()
        .options(options.iter().copied())
}

async fn a_request_head_is_limited_and_the_reply_says_so(host: Host) {
    let origin = Origin::start("origin");
    let default = limited(host, &origin, &[]).start().await;
    let small = limited(
        host,
        &origin,
        &["--max-header-bytes", "8192", "--max-header-fields", "20"],
    )
    .start()
    .await;
    let field = |bytes: usize| format!("x-fill: {}\r\n", "a".repeat(bytes));
    let fields = |count: usize| {
        (0..count)
            .map(|n| format!("x-{n}: 1\r\n"))
            .collect::<String>()
    };
    for (proxy, headers, reason) in [
        (&default, field(70_000), "65536 bytes"),
        (&default, field(400_000), "65536 bytes"),
        (&default, fields(501), "500 fields"),
        (&small, field(9000), "8192 bytes"),
        (&small, fields(30), "20 fields"),
    ] {
        let answer = raw_client::get(proxy.address, "/", "a", &headers).await;
        assert_eq!(status(&answer), 431, "{answer}");
        assert!(
            answer.contains(reason) && answer.contains("connection: close\r\n"),
            "{answer}"
        );
    }
    let many = (0..30).fold(get("/"), |request, _| with(request, "x-many", "1"));
    assert_eq!(send_h2c(small.address, many).await.status, 431);
    let large = with(get("/"), "x-fill", &"a".repeat(70_000));
    assert_eq!(send_h2c(default.address, large).await.status, 431);
    assert_eq!(origin.live().len(), 0);
}

async fn a_head_within_the_bounds_arrives_whole(host: Host) {
    let origin = RawOrigin::start(Act::answer("origin"));
    let proxy = proxy(host)
        .targets([origin.url()])
        .in_list_order()
        .start()
        .await;
    let fields: String = (0..480)
        .map(|n| format!("x-{n}: {}\r\n", "b".repeat(100)))
        .collect();
    let answer = raw_client::get(proxy.address, "/", "a", &fields).await;
    assert_eq!(status(&answer), 200, "{answer}");
    let heard = origin.only();
    assert_eq!(heard.header("via"), ["1.1 function-fetch"]);
    for n in 0..480 {
        assert_eq!(heard.header(&format!("x-{n}")), ["b".repeat(100)]);
    }
}

async fn a_half_sent_head_has_a_time_limit(host: Host) {
    let origin = Origin::start("origin");
    let proxy = limited(host, &origin, &["--client-header-timeout", "600ms"])
        .start()
        .await;
    let started = Instant::now();
    let mut client = RawClient::connect(proxy.address).await;
    client.say("GET / HTTP/1.1\r\nhost: a\r\n").await;
    // A byte now and then does not extend it.
    for _ in 0..4 {
        tokio::time::sleep(ms(100)).await;
        client.say("x").await;
    }
    assert_eq!(client.rest().await, "");
    assert!(started.elapsed() >= ms(590) && started.elapsed() < IN_TIME);
    assert_eq!(origin.live().len(), 0);
}

async fn an_idle_connection_is_closed_in_time(host: Host) {
    let origin = Origin::start("origin");
    let proxy = limited(host, &origin, &["--client-idle-timeout", "700ms"])
        .start()
        .await;
    let header_limited = limited(host, &origin, &["--client-header-timeout", "700ms"])
        .start()
        .await;
    let started = Instant::now();
    let silent = RawClient::connect(proxy.address).await;
    let mut partial = RawClient::connect(header_limited.address).await;
    partial.say("PRI * HTTP/2.0\r\n").await;
    let mut kept = RawClient::connect(proxy.address).await;
    kept.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    kept.until("origin").await;
    let mut h2 = RawH2::connect(proxy.address, None).await;
    h2.request(1, false).await;
    h2.until(raw_h2::DATA).await;
    let ends = async {
        silent.rest().await;
        partial.rest().await;
        kept.rest().await;
        h2.until(raw_h2::GOAWAY).await;
        h2.closed().await;
    };
    ends.await;
    assert!(started.elapsed() >= ms(690) && started.elapsed() < IN_TIME);
}

async fn a_kept_connection_outlives_the_head_timeout(host: Host) {
    let origin = Origin::start("origin");
    let proxy = limited(host, &origin, &["--client-header-timeout", "300ms"])
        .start()
        .await;
    let mut client = RawClient::connect(proxy.address).await;
    for _ in 0..3 {
        client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        client.until("origin").await;
        tokio::time::sleep(ms(700)).await;
    }
}

/// An origin that never stops sending.
fn endless() -> Origin {
    Origin::start("endless").script(|_| async {
        let (mut writer, body) = reply::written();
        tokio::spawn(async move { while writer.send("x".repeat(64 * 1024)).await {} });
        reply::with(200, body)
    })
}

async fn a_client_that_reads_nothing_is_disconnected(host: Host) {
    let origin = endless();
    let proxy = limited(
        host,
        &origin,
        &["--client-write-timeout", "700ms", "--max-connections", "1"],
    )
    .start()
    .await;
    let mut client = RawClient::connect(proxy.address).await;
    client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.until("\r\n\r\n").await;
    room_comes(&proxy).await;
}

/// Waits until the only connection that the proxy takes is free.
async fn room_comes(proxy: &Proxy) {
    let started = Instant::now();
    loop {
        let answer = raw_client::get(proxy.address, "relative", "a", "").await;
        if !answer.contains("too many connections") {
            return;
        }
        assert!(started.elapsed() < IN_TIME, "{answer}");
        tokio::time::sleep(ms(50)).await;
    }
}

async fn a_stream_that_is_not_read_is_reset(host: Host) {
    let origin = endless();
    let proxy = limited(host, &origin, &["--client-write-timeout", "700ms"])
        .start()
        .await;
    for window in [0, 1000] {
        let mut client =
            RawH2::connect(proxy.address, Some((raw_h2::INITIAL_WINDOW, window))).await;
        client.request(1, false).await;
        let reset = client.until(raw_h2::RST_STREAM).await;
        assert_eq!(reset.stream, 1);
        // The connection continues.
        client.request(3, false).await;
        assert_eq!(client.until(raw_h2::HEADERS).await.stream, 3);
    }
}

async fn a_silent_connection_of_http2_is_pinged(host: Host) {
    let origin = Origin::start("origin").script(|_| std::future::pending());
    let proxy = limited(host, &origin, &["--client-ping-interval", "400ms"])
        .start()
        .await;
    let mut client = RawH2::connect(proxy.address, None).await;
    client.request(1, false).await;
    client.until(raw_h2::PING).await;
    // And it is closed when it does not reply.
    client.closed().await;
}

async fn streams_are_limited(host: Host) {
    let origin = Origin::start("origin").script(|_| std::future::pending());
    let proxy = limited(host, &origin, &["--max-concurrent-streams", "2"])
        .start()
        .await;
    let mut client = RawH2::connect(proxy.address, None).await;
    let settings = client.until(raw_h2::SETTINGS).await.payload;
    let limit = [
        &raw_h2::MAX_STREAMS.to_be_bytes()[..],
        &2_u32.to_be_bytes()[..],
    ]
    .concat();
    assert!(
        settings.chunks(6).any(|setting| setting == limit),
        "{settings:?}"
    );
    for stream in [1, 3, 5] {
        client.request(stream, false).await;
    }
    assert_eq!(client.until(raw_h2::RST_STREAM).await.stream, 5);
}

async fn connections_are_limited(host: Host) {
    let origin = Origin::start("origin");
    let proxy = limited(host, &origin, &["--max-connections", "2"])
        .start()
        .await;
    let mut first = RawClient::connect(proxy.address).await;
    let second = RawClient::connect(proxy.address).await;
    first.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    first.until("origin").await;
    let refused = raw_client::get(proxy.address, "/", "a", "").await;
    assert_eq!(status(&refused), 503, "{refused}");
    for part in [
        "retry-after: 1\r\n",
        "connection: close\r\n",
        "too many connections",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
    drop(second);
    eventually("there is room again", || {
        let address = proxy.address;
        std::thread::spawn(move || raw_status(address))
            .join()
            .ok()
            .filter(|status| *status == 200)
    })
    .await;
}

/// The status of a GET, from outside of any runtime.
fn raw_status(to: std::net::SocketAddr) -> u16 {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(to).expect("the proxy accepts");
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .expect("the proxy reads");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    status(&answer)
}

async fn a_half_sent_head_does_not_delay_the_shutdown(host: Host) {
    let origin = Origin::start("origin");
    let mut proxy = limited(host, &origin, &["--drain-timeout", "60s"])
        .start()
        .await;
    let mut half = RawClient::connect(proxy.address).await;
    half.say("GET / HTTP/1.1\r\nhost: a\r\n").await;
    let mut preface = RawClient::connect(proxy.address).await;
    preface.say("PRI * HT").await;
    let mut h2 = RawH2::connect(proxy.address, None).await;
    h2.until(raw_h2::SETTINGS).await;
    let started = Instant::now();
    proxy.process.terminate();
    assert!(proxy.process.exit().await.success());
    assert!(started.elapsed() < IN_TIME);
}

async fn a_stalled_upload_is_broken_off(host: Host) {
    let origin = Origin::start("origin");
    let proxy = limited(host, &origin, &["--client-body-timeout", "700ms"])
        .start()
        .await;
    for (framing, start) in [
        ("content-length: 1000", "abc"),
        ("content-length: 1000", ""),
        ("transfer-encoding: chunked", "3\r\nabc\r\n"),
    ] {
        let started = Instant::now();
        let mut client = RawClient::connect(proxy.address).await;
        client
            .say(format!(
                "POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n{start}"
            ))
            .await;
        let answer = client.rest().await;
        assert!(started.elapsed() >= ms(690) && started.elapsed() < IN_TIME);
        assert_eq!(status(&answer), 400, "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
    let mut h2 = RawH2::connect(proxy.address, None).await;
    h2.request(1, true).await;
    h2.say(raw_h2::DATA, 0, 1, b"abc").await;
    assert_eq!(h2.until(raw_h2::HEADERS).await.stream, 1);
    assert!(origin.live().iter().all(|seen| !seen.body.complete));
    // A client that is slow, but not silent, is waited for.
    let (mut writer, body) = reply::written();
    let address = proxy.address;
    let slow = tokio::spawn(async move { try_send(address, request("POST", "/", body)).await });
    for _ in 0..8 {
        writer.send("piece").await;
        tokio::time::sleep(ms(250)).await;
    }
    drop(writer);
    slow.await
        .expect("no panic")
        .expect("a response")
        .is_from("origin");
}

async fn a_request_that_finds_no_instance_gets_retry_after(host: Host) {
    let origin = Origin::start("origin");
    let mut options = vec![
        "--max-instances",
        "1",
        "--max-waiting-requests",
        "2",
        "--instance-wait-timeout",
        "600ms",
        "--client-body-timeout",
        "4s",
    ];
    if !host.is_wasi_02() {
        options.extend(["--max-instance-concurrent-reuse-count", "2"]);
    }
    let proxy = limited(host, &origin, &options).start().await;
    let mut uploads = vec![];
    for _ in 0..if host.is_wasi_02() { 1 } else { 2 } {
        let mut client = RawClient::connect(proxy.address).await;
        client
            .say("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nabc")
            .await;
        uploads.push(client);
    }
    tokio::time::sleep(ms(300)).await;
    let started = Instant::now();
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let address = proxy.address;
            tokio::spawn(async move {
                let answer = try_send(address, get("/")).await.expect("a response");
                (answer, started.elapsed())
            })
        })
        .collect();
    let mut took = vec![];
    for waited in waiting {
        let (answer, elapsed) = waited.await.expect("no panic");
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some("1"));
        took.push(elapsed);
    }
    took.sort();
    // Two found the queue full, two waited.
    assert!(
        took[1] < ms(550) && took[2] >= ms(590) && took[3] < IN_TIME,
        "{took:?}"
    );
    for upload in uploads {
        upload.rest().await;
    }
    proxy.get("/").await.is_from("origin");
}
