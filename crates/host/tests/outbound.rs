//! The client for upstreams, against real sockets: what a guest is told, and what an upstream gets to see.

use bytes::Bytes;
use function_fetch_host::{Outbound, OutboundHttpConfig};
use futures::{StreamExt, stream};
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

fn client() -> Outbound {
    Outbound::new(&OutboundHttpConfig::default(), &[]).unwrap()
}

fn empty() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

fn full(bytes: &'static [u8]) -> WasiBody {
    Full::new(Bytes::from_static(bytes))
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn request(method: Method, port: u16, body: WasiBody) -> Request<WasiBody> {
    Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:{port}/"))
        .body(body)
        .unwrap()
}

async fn send(client: &Outbound, request: Request<WasiBody>) -> Result<Response<WasiBody>, Error> {
    client.send(request, RequestOptions::default()).await
}

async fn collected(response: Response<WasiBody>) -> Result<Bytes, Error> {
    Ok(response.into_body().collect().await?.to_bytes())
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads a request head and as much of a body as comes with `content-length`.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream
            .read(&mut piece)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        text.extend_from_slice(&piece[..count]);
        let seen = String::from_utf8_lossy(&text).to_lowercase();
        if let Some(end) = seen.find("\r\n\r\n") {
            let length = seen
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next()?.parse().ok())
                .unwrap_or(0);
            if text.len() >= end + 4 + length {
                return Some(seen);
            }
        }
    }
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

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
        // A connection is back in the pool a moment after the body's end, so the next request may come too early for it.
        assert_eq!(connections < REQUESTS, connection_pooling, "{connections}");
    }
}

/// What a client's request is to the server: something new from the network, which comes after whatever came before.
async fn event_from_the_network() {
    let (listener, port) = listener().await;
    let (connected, accepted) =
        tokio::join!(TcpStream::connect(("127.0.0.1", port)), listener.accept());
    accepted.unwrap().0.write_all(b"x").await.unwrap();
    assert_eq!(connected.unwrap().read(&mut [0]).await.unwrap(), 1);
}

/// The origin answered once and was killed. Its connection is still in the pool when a POST comes: it must be found
/// closed, and the new one refused, which tells the guest that nothing was sent.
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

/// A listener whose queue is full drops the SYN of whoever comes next, so that connecting takes until somebody gives up.
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

/// An upload that takes longer than the timeout is no silence of the upstream's.
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

/// Answers the first connection with `pieces`, a while apart, and closes it after `linger`.
async fn scripted(pieces: &'static [&'static [u8]], linger: Duration) -> u16 {
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await.unwrap();
        for piece in pieces {
            stream.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(linger).await;
    });
    port
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
async fn body_cut_short_is_an_error_however_it_was_framed() {
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
async fn broken_request_body_blames_nobody_upstream() {
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
