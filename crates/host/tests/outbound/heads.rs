//! Response heads that are passed on, and those that are not.

use crate::exchange::{client, collected, empty, opening, request, send};
use crate::upstream::{OK, read_request, reset, serving};
use bytes::Bytes;
use function_fetch_engine::Target;
use function_fetch_host::{Outbound, OutboundHttpConfig, measure};
use futures::stream;
use http::{Method, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasmtime_wasi_http::{Error, WasiBody};

/// An upstream that sends the same response to every request of a connection, and then closes it.
async fn answering(answer: impl Into<String>) -> u16 {
    let answer: Arc<str> = answer.into().into();
    serving(move |_, mut stream| {
        let answer = answer.clone();
        async move {
            if read_request(&mut stream).await.is_some() {
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
                let _ = stream.read(&mut [0]).await;
            }
        }
    })
    .await
}

async fn answer_to_get(answer: impl Into<String>) -> Result<Response<WasiBody>, Error> {
    let port = answering(answer).await;
    send(&client(), request(Method::GET, port, empty())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_that_cannot_be_passed_on_are_failures() {
    for status in ["600 Odd", "999 Odder", "099 Low", "101 Switching Protocols"] {
        let error = answer_to_get(format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok"))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::HttpProtocolError),
            "{status}: {error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn informational_responses_are_passed_over() {
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    let ok = String::from_utf8_lossy(OK);
    let response = answer_to_get(format!("{answer}{ok}")).await.unwrap();
    assert!(!response.headers().contains_key("link"));
    assert_eq!(collected(response).await.unwrap(), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn transfer_codings_but_chunked_are_failures() {
    for coding in ["gzip, chunked", "gzip", "chunked, gzip", "identity"] {
        let error = answer_to_get(format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: {coding}\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        ))
        .await
        .unwrap_err();
        assert!(
            matches!(&error, Error::HttpResponseTransferCoding(Some(named)) if named == coding),
            "{coding}: {error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_next_to_chunks_is_removed() {
    let response = answer_to_get(
        "HTTP/1.1 200 OK\r\ncontent-length: 99\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    )
    .await
    .unwrap();
    assert!(!response.headers().contains_key("content-length"));
    assert_eq!(collected(response).await.unwrap(), "ok");
}

/// What follows a 204 is not the response to the next request, even if it looks like one.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_after_a_204_are_not_a_response() {
    const FORGED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged";
    let port = serving(|number, mut stream| async move {
        read_request(&mut stream).await.unwrap();
        if number > 0 {
            stream.write_all(OK).await.unwrap();
            return;
        }
        let head = format!(
            "HTTP/1.1 204 No Content\r\ncontent-length: {}\r\n\r\n",
            FORGED.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let _ = read_request(&mut stream).await;
        let _ = stream.write_all(FORGED).await;
    })
    .await;
    let client = client();
    let response = send(&client, request(Method::GET, port, empty()))
        .await
        .unwrap();
    assert_eq!(response.status(), 204);
    assert!(!response.headers().contains_key("content-length"));
    assert_eq!(collected(response).await.unwrap(), "");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let response = send(&client, request(Method::GET, port, empty()))
        .await
        .unwrap();
    assert_eq!(collected(response).await.unwrap(), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn length_of_a_304_stays() {
    let response = answer_to_get("HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(response.headers()["content-length"], "7");
    assert_eq!(collected(response).await.unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_first_chunk_is_a_broken_body() {
    for chunk in [
        "0x2\r\nok\r\n",
        "-2\r\nok\r\n",
        "fffffffffffffffff\r\nok\r\n",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunk}");
        let response = answer_to_get(answer).await.unwrap();
        let error = collected(response).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::HttpProtocolError | Error::HttpResponseIncomplete
            ),
            "{chunk}: {error:?}"
        );
    }
}

fn with_fields(count: usize, value: usize) -> String {
    let value = "v".repeat(value);
    let fields: String = (0..count)
        .map(|number| format!("x-field-{number}: {value}\r\n"))
        .collect();
    format!("HTTP/1.1 200 OK\r\n{fields}content-length: 2\r\n\r\nok")
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_other_proxies_pass_are_passed() {
    let cases = [
        (with_fields(500, 20), 501),
        (with_fields(3, 20_000), 4),
        (
            "HTTP/1.1 200 OK\r\nx-spaced : 1\r\nx-tab\t: 1\r\ncontent-length: 2\r\n\r\nok"
                .to_owned(),
            3,
        ),
    ];
    for (answer, fields) in cases {
        let response = answer_to_get(answer.clone()).await.unwrap();
        assert_eq!(response.headers().len(), fields);
        assert_eq!(collected(response).await.unwrap(), "ok");

        let port = answering(answer).await;
        let target = Target::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let timeout = Duration::from_secs(5);
        let measured = measure(&client(), &target, "/", timeout, 2, || {}).await;
        assert!(measured.healthy, "{measured:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_beyond_the_limit_says_so() {
    let (fields, bytes) = (with_fields(1100, 5), with_fields(4, 17_000));
    for answer in [fields, bytes.clone(), with_fields(1, 600_000)] {
        let error = answer_to_get(answer).await.unwrap_err();
        assert!(
            matches!(error, Error::HttpResponseHeaderSectionSize(_)),
            "{error:?}"
        );
    }
    let config = OutboundHttpConfig {
        max_header_bytes: 100_000,
        ..Default::default()
    };
    let client = Outbound::new(&config, &[]).unwrap();
    let port = answering(bytes).await;
    send(&client, request(Method::GET, port, empty()))
        .await
        .unwrap();
}

/// The rest of the upload meets a reset, and the response still arrives.
#[tokio::test(flavor = "multi_thread")]
async fn an_early_response_survives_the_reset_that_follows() {
    const ANSWER: &[u8] = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 9\r\n\r\ntoo large";
    for number in 0..40_u64 {
        let port = serving(move |_, mut stream| async move {
            let mut some = [0; 1000];
            stream.read_exact(&mut some).await.unwrap();
            stream.write_all(ANSWER).await.unwrap();
            tokio::time::sleep(Duration::from_millis(number % 4)).await;
            reset(stream);
        })
        .await;
        let pieces = stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(&[b'x'; 16_384]))));
        let body = StreamBody::new(pieces).boxed_unsync();
        let response = send(&client(), request(Method::POST, port, body)).await;
        let response = response.unwrap_or_else(|error| panic!("{number}: {error:?}"));
        assert_eq!(response.status(), 413);
        assert_eq!(collected(response).await.unwrap(), "too large");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_announced_as_closing_is_not_reused() {
    let port = serving(|_, mut stream| async move {
        read_request(&mut stream).await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nconnection: close, x-private\r\nx-private: 1\r\ncontent-length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
        let another = read_request(&mut stream).await;
        assert_eq!(another, None);
    })
    .await;
    let client = client();
    opening(&client, port).await;
    let response = send(&client, request(Method::GET, port, empty()))
        .await
        .unwrap();
    assert!(!response.headers().contains_key("x-private"));
}
