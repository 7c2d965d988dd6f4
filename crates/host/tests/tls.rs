//! The client for upstreams over TLS: which certificates it takes, and which HTTP it speaks.

use function_fetch_host::{Outbound, OutboundHttpConfig};
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// An origin on 127.0.0.1 with a certificate for `name`, which offers `protocols` by ALPN.
async fn origin(authority: &Authority, name: &str, protocols: &[&[u8]]) -> u16 {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
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
            });
        }
    });
    port
}

fn client_trusting(authority: &Authority, name: &str) -> Outbound {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pem"));
    std::fs::write(&path, authority.pem()).unwrap();
    Outbound::new(&OutboundHttpConfig::default(), &[path]).unwrap()
}

async fn get(client: &Outbound, port: u16) -> Result<String, Error> {
    let body: WasiBody = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = Request::get(format!("https://127.0.0.1:{port}/"))
        .body(body)
        .unwrap();
    let response = client.send(request, RequestOptions::default()).await?;
    let body = response.into_body().collect().await?.to_bytes();
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
async fn certificate_of_a_stranger_or_for_another_name_is_refused() {
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
