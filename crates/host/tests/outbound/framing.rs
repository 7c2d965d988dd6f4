//! How an upstream sees a request's body.

use crate::exchange::{client, collected, empty, request, send, unsized_body};
use crate::upstream::{OK, listener, read_until};
use futures::stream;
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt, StreamBody};
use tokio::io::AsyncWriteExt;
use wasmtime_wasi_http::WasiBody;

/// What the upstream gets of `request`, in lower case, until `mark`.
async fn seen(request: impl FnOnce(u16) -> Request<WasiBody>, mark: &'static str) -> String {
    let (listener, port) = listener().await;
    let origin = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let text = read_until(&mut stream, mark).await;
        stream.write_all(OK).await.unwrap();
        (text, stream)
    });
    let response = send(&client(), request(port)).await.unwrap();
    assert_eq!(collected(response).await.unwrap(), "ok");
    origin.await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_unknown_length_are_sent_whatever_the_method() {
    for method in [Method::GET, Method::DELETE, Method::OPTIONS, Method::POST] {
        let name = method.to_string().to_lowercase();
        let text = seen(
            |port| request(method, port, unsized_body(&[b"hel", b"lo"])),
            "0\r\n\r\n",
        )
        .await;
        assert!(text.starts_with(&name), "{text}");
        assert!(text.contains("transfer-encoding: chunked\r\n"), "{text}");
        assert!(
            text.ends_with("\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_turns_out_empty_is_not_sent_in_chunks() {
    let nothing = || -> WasiBody {
        StreamBody::new(stream::empty::<Result<_, wasmtime_wasi_http::Error>>()).boxed_unsync()
    };
    let soon = || unsized_body(&[b""]);
    let cases = [
        (Method::GET, false),
        (Method::OPTIONS, false),
        (Method::DELETE, false),
        (Method::POST, true),
        (Method::PUT, true),
        (Method::PATCH, true),
    ];
    for (method, says_so) in cases {
        for body in [nothing(), soon(), empty()] {
            let text = seen(|port| request(method.clone(), port, body), "\r\n\r\n").await;
            assert!(!text.contains("transfer-encoding"), "{text}");
            assert_eq!(text.contains("content-length: 0\r\n"), says_so, "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expect_is_not_passed_on_and_cookies_stay_as_they_are() {
    let text = seen(
        |port| {
            let mut request = request(Method::GET, port, empty());
            let headers = request.headers_mut();
            headers.insert("expect", HeaderValue::from_static("100-continue"));
            headers.insert("cookie", HeaderValue::from_static("a=1; b=2"));
            request
        },
        "\r\n\r\n",
    )
    .await;
    assert!(!text.contains("expect"), "{text}");
    assert!(text.contains("cookie: a=1; b=2\r\n"), "{text}");
}

/// Such a client may wait for the upstream before it sends anything.
#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_post_does_not_wait_for_its_body() {
    let (listener, port) = listener().await;
    let origin = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_until(&mut stream, "\r\n\r\n").await;
        stream.write_all(OK).await.unwrap();
        (head, stream)
    });
    let never = StreamBody::new(stream::pending()).boxed_unsync();
    let response = send(&client(), request(Method::POST, port, never))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let head = origin.await.unwrap().0;
    assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
}
