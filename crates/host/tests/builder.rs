//! The errors that an embedder gets when a server cannot be set up.

use function_fetch_host::{ComponentSource, Error, Server};
use std::net::TcpListener;

/// The beginning of a core module, unlike a component.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

async fn refusal(component: ComponentSource) -> Error {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::builder(component).listener(socket).bind().await;
    server.err().expect("it must not start")
}

#[tokio::test]
async fn an_invalid_component_is_named_by_its_source() {
    let cases = [
        (b"".to_vec(), "the given component is not WebAssembly"),
        (
            CORE_MODULE.to_vec(),
            "the given component is a core WebAssembly module, not a component",
        ),
        (
            b"\0asm\x0d\0\x01\0garbage".to_vec(),
            "the given component is not a valid component",
        ),
        (
            b"\0asm\x0d\0\x01\0".to_vec(),
            "the given component does not serve HTTP",
        ),
    ];
    for (bytes, start) in cases {
        let error = refusal(ComponentSource::bytes(bytes)).await;
        assert!(matches!(error, Error::Component { .. }), "{error:?}");
        assert!(error.to_string().starts_with(start), "{error}");
    }
    let error = refusal(ComponentSource::file("/no/such.wasm")).await;
    assert!(matches!(error, Error::ReadComponent { .. }), "{error:?}");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let builder = Server::builder(ComponentSource::bytes(CORE_MODULE)).listen(&address);
    let error = builder.bind().await.err().expect("it must not start");
    assert!(error.to_string().contains(&address), "{error}");
}

#[tokio::test]
async fn an_invalid_file_of_authorities_is_named() {
    let builder = Server::builder(ComponentSource::bytes(CORE_MODULE))
        .listen("127.0.0.1:0")
        .ca_file("/no/such.pem");
    let error = builder.bind().await.err().expect("it must not start");
    assert!(matches!(error, Error::CaFile { .. }), "{error:?}");
    assert!(error.to_string().contains("/no/such.pem"), "{error}");
}
