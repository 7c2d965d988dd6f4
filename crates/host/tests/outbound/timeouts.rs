//! Each time-out counts only its own phase.

use crate::exchange::{client, collected, empty, full, request};
use crate::upstream::{OK, listener, read_request, scripted};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::Method;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use wasmtime_wasi_http::{Error, RequestOptions};

/// A listener whose queue is full drops the SYN of a new client, so that connecting takes until a time-out.
#[tokio::test(flavor = "multi_thread")]
async fn connect_timeout_counts_connecting_alone() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full_queue = socket.listen(1).unwrap();
    let address = full_queue.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        waiting.push(stream);
    }

    let options = RequestOptions {
        connect_timeout: Some(Duration::from_millis(200)),
        first_byte_timeout: Some(Duration::from_millis(1)),
        between_bytes_timeout: None,
    };
    let started = Instant::now();
    let request = request(Method::POST, address.port(), full(b"body"));
    let error = client().send(request, options).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionTimeout), "{error:?}");
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn first_byte_timeout_is_a_read_timeout_and_closes_the_connection() {
    let (listener, port) = listener().await;
    let (closed, was_closed) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        closed.send(()).unwrap();
    });
    let options = RequestOptions {
        first_byte_timeout: Some(Duration::from_millis(100)),
        ..RequestOptions::default()
    };
    let error = client()
        .send(request(Method::GET, port, empty()), options)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
    tokio::time::timeout(Duration::from_secs(2), was_closed)
        .await
        .unwrap()
        .unwrap();
}

/// An upload that takes longer than the time-out is not the upstream's silence.
#[tokio::test(flavor = "multi_thread")]
async fn first_byte_timeout_starts_over_while_the_body_is_being_sent() {
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = Vec::new();
        while !text.ends_with(b"0\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0);
        }
        stream.write_all(OK).await.unwrap();
    });
    let pieces = stream::iter(0..6).then(|_| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(Frame::data(Bytes::from_static(b"piece")))
    });
    let options = RequestOptions {
        first_byte_timeout: Some(Duration::from_millis(150)),
        ..RequestOptions::default()
    };
    let request = request(Method::POST, port, StreamBody::new(pieces).boxed_unsync());
    let response = client().send(request, options).await.unwrap();
    assert_eq!(collected(response).await.unwrap(), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn between_bytes_timeout_ends_a_stalled_body_and_spares_a_slow_reader() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
    let options = RequestOptions {
        between_bytes_timeout: Some(Duration::from_millis(100)),
        ..RequestOptions::default()
    };
    let port = scripted(&[HEAD], Duration::from_secs(5)).await;
    let response = client()
        .send(request(Method::GET, port, empty()), options)
        .await
        .unwrap();
    let stalled = collected(response).await.unwrap_err();
    assert!(
        matches!(stalled, Error::ConnectionReadTimeout),
        "{stalled:?}"
    );

    let port = scripted(&[HEAD, b"world"], Duration::from_secs(5)).await;
    let response = client()
        .send(request(Method::GET, port, empty()), options)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(collected(response).await.unwrap(), "helloworld");
}
