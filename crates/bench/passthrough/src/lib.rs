//! The least that a proxying component can do: the method, path, headers and body go to one target, and its response
//! goes to the client as it is. `cargo xtask bench` measures Function Fetch beside it on the same host; the difference
//! is what the engine and the rules of HTTP proxies cost.
//!
//! It has no rules: hop-by-hop headers stay, and a failure is the host's error page. It is no proxy to deploy.

// Natively nothing exports the handler, see below, so nothing uses the rest.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

use std::sync::OnceLock;

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Method, Request, Response, Scheme};
use wasip3::wit_future;

/// The variable with the target's authority, such as `127.0.0.1:8080`.
const TARGET: &str = "PASSTHROUGH_TARGET";

struct PassThrough;

// The export names of a component cannot be linked natively.
#[cfg(target_family = "wasm")]
wasip3::http::service::export!(PassThrough);

impl wasip3::exports::http::handler::Guest for PassThrough {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        client::send(forwarded(request)?).await
    }
}

fn forwarded(request: Request) -> Result<Request, ErrorCode> {
    let method = request.get_method();
    let path = request.get_path_with_query();
    let headers = request.get_headers();
    // With an empty stream instead of none, a host would send a chunked body with every GET.
    let has_body = !matches!(method, Method::Get | Method::Head);
    let (body, trailers) = if has_body {
        let (_, read_well) = wit_future::new(|| Ok(()));
        let (body, trailers) = Request::consume_body(request, read_well);
        (Some(body), trailers)
    } else {
        (None, wit_future::new(|| Ok(None)).1)
    };
    let (request, sent) = Request::new(headers, body, trailers, None);
    // Unless this is read, wasmtime 49 cuts bodies short.
    wasip3::spawn(async move {
        let _ = sent.await;
    });
    request
        .set_method(&method)
        .and_then(|()| request.set_scheme(Some(&Scheme::Http)))
        .and_then(|()| request.set_authority(Some(target()?)))
        .and_then(|()| request.set_path_with_query(path.as_deref()))
        .map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    Ok(request)
}

fn target() -> Result<&'static str, ()> {
    static READ: OnceLock<Option<String>> = OnceLock::new();
    let read = READ.get_or_init(|| std::env::var(TARGET).ok());
    read.as_deref().ok_or(())
}
