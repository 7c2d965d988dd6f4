//! Upstreams behind TLS, and a client that trusts them.

use function_fetch_host::{Outbound, OutboundHttpConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub type Authority = CertifiedIssuer<'static, KeyPair>;

pub fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// An origin on 127.0.0.1 with a certificate for `name`, which offers `protocols` by ALPN and lets `act` serve each
/// connection, with the number of those before it.
pub async fn serving<F, Acting>(
    authority: &Authority,
    name: &str,
    protocols: &[&[u8]],
    act: F,
) -> u16
where
    F: Fn(usize, TlsStream<TcpStream>) -> Acting + Send + Sync + 'static,
    Acting: Future<Output = ()> + Send + 'static,
{
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
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(act(number, stream));
                number += 1;
            }
        }
    });
    port
}

pub fn client_trusting(authority: &Authority, name: &str) -> Outbound {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pem"));
    std::fs::write(&path, authority.pem()).unwrap();
    Outbound::new(&OutboundHttpConfig::default(), &[path]).unwrap()
}
