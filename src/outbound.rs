//! Requests to targets: a client's, and probes.

use crate::body::ClientBody;
use crate::error::failure;
use function_fetch_component::{SILENCE_NS, probe as probes};
use function_fetch_engine::headers::Fields;
use function_fetch_engine::{Failure, Forward, Target};
use wasip3::http::client;
use wasip3::http::types::{self, ErrorCode, Method, Request, RequestOptions, Scheme};
use wasip3::{wit_future, wit_stream};

/// A client's request, ready to be sent as often as it takes.
pub struct Inbound {
    pub method: Method,
    pub path: String,
    pub fields: Fields,
    pub body: ClientBody,
}

/// A target's response, its body not read yet.
pub struct Upstream {
    pub response: types::Response,
    pub status: u16,
    pub fields: Fields,
}

/// The request of one attempt; its body flows as soon as it is sent.
pub fn start(
    inbound: &mut Inbound,
    target: &Target,
    forward: &Forward,
) -> Result<Request, Failure> {
    let (stream, trailers_end) = if inbound.body.is_some() {
        // A pump that ends early leaves its trailers unwritten: the body is then broken, never complete.
        let (trailers, trailers_end) = wit_future::new(|| Err(ErrorCode::HttpProtocolError));
        let (writer, reader) = wit_stream::new();
        inbound.body.pump_into(writer, trailers);
        (Some(reader), trailers_end)
    } else {
        (None, wit_future::new(|| Ok(None)).1)
    };
    let options = RequestOptions::new();
    // A host that cannot set a timer keeps its own.
    let _ = options.set_connect_timeout(Some(u64::from(forward.connect_timeout_ms) * 1_000_000));
    let _ = options.set_first_byte_timeout(Some(SILENCE_NS));
    let _ = options.set_between_bytes_timeout(Some(SILENCE_NS));
    let (request, sent) = Request::new(
        to_wasi(&inbound.fields),
        stream,
        trailers_end,
        Some(options),
    );
    // Without a reader of this, wasmtime 49 cuts the request body short.
    wasip3::spawn(async move {
        let _ = sent.await;
    });
    let path = target.path_for(&inbound.path);
    address(&request, &inbound.method, target, &path)?;
    Ok(request)
}

/// Sends it, up to the response's head.
pub async fn finish(request: Request) -> Result<Upstream, Failure> {
    let response = client::send(request).await.map_err(|code| failure(&code))?;
    Ok(Upstream {
        status: response.get_status_code(),
        fields: response.get_headers().copy_all(),
        response,
    })
}

/// A probe: the status of its answer. Its body is not read.
pub async fn probe(target: &Target, path: &str) -> Result<u16, Failure> {
    let (_, trailers_end) = wit_future::new(|| Ok(None));
    let (request, sent) = Request::new(to_wasi(&probes::fields()), None, trailers_end, None);
    wasip3::spawn(async move {
        let _ = sent.await;
    });
    address(&request, &Method::Get, target, path)?;
    let response = client::send(request).await.map_err(|code| failure(&code))?;
    Ok(response.get_status_code())
}

fn address(request: &Request, method: &Method, target: &Target, path: &str) -> Result<(), Failure> {
    let scheme = if target.is_https() {
        Scheme::Https
    } else {
        Scheme::Http
    };
    request
        .set_method(method)
        .map_err(|()| Failure::HttpRequestMethodInvalid)?;
    request
        .set_scheme(Some(&scheme))
        .and_then(|()| request.set_authority(Some(target.authority())))
        .and_then(|()| request.set_path_with_query(Some(path)))
        .map_err(|()| Failure::HttpRequestUriInvalid)
}

/// The fields for the host. One that it forbids is left out, not the rest.
pub fn to_wasi(fields: &[(String, Vec<u8>)]) -> types::Fields {
    types::Fields::from_list(fields).unwrap_or_else(|_| {
        let accepted = types::Fields::new();
        for (name, value) in fields {
            let _ = accepted.append(name, value);
        }
        accepted
    })
}
