//! Kept-alive connections that the upstream closes as a request arrives.

use crate::exchange::{client, collected, empty, full, opening, request, send, unsized_body};
use crate::upstream::{OK, listener, read_request, read_until, serving};
use http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use wasmtime_wasi_http::Error;

/// Answers the first request of each connection and closes on the second, after sending `last_words`. Returns the
/// second requests as they arrive.
async fn closes_on_second(
    mark: &'static str,
    last_words: &'static [u8],
) -> (u16, mpsc::UnboundedReceiver<String>) {
    let (lost, losses) = mpsc::unbounded_channel();
    let port = serving(move |number, mut stream| {
        let lost = lost.clone();
        async move {
            if number > 0 {
                let text = read_until(&mut stream, mark).await;
                lost.send(text).unwrap();
                stream.write_all(OK).await.unwrap();
                return;
            }
            read_request(&mut stream).await.unwrap();
            stream.write_all(OK).await.unwrap();
            lost.send(read_until(&mut stream, mark).await).unwrap();
            stream.write_all(last_words).await.unwrap();
        }
    })
    .await;
    (port, losses)
}

#[tokio::test(flavor = "multi_thread")]
async fn idempotent_request_is_sent_once_more_on_a_new_connection() {
    for method in [Method::GET, Method::OPTIONS, Method::PUT, Method::DELETE] {
        let (port, mut arrivals) = closes_on_second("0\r\n\r\n", b"").await;
        let client = client();
        opening(&client, port).await;
        let body = unsized_body(&[b"hel", b"lo"]);
        let response = send(&client, request(method.clone(), port, body))
            .await
            .unwrap();
        assert_eq!(collected(response).await.unwrap(), "ok");
        let (first, second) = (arrivals.recv().await, arrivals.recv().await);
        assert!(first.is_some_and(|first| Some(first) == second), "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_gets_of_an_upstream_that_closes_after_each_response() {
    // It closes without notice while the next request is under way.
    let port = serving(|_, mut stream| async move {
        read_request(&mut stream).await.unwrap();
        stream.write_all(OK).await.unwrap();
        tokio::task::yield_now().await;
    })
    .await;
    let client = client();
    for number in 0..200 {
        let response = send(&client, request(Method::GET, port, empty())).await;
        let response = response.unwrap_or_else(|error| panic!("{number}: {error:?}"));
        assert_eq!(collected(response).await.unwrap(), "ok");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_again_once_a_byte_of_the_response_came() {
    let (port, mut arrivals) = closes_on_second("\r\n\r\n", b"HTTP/1.1 2").await;
    let client = client();
    opening(&client, port).await;
    let error = send(&client, request(Method::GET, port, empty()))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ConnectionTerminated), "{error:?}");
    arrivals.recv().await.unwrap();
    assert!(arrivals.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn post_is_not_sent_again_nor_is_a_body_too_long_to_keep() {
    const LONG: &[&[u8]] = &[&[b'x'; 65 * 1024]];
    for (method, body, mark) in [
        (Method::POST, full(b"body"), "body"),
        (Method::PATCH, unsized_body(&[b"body"]), "0\r\n\r\n"),
        (Method::PUT, unsized_body(LONG), "0\r\n\r\n"),
    ] {
        let (port, mut arrivals) = closes_on_second(mark, b"").await;
        let client = client();
        opening(&client, port).await;
        let error = send(&client, request(method.clone(), port, body))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::ConnectionTerminated),
            "{method} {error:?}"
        );
        arrivals.recv().await.unwrap();
        assert!(arrivals.try_recv().is_err(), "{method}");
    }
}

/// "Refused" would let a guest send a PUT to another target, though the first may have been processed.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_attempt_may_have_been_processed_even_if_the_second_is_refused() {
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await.unwrap();
        stream.write_all(OK).await.unwrap();
        read_request(&mut stream).await.unwrap();
        drop(listener);
    });
    let client = client();
    opening(&client, port).await;
    let error = send(&client, request(Method::PUT, port, full(b"body")))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ConnectionTerminated), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_that_is_closed_counts_against_the_upstream() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let port = serving(move |_, mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move { drop(read_request(&mut stream).await) }
    })
    .await;
    let error = send(&client(), request(Method::GET, port, empty()))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ConnectionTerminated), "{error:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
