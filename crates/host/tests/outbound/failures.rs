//! The errors that a guest gets when there is no response, or not all of it.

use crate::exchange::{client, collected, empty, full, request, send};
use crate::upstream::{listener, read_request, scripted};
use bytes::Bytes;
use futures::stream;
use http::{Method, Request};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use wasmtime_wasi_http::Error;

#[tokio::test(flavor = "multi_thread")]
async fn failures_before_anything_was_sent_say_so() {
    let client = client();
    let (gone, port) = listener().await;
    drop(gone);
    let refused = send(&client, request(Method::POST, port, full(b"body")))
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::ConnectionRefused), "{refused:?}");

    let unknown = Request::get("http://no-such-name.invalid/")
        .body(empty())
        .unwrap();
    let unknown = send(&client, unknown).await.unwrap_err();
    assert!(matches!(unknown, Error::DnsError { .. }), "{unknown:?}");

    let (plain, port) = listener().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let uri = format!("https://127.0.0.1:{port}/");
    let plain = send(&client, Request::get(uri).body(empty()).unwrap())
        .await
        .unwrap_err();
    assert!(matches!(plain, Error::TlsProtocolError), "{plain:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_after_the_request_was_sent() {
    type Case = (&'static [&'static [u8]], fn(&Error) -> bool);
    let cases: [Case; 3] = [
        (&[], |error| matches!(error, Error::ConnectionTerminated)),
        (&[b"HTTP/1.1 200"], |error| {
            matches!(error, Error::ConnectionTerminated)
        }),
        (&[b"not http\r\n\r\n"], |error| {
            matches!(error, Error::HttpProtocolError)
        }),
    ];
    for (pieces, expected) in cases {
        let port = scripted(pieces, Duration::ZERO).await;
        let error = send(&client(), request(Method::GET, port, empty()))
            .await
            .unwrap_err();
        assert!(expected(&error), "{pieces:?}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_body_is_an_error_however_it_was_framed() {
    let cases: [&'static [&'static [u8]]; 2] = [
        &[b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"],
        &[b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"],
    ];
    for pieces in cases {
        let port = scripted(pieces, Duration::ZERO).await;
        let response = send(&client(), request(Method::GET, port, empty()))
            .await
            .unwrap();
        let error = collected(response).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseIncomplete), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_pending_request_or_a_body_closes_the_connection() {
    for head in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let (listener, port) = listener().await;
        let (closed, was_closed) = oneshot::channel();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await.unwrap();
            stream.write_all(head).await.unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            closed.send(()).unwrap();
        });
        let client = client();
        let pending = send(&client, request(Method::GET, port, empty()));
        let outcome = tokio::time::timeout(Duration::from_millis(200), pending).await;
        assert_eq!(outcome.is_ok(), !head.is_empty());
        drop(outcome);
        tokio::time::timeout(Duration::from_secs(2), was_closed)
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_request_body_is_not_evidence_against_the_upstream() {
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    });
    let frames = stream::iter([
        Ok(Frame::data(Bytes::from_static(b"half"))),
        Err(Error::ConnectionTerminated),
    ]);
    let request = request(Method::POST, port, StreamBody::new(frames).boxed_unsync());
    let error = send(&client(), request).await.unwrap_err();
    assert!(matches!(error, Error::InternalError(Some(_))), "{error:?}");
}
