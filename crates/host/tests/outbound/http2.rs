//! HTTP/2 upstreams: unprocessed requests, and large responses.

use crate::exchange::{collected, empty, full, send, unsized_body};
use crate::tls_origin::{authority, client_trusting, serving};
use bytes::Bytes;
use function_fetch_host::Outbound;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::{HeaderValue, Method, Request, Response};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::server::TlsStream;
use wasmtime_wasi_http::{Error, WasiBody};

type Accepted = Connection<TlsStream<TcpStream>, Bytes>;

async fn accepted(stream: TlsStream<TcpStream>) -> Accepted {
    h2::server::handshake(stream).await.unwrap()
}

fn request(method: Method, port: u16, body: WasiBody) -> Request<WasiBody> {
    Request::builder()
        .method(method)
        .uri(format!("https://127.0.0.1:{port}/"))
        .body(body)
        .unwrap()
}

fn answer(mut respond: SendResponse<Bytes>) {
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    stream.send_data(Bytes::from_static(b"ok"), true).unwrap();
}

/// Answers all requests of the connection, and passes on their bodies.
async fn answer_all(mut connection: Accepted, bodies: mpsc::UnboundedSender<Bytes>) {
    while let Some(Ok((request, respond))) = connection.accept().await {
        let bodies = bodies.clone();
        tokio::spawn(async move {
            bodies.send(whole(request.into_body()).await).unwrap();
            answer(respond);
        });
    }
}

async fn whole(mut body: RecvStream) -> Bytes {
    let mut all = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        all.extend_from_slice(&piece);
    }
    all.into()
}

async fn asked(client: &Outbound, request: Request<WasiBody>) -> Result<Bytes, Error> {
    collected(send(client, request).await?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_streams_are_sent_again_whatever_the_method() {
    for method in [Method::POST, Method::GET] {
        let (bodies, mut arrived) = mpsc::unbounded_channel();
        let authority = authority();
        let port = serving(&authority, "127.0.0.1", &[b"h2"], move |number, stream| {
            let bodies = bodies.clone();
            async move {
                let mut connection = accepted(stream).await;
                if number == 0 {
                    let (_request, mut respond) = connection.accept().await.unwrap().unwrap();
                    respond.send_reset(Reason::REFUSED_STREAM);
                }
                answer_all(connection, bodies).await;
            }
        })
        .await;
        let client = client_trusting(&authority, &format!("refused-{method}"));
        for body in [full(b"hello"), unsized_body(&[b"hel", b"lo"])] {
            let body = asked(&client, request(method.clone(), port, body)).await;
            assert_eq!(body.unwrap(), "ok", "{method}");
            assert_eq!(arrived.recv().await.unwrap(), "hello", "{method}");
        }
        assert!(arrived.try_recv().is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_after_the_last_of_a_goaway_are_sent_again() {
    let (bodies, mut arrived) = mpsc::unbounded_channel();
    let authority = authority();
    let port = serving(&authority, "127.0.0.1", &[b"h2"], move |number, stream| {
        let bodies = bodies.clone();
        async move {
            if number > 0 {
                answer_all(accepted(stream).await, bodies).await;
                return;
            }
            goaway_without_processing(stream).await;
        }
    })
    .await;
    let client = client_trusting(&authority, "goaway");
    let body = asked(&client, request(Method::POST, port, full(b"hello"))).await;
    assert_eq!(body.unwrap(), "ok");
    assert_eq!(arrived.recv().await.unwrap(), "hello");
    assert!(arrived.try_recv().is_err());
}

/// SETTINGS, and once a request came: GOAWAY, last stream 0, no error.
async fn goaway_without_processing(mut stream: TlsStream<TcpStream>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GOAWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const PREFACE: usize = 24;
    const HEADERS: u8 = 1;
    stream.write_all(SETTINGS).await.unwrap();
    stream.flush().await.unwrap();
    stream.read_exact(&mut [0; PREFACE]).await.unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        if head[3] == HEADERS {
            break;
        }
    }
    stream.write_all(GOAWAY).await.unwrap();
    stream.flush().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_was_processed_is_not_sent_again() {
    let (bodies, mut arrived) = mpsc::unbounded_channel();
    let authority = authority();
    let port = serving(&authority, "127.0.0.1", &[b"h2"], move |_, stream| {
        let bodies = bodies.clone();
        async move {
            let mut connection = accepted(stream).await;
            let (request, respond) = connection.accept().await.unwrap().unwrap();
            answer(respond);
            bodies.send(Bytes::new()).unwrap();
            drop(request);
            let (request, _respond) = connection.accept().await.unwrap().unwrap();
            bodies
                .send(Bytes::from(request.method().to_string()))
                .unwrap();
            // Closed without saying what was processed.
        }
    })
    .await;
    let client = client_trusting(&authority, "taken-up");
    asked(&client, request(Method::GET, port, empty()))
        .await
        .unwrap();
    arrived.recv().await.unwrap();
    let error = asked(&client, request(Method::POST, port, full(b"hello")))
        .await
        .unwrap_err();
    assert!(!matches!(error, Error::ConnectionRefused), "{error:?}");
    assert_eq!(arrived.recv().await.unwrap(), "POST");
    assert!(arrived.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_taken_up_to_the_limit() {
    let authority = authority();
    let port = serving(&authority, "127.0.0.1", &[b"h2"], |_, stream| async {
        let mut connection = accepted(stream).await;
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            let size: usize = request.headers()["x-size"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap();
            let mut response = Response::new(());
            for number in 0..4 {
                let name = http::HeaderName::try_from(format!("x-fill-{number}")).unwrap();
                let value = HeaderValue::try_from("v".repeat(size / 4)).unwrap();
                response.headers_mut().insert(name, value);
            }
            let _ = respond.send_response(response, true);
        }
    })
    .await;
    let client = client_trusting(&authority, "heads");
    for (size, fits) in [
        (17_000, true),
        (60_000, true),
        (70_000, false),
        (200_000, false),
    ] {
        let mut request = request(Method::GET, port, empty());
        request.headers_mut().insert("x-size", size.into());
        match send(&client, request).await {
            Ok(response) => assert!(fits, "{size}: {}", response.status()),
            Err(error) => assert!(
                !fits && matches!(error, Error::HttpResponseHeaderSectionSize(_)),
                "{size}: {error:?}"
            ),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_arrive_as_one_and_no_connection_field_does() {
    let (heads, mut arrived) = mpsc::unbounded_channel();
    let authority = authority();
    let port = serving(&authority, "127.0.0.1", &[b"h2"], move |_, stream| {
        let heads = heads.clone();
        async move {
            let mut connection = accepted(stream).await;
            while let Some(Ok((request, respond))) = connection.accept().await {
                heads.send(request.headers().clone()).unwrap();
                answer(respond);
            }
        }
    })
    .await;
    let client = client_trusting(&authority, "cookies");
    let mut request = request(Method::POST, port, unsized_body(&[b"body"]));
    let cookies = HeaderValue::from_static("a=1; b=\"2; 3\"; c");
    request.headers_mut().insert("cookie", cookies.clone());
    asked(&client, request).await.unwrap();
    let head = arrived.recv().await.unwrap();
    assert_eq!(head.get_all("cookie").iter().collect::<Vec<_>>(), [cookies]);
    assert!(!head.contains_key("transfer-encoding"));
}
