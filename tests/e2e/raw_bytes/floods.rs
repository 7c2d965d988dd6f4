//! HTTP/2 clients that ask for more than they take: streams opened and reset at once, thousands of streams, floods of
//! frames that cost the client nothing. Good clients on other connections are served meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::promises;
use crate::support::client::{get, send_h2c};
use crate::support::host::{EMBEDDED, Host};
use crate::support::origin::Origin;
use crate::support::raw_h2::{
    CONTINUATION, DATA, END_HEADERS, GOAWAY, HEADERS, PING, RST_STREAM, RawH2, SETTINGS, block,
    frame,
};
use crate::support::reply;
use crate::support::setup::{Proxy, proxy};
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EMBEDDED,
        [
            a_rapid_reset_is_ended_and_harms_nobody,
            thousands_of_streams_are_all_answered,
            floods_of_frames_are_ended_and_harm_nobody,
        ]
    );
}

/// How long a good client may wait beside the bad ones, on a busy machine.
const GOOD: Duration = Duration::from_secs(5);

async fn started(host: Host, origin: &Origin) -> Proxy {
    let setup = proxy(host).targets([origin.url()]).in_list_order();
    setup.start().await
}

async fn good_client(to: SocketAddr) {
    let started = Instant::now();
    send_h2c(to, get("/good")).await.is_from("origin");
    assert!(started.elapsed() < GOOD, "{:?}", started.elapsed());
}

/// CVE-2023-44487: a stream that is reset counts against no limit of streams, but its request was begun.
async fn a_rapid_reset_is_ended_and_harms_nobody(host: Host) {
    const STREAMS: u32 = 20_000;
    let origin = Origin::start("origin");
    let proxy = started(host, &origin).await;
    let fields: [(&[u8], &[u8]); 4] = [
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":path", b"/bad"),
        (b":authority", b"a"),
    ];
    let head = block(&fields);
    let mut bad = RawH2::connect(proxy.address, None).await;
    let mut bytes = Vec::new();
    for number in 0..STREAMS {
        let stream = 2 * number + 1;
        bytes.extend(frame(HEADERS, END_HEADERS | 1, stream, &head));
        bytes.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    let attack = async {
        bad.say_bytes(&bytes).await;
        // The reason is ENHANCE_YOUR_CALM.
        let last = bad.until(GOAWAY).await.payload;
        assert_eq!(last.get(4..8), Some(&11_u32.to_be_bytes()[..]), "{last:?}");
        bad.closed().await;
    };
    let beside = async {
        for _ in 0..20 {
            good_client(proxy.address).await;
        }
    };
    tokio::join!(attack, beside);
    // Long before the end, and what had begun was cancelled.
    let begun = origin.asked_for("/bad").len();
    assert!(begun < 2_000, "{begun} requests reached the target");
    good_client(proxy.address).await;
}

async fn thousands_of_streams_are_all_answered(host: Host) {
    const STREAMS: usize = 3_000;
    let origin = Origin::start("origin");
    let proxy = started(host, &origin).await;
    let stream = TcpStream::connect(proxy.address)
        .await
        .expect("the proxy accepts");
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("the proxy speaks h2c");
    let connection = tokio::spawn(connection);
    let requests = (0..STREAMS).map(|number| {
        let mut sender = sender.clone();
        let mut request = get("/x");
        let target = format!("http://{}/{number}", proxy.address);
        *request.uri_mut() = target.parse().expect("a URI");
        async move {
            let response = sender.send_request(request).await.expect("a response");
            assert_eq!(response.status(), 200);
        }
    });
    futures::future::join_all(requests).await;
    drop(sender);
    connection.abort();
    let mut targets: Vec<String> = origin.live().into_iter().map(|seen| seen.target).collect();
    targets.sort();
    targets.dedup();
    assert_eq!(targets.len(), STREAMS);
}

async fn floods_of_frames_are_ended_and_harm_nobody(host: Host) {
    let origin = Origin::start("origin");
    let proxy = started(host, &origin).await;
    // Each a few MB, which the host must neither keep nor answer without end.
    let fields: Vec<u8> = block(&[(&b"x-a"[..], &[b'a'; 16_000][..])]);
    let open: [(&[u8], &[u8]); 4] = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/bad"),
        (b":authority", b"a"),
    ];
    let head = frame(HEADERS, 0, 1, &block(&open));
    let post = frame(HEADERS, END_HEADERS, 1, &block(&open));
    let floods = [
        (
            "CONTINUATION",
            head,
            frame(CONTINUATION, 0, 1, &fields),
            500,
        ),
        (
            "empty CONTINUATION",
            frame(HEADERS, 0, 1, &block(&open)),
            frame(CONTINUATION, 0, 1, &[]),
            100_000,
        ),
        ("SETTINGS", vec![], frame(SETTINGS, 0, 0, &[]), 100_000),
        ("PING", vec![], frame(PING, 0, 0, &[0; 8]), 100_000),
        ("empty DATA", post, frame(DATA, 0, 1, &[]), 100_000),
    ];
    for (name, start, repeated, count) in floods {
        let mut bad = RawH2::connect(proxy.address, None).await;
        let flood = async {
            bad.say_bytes(&start).await;
            for _ in 0..100 {
                bad.say_bytes(&repeated.repeat(count / 100)).await;
            }
        };
        // A client that reads no answers is not read any further either.
        let flood = tokio::time::timeout(Duration::from_secs(2), flood);
        let beside = async {
            for _ in 0..5 {
                good_client(proxy.address).await;
            }
        };
        tokio::join!(async { drop(flood.await) }, beside);
        let resident = memory(proxy.process.pid());
        assert!(resident < 400, "{name}: {resident} MiB");
        assert_eq!(
            origin
                .asked_for("/bad")
                .iter()
                .filter(|seen| seen.body.complete)
                .count(),
            0,
            "{name}"
        );
    }
    send_h2c(
        proxy.address,
        crate::support::client::request("POST", "/", reply::full("whole")),
    )
    .await
    .is_from("origin");
}

/// What a process has in memory, MiB.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
