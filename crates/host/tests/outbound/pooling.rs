//! Connections are kept, counted and found closed.

use crate::exchange::{client, collected, empty, full, request, send};
use crate::upstream::{OK, listener, read_request, scripted};
use function_fetch_host::{Outbound, OutboundHttpConfig};
use http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wasmtime_wasi_http::{Error, RequestOptions};

const REQUESTS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_reused_and_only_then_if_pooling_is_on() {
    for connection_pooling in [true, false] {
        let (listener, port) = listener().await;
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    while read_request(&mut stream).await.is_some() {
                        stream.write_all(OK).await.unwrap();
                    }
                });
            }
        });
        let config = OutboundHttpConfig {
            connection_pooling,
            ..Default::default()
        };
        let client = Outbound::new(&config, &[]).unwrap();
        for _ in 0..REQUESTS {
            let response = send(&client, request(Method::GET, port, empty()))
                .await
                .unwrap();
            assert_eq!(collected(response).await.unwrap(), "ok");
        }
        let connections = connections.load(Ordering::SeqCst);
        // A connection is back in the pool shortly after the body's end, so the next request may come too early for it.
        assert_eq!(connections < REQUESTS, connection_pooling, "{connections}");
    }
}

/// What a client's request is to the server: a new event from the network, after whatever came before.
async fn event_from_the_network() {
    let (listener, port) = listener().await;
    let (connected, accepted) =
        tokio::join!(TcpStream::connect(("127.0.0.1", port)), listener.accept());
    accepted.unwrap().0.write_all(b"x").await.unwrap();
    assert_eq!(connected.unwrap().read(&mut [0]).await.unwrap(), 1);
}

/// The origin responded once and was killed. Its connection is still in the pool when a POST comes: it must be found
/// closed, and the new one refused, so that the guest knows that nothing was sent.
#[tokio::test(flavor = "multi_thread")]
async fn post_after_the_upstream_died_is_refused_rather_than_lost() {
    let client = client();
    for _ in 0..500 {
        let (listener, port) = listener().await;
        let origin = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await.unwrap();
            stream.write_all(OK).await.unwrap();
            (listener, stream)
        });
        let response = send(&client, request(Method::GET, port, empty()))
            .await
            .unwrap();
        assert_eq!(collected(response).await.unwrap(), "ok");
        drop(origin.await.unwrap());
        event_from_the_network().await;

        let error = send(&client, request(Method::POST, port, full(b"body")))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::ConnectionRefused), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn post_that_was_sent_is_never_sent_again() {
    let (listener, port) = listener().await;
    let posts = Arc::new(AtomicUsize::new(0));
    let counted = posts.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counted = counted.clone();
            tokio::spawn(async move {
                // The first request of a connection is answered, the second one is read and dropped.
                read_request(&mut stream).await.unwrap();
                stream.write_all(OK).await.unwrap();
                if read_request(&mut stream)
                    .await
                    .is_some_and(|text| text.starts_with("post"))
                {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    let client = client();
    let response = send(&client, request(Method::GET, port, empty()))
        .await
        .unwrap();
    collected(response).await.unwrap();
    let error = send(&client, request(Method::POST, port, full(b"body")))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ConnectionTerminated), "{error:?}");
    assert_eq!(posts.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_limit_wait_for_the_end_of_a_body() {
    let config = OutboundHttpConfig {
        max_concurrent_requests: Some(1),
        ..Default::default()
    };
    let client = Outbound::new(&config, &[]).unwrap();
    let first = scripted(&[OK], Duration::ZERO).await;
    let second = scripted(&[OK], Duration::ZERO).await;
    let held = send(&client, request(Method::GET, first, empty()))
        .await
        .unwrap();

    let options = RequestOptions {
        connect_timeout: Some(Duration::from_millis(100)),
        ..RequestOptions::default()
    };
    let error = client
        .send(request(Method::GET, second, empty()), options)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ConnectionLimitReached), "{error:?}");
    drop(held);
    client
        .send(request(Method::GET, second, empty()), options)
        .await
        .unwrap();
}
