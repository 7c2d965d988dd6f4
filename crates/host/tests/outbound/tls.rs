//! The client for upstreams over TLS: which certificates it accepts, and which HTTP version it uses.

use crate::exchange::{collected, empty, send};
use crate::tls_origin::{Authority, authority, client_trusting, serving};
use function_fetch_host::Outbound;
use http::{Request, Response, Version};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use wasmtime_wasi_http::Error;

/// An origin on 127.0.0.1 with a certificate for `name`, which offers `protocols` by ALPN.
async fn origin(authority: &Authority, name: &str, protocols: &[&[u8]]) -> u16 {
    serving(authority, name, protocols, |_, stream| async {
        let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
            let seen = match request.version() {
                Version::HTTP_2 => "2",
                _ => "1",
            };
            Ok::<_, Infallible>(Response::new(seen.to_owned()))
        });
        let _ = auto::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
            .await;
    })
    .await
}

async fn get(client: &Outbound, port: u16) -> Result<String, Error> {
    let request = Request::get(format!("https://127.0.0.1:{port}/"))
        .body(empty())
        .unwrap();
    let body = collected(send(client, request).await?).await?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn upstream_chooses_the_version_of_http() {
    let authority = authority();
    let client = client_trusting(&authority, "versions");
    let cases: [(&[&[u8]], &str); 3] = [
        (&[b"h2", b"http/1.1"], "2"),
        (&[b"http/1.1"], "1"),
        (&[], "1"),
    ];
    for (protocols, expected) in cases {
        let port = origin(&authority, "127.0.0.1", protocols).await;
        assert_eq!(get(&client, port).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn an_untrusted_certificate_or_one_for_another_name_is_refused() {
    let known = authority();
    let client = client_trusting(&known, "known");
    let cases = [(&authority(), "127.0.0.1"), (&known, "other.example")];
    for (authority, name) in cases {
        let port = origin(authority, name, &[]).await;
        let error = get(&client, port).await.unwrap_err();
        assert!(
            matches!(error, Error::TlsCertificateError),
            "{name}: {error:?}"
        );
    }
}
