//! How long an idle connection is kept.

use crate::exchange::{client, collected, empty, opening, request, send};
use crate::upstream::{OK, read_request, serving};
use http::Method;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

/// How long the client kept a connection on which it got `answer`, up to `patience`.
async fn kept_for(answer: &'static [u8], patience: Duration) -> Option<Duration> {
    let (closed, mut was_closed) = mpsc::unbounded_channel();
    let port = serving(move |_, mut stream| {
        let closed = closed.clone();
        async move {
            read_request(&mut stream).await.unwrap();
            stream.write_all(answer).await.unwrap();
            let since = Instant::now();
            let _ = stream.read(&mut [0]).await;
            let _ = closed.send(since.elapsed());
        }
    })
    .await;
    let client = client();
    opening(&client, port).await;
    tokio::time::timeout(patience, was_closed.recv())
        .await
        .ok()
        .flatten()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_closed_before_the_upstream_closes_them() {
    const SHORT: &[u8] = b"HTTP/1.1 200 OK\r\nkeep-alive: timeout=3\r\ncontent-length: 0\r\n\r\n";
    const LONG: &[u8] = b"HTTP/1.1 200 OK\r\nkeep-alive: timeout=60\r\ncontent-length: 0\r\n\r\n";
    let (unsaid, short, long) = tokio::join!(
        kept_for(OK, Duration::from_secs(8)),
        kept_for(SHORT, Duration::from_secs(8)),
        kept_for(LONG, Duration::from_secs(6)),
    );
    let (unsaid, short) = (unsaid.unwrap(), short.unwrap());
    assert!(
        unsaid > Duration::from_secs(3) && unsaid < Duration::from_secs(5),
        "{unsaid:?}"
    );
    assert!(
        short > Duration::from_secs(1) && short < Duration::from_secs(3),
        "{short:?}"
    );
    assert_eq!(long, None);
}

/// A response that takes longer than a connection may idle is not idling, the first time or the second.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_is_waited_for() {
    let port = serving(|_, mut stream| async move {
        for _ in 0..2 {
            read_request(&mut stream).await.unwrap();
            tokio::time::sleep(Duration::from_secs(3)).await;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nkeep-alive: timeout=2\r\ncontent-length: 2\r\n\r\n")
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_secs(3)).await;
            stream.write_all(b"ok").await.unwrap();
        }
    })
    .await;
    let client = client();
    for _ in 0..2 {
        let response = send(&client, request(Method::GET, port, empty()))
            .await
            .unwrap();
        assert_eq!(collected(response).await.unwrap(), "ok");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
