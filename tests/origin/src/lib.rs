//! Origins without a network: a component that exports what Function Fetch imports to send requests,
//! `wasi:http/client`, and responds itself. The authority selects the origin:
//!
//! - `slow.internal` takes 200 ms for each response,
//! - `dead.internal` refuses,
//! - `spinning.internal` computes without end, `greedy.internal` takes memory without end, except for a probe,
//! - any other one responds at once.
//!
//! A body is echoed; without one the response is a line: the name of the origin, the method, and the path.

// Natively nothing exports the client, see below, so nothing uses the rest.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]
// The exports of a component, which are generated.
#![allow(unsafe_code)]

use bindings::wasi::clocks::monotonic_clock;
use bindings::wasi::http::types::{ErrorCode, Fields, Method, Request, Response};
use bindings::{wit_future, wit_stream};
use wit_bindgen::FutureReader;

mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit/deps/wasi-clocks-0.3.0", "../../wit/deps/wasi-http-0.3.0"],
        inline: "
            package function-fetch:test-origin;
            world origin {
                import wasi:clocks/monotonic-clock@0.3.0;
                export wasi:http/client@0.3.0;
            }
        ",
        generate_all,
    });
}

const SLOW_NS: u64 = 200_000_000;

struct Origin;

// The export names of a component cannot be linked natively.
#[cfg(target_family = "wasm")]
bindings::export!(Origin with_types_in bindings);

impl bindings::exports::wasi::http::client::Guest for Origin {
    async fn send(request: Request) -> Result<Response, ErrorCode> {
        let authority = request.get_authority().unwrap_or_default();
        let name = authority.split('.').next().unwrap_or_default().to_owned();
        match name.as_str() {
            "dead" => return Err(ErrorCode::ConnectionRefused),
            "slow" => monotonic_clock::wait_for(SLOW_NS).await,
            "spinning" if !is_probe(&request) => spin(),
            "greedy" if !is_probe(&request) => take_all_memory(),
            _ => {}
        }
        let method = match request.get_method() {
            Method::Post => return Ok(echo(request)),
            Method::Head => "HEAD".to_owned(),
            Method::Get => "GET".to_owned(),
            other => format!("{other:?}"),
        };
        let path = request.get_path_with_query().unwrap_or_default();
        Ok(line(format!("{name} {method} {path}")))
    }
}

/// Such an origin is healthy, or no request would reach it.
fn is_probe(request: &Request) -> bool {
    request.get_path_with_query().as_deref() == Some("/health")
}

fn spin() {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

fn take_all_memory() {
    let mut taken = Vec::new();
    loop {
        taken.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

fn echo(request: Request) -> Response {
    let (_outcome, outcome_read) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, outcome_read);
    let (response, sent) = Response::new(Fields::new(), Some(body), trailers);
    follow(sent);
    response
}

fn line(text: String) -> Response {
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_read) = wit_future::new(|| Ok(None));
    wit_bindgen::spawn(async move {
        // If the reader has gone, it is lost.
        writer.write_all(text.into_bytes()).await;
        drop(writer);
        let _ = trailers.write(Ok(None)).await;
    });
    let (response, sent) = Response::new(Fields::new(), Some(reader), trailers_read);
    follow(sent);
    response
}

/// The outcome of sending is awaited to the end: some hosts cut the body short if it is dropped.
fn follow(sent: FutureReader<Result<(), ErrorCode>>) {
    wit_bindgen::spawn(async move {
        let _ = sent.await;
    });
}
