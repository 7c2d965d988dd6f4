//! A request whose body the client breaks off never reaches a target as a complete one.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::promises;
use crate::support::client::get;
use crate::support::host::{EVERY, Host, OURS_OF_ANY_WASI};
use crate::support::origin::Origin;
use crate::support::raw_client::{RawClient, exchange, status};
use crate::support::setup::proxy;
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            a_client_that_disconnects_before_the_first_chunk_never_looks_complete,
            a_malformed_first_chunk_is_a_bad_request,
            a_malformed_later_chunk_is_not_an_end,
        ]
    );
    promises!(
        suite,
        OURS_OF_ANY_WASI,
        [a_reset_stream_never_looks_complete]
    );
}

const HEAD: &str = "POST / HTTP/1.1\r\nhost: proxy\r\ntransfer-encoding: chunked\r\n\r\n";

/// The end of a body, if it came at all, would come within this time.
const LATE: std::time::Duration = ms(400);

fn completed(origin: &Origin, method: &Method) -> usize {
    let seen = origin.live();
    let complete = seen
        .iter()
        .filter(|seen| seen.method == method && seen.body.complete);
    complete.count()
}

async fn a_client_that_disconnects_before_the_first_chunk_never_looks_complete(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    proxy.get("/").await.is_from("origin");
    for wait in [0, 2, 8, 30] {
        for resets in [false, true] {
            let mut client = RawClient::connect(proxy.address).await;
            client.say(HEAD).await;
            tokio::time::sleep(ms(wait)).await;
            if resets {
                client.reset();
            } else {
                drop(client);
            }
        }
    }
    tokio::time::sleep(LATE).await;
    assert_eq!(completed(&origin, &Method::POST), 0, "{:#?}", origin.live());
    // It was not the target's fault.
    proxy.get("/").await.is_from("origin");
}

async fn a_malformed_first_chunk_is_a_bad_request(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    proxy.get("/").await.is_from("origin");
    for chunk in [
        "0x3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabc",
        "\r\n\r\n",
    ] {
        for method in ["POST", "GET", "DELETE"] {
            let head = format!(
                "{method} / HTTP/1.1\r\nhost: proxy\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
            );
            let response = exchange(proxy.address, format!("{head}{chunk}")).await;
            assert_eq!(status(&response), 400, "{method} {chunk:?}: {response:?}");
        }
    }
    assert_eq!(completed(&origin, &Method::POST), 0, "{:#?}", origin.live());
    assert_eq!(
        completed(&origin, &Method::DELETE),
        0,
        "{:#?}",
        origin.live()
    );
    assert_eq!(completed(&origin, &Method::GET), 1, "{:#?}", origin.live());
}

async fn a_malformed_later_chunk_is_not_an_end(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let mut client = RawClient::connect(proxy.address).await;
    client.say(format!("{HEAD}3\r\nabc\r\n")).await;
    eventually("the upload begins", || {
        origin.live().pop().filter(|seen| seen.body.length == 3)
    })
    .await;
    client.say("0x3\r\nabc\r\n0\r\n\r\n").await;
    let response = client.until("\r\n\r\n").await;
    assert_eq!(status(&response), 400, "{response}");
    assert!(response.contains("http_request_error"), "{response}");
    assert_eq!(completed(&origin, &Method::POST), 0, "{:#?}", origin.live());
}

async fn a_reset_stream_never_looks_complete(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    proxy.send(get("/")).await.is_from("origin");
    for wait in [0, 5, 30] {
        let stream = TcpStream::connect(proxy.address).await.expect("it listens");
        let io = TokioIo::new(stream);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .expect("HTTP/2 with prior knowledge");
        let connection = tokio::spawn(connection);
        let broken = async move {
            tokio::time::sleep(ms(wait)).await;
            Err::<Frame<Bytes>, _>(std::io::Error::other("broken off"))
        };
        let body = StreamBody::new(futures::stream::once(broken)).boxed_unsync();
        let request = Request::post(format!("http://{}/", proxy.address))
            .body(body)
            .expect("a request");
        let sent = sender.send_request(request).await;
        assert!(sent.is_err(), "{sent:?}");
        connection.abort();
    }
    tokio::time::sleep(LATE).await;
    assert_eq!(completed(&origin, &Method::POST), 0, "{:#?}", origin.live());
}
