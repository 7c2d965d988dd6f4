//! What an upstream can cost at most.

use crate::exchange::{collected, empty, request, send};
use crate::upstream::{OK, read_request, scripted, serving};
use function_fetch_host::{Outbound, OutboundHttpConfig};
use futures::future::join_all;
use http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use wasmtime_wasi_http::{Error, RequestOptions};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stalls_is_broken_off_whatever_the_guest_allows() {
    const PIECES: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n",
        b"hello",
        b"hello",
        b"hello",
        b"hello",
    ];
    let config = OutboundHttpConfig {
        body_idle_timeout: Duration::from_millis(300),
        ..Default::default()
    };
    for between_bytes_timeout in [None, Some(Duration::from_secs(60))] {
        let client = Outbound::new(&config, &[]).unwrap();
        let port = scripted(PIECES, Duration::from_secs(5)).await;
        let options = RequestOptions {
            between_bytes_timeout,
            ..RequestOptions::default()
        };
        let started = Instant::now();
        let response = client
            .send(request(Method::GET, port, empty()), options)
            .await
            .unwrap();
        let error = collected(response).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
        assert!(started.elapsed() >= Duration::from_millis(300));
        assert!(started.elapsed() < Duration::from_secs(4));
    }
}

/// How many connections are left, and how many there were, once `per_upstream` requests to each of two upstreams were
/// answered all at the same time.
async fn idle_after_burst(
    config: OutboundHttpConfig,
    per_upstream: usize,
    expected: usize,
) -> (usize, usize) {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let together = Arc::new(tokio::sync::Barrier::new(2 * per_upstream));
    let mut ports = Vec::new();
    for _ in 0..2 {
        let (open, most, together) = (open.clone(), most.clone(), together.clone());
        let port = serving(move |_, mut stream| {
            let (open, most, together) = (open.clone(), most.clone(), together.clone());
            async move {
                most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                while read_request(&mut stream).await.is_some() {
                    together.wait().await;
                    stream.write_all(OK).await.unwrap();
                }
                open.fetch_sub(1, Ordering::SeqCst);
            }
        })
        .await;
        ports.push(port);
    }
    let client = Outbound::new(&config, &[]).unwrap();
    let requests = ports.iter().flat_map(|port| {
        (0..per_upstream).map(|_| async {
            let response = send(&client, request(Method::GET, *port, empty()))
                .await
                .unwrap();
            collected(response).await.unwrap();
        })
    });
    join_all(requests).await;
    for _ in 0..20 {
        if open.load(Ordering::SeqCst) <= expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    (open.load(Ordering::SeqCst), most.load(Ordering::SeqCst))
}

#[tokio::test(flavor = "multi_thread")]
async fn unused_connections_are_bounded_for_each_upstream_and_for_all() {
    let config = |max_idle_connections, max_idle_connections_per_host| OutboundHttpConfig {
        max_idle_connections,
        max_idle_connections_per_host,
        ..Default::default()
    };
    let cases = [
        (config(100, 100), 12),
        (config(100, 2), 4),
        (config(3, 100), 3),
    ];
    for (config, expected) in cases {
        let (left, most) = idle_after_burst(config.clone(), 6, expected).await;
        assert_eq!((left, most), (expected, 12), "{config:?}");
    }
}
