//! Requests to targets: a client's, and probes.

use crate::body::{Sink, Source};
use crate::error::failure;
use crate::platform::{Wasi, monotonic, now, sleep};
use function_fetch_component::{SILENCE_NS, probe as probes, request};
use function_fetch_driver::ProbeHead;
use function_fetch_engine::headers;
use function_fetch_engine::{Attempt, Failure, Millis, Target};
use futures::future::select;
use std::pin::pin;
use wasip3::http::client;
use wasip3::http::types::{self, HeaderError, Method, Request, RequestOptions, Scheme};
use wasip3::wit_bindgen::StreamResult;
use wasip3::wit_future;

/// The size of one read of a probe's response: most are smaller.
const DRAIN_BYTES: usize = 4 * 1024;

pub type Inbound = request::Inbound<Method, Source>;
pub type UpstreamResponse = request::UpstreamResponse<types::Response, types::Fields>;

/// The request of one attempt; its body is sent concurrently once it is sent.
pub fn start(
    inbound: &mut Inbound,
    target: &Target,
    attempt: &Attempt,
) -> Result<Request, Failure> {
    let fields = to_wasi(&inbound.fields).map_err(|error| match error {
        HeaderError::SizeExceeded => Failure::HttpRequestHeaderSectionSize,
        _ => Failure::HttpRequestHeaderInvalid,
    })?;
    let (stream, trailers_end) = if inbound.body.is_some() {
        let (sink, bytes, trailers) = Sink::new();
        inbound.body.upload(&Wasi, sink);
        (Some(bytes), trailers)
    } else {
        (None, wit_future::new(|| Ok(None)).1)
    };
    let options = RequestOptions::new();
    // A host that cannot set a timer uses its own.
    let _ = options.set_connect_timeout(Some((attempt.connect_timeout.0 * 1e6) as u64));
    let _ = options.set_first_byte_timeout(Some(SILENCE_NS));
    let _ = options.set_between_bytes_timeout(Some(SILENCE_NS));
    let (request, sent) = Request::new(fields, stream, trailers_end, Some(options));
    // Unless this is read, wasmtime 49 cuts the request body short, and now and then a response.
    wasip3::spawn(async move {
        let _ = sent.await;
    });
    let path = target.path_for(&inbound.path);
    address(&request, &inbound.method, target, &path)?;
    Ok(request)
}

/// Sends it, up to the response's head. A head that cannot be passed on whole is a
/// failed attempt: another target may do better.
pub async fn finish(request: Request) -> Result<UpstreamResponse, Failure> {
    let response = client::send(request).await.map_err(|code| failure(&code))?;
    let status = response.get_status_code();
    let mut fields = response.get_headers().copy_all();
    let retry_after = headers::retry_after(&fields, now());
    headers::to_client(&mut fields, status);
    let fields = to_wasi(&fields).map_err(|error| match error {
        HeaderError::SizeExceeded => Failure::HttpResponseHeaderSectionSize,
        _ => Failure::HttpProtocolError,
    })?;
    Ok(UpstreamResponse {
        response,
        status,
        retry_after,
        fields,
    })
}

/// Sends a probe and returns the head of its response, which must come in `within`. The
/// rest is read afterwards.
pub async fn probe(target: &Target, path: &str, within: Millis) -> Result<ProbeHead, Failure> {
    let started = monotonic();
    let (_, trailers_end) = wit_future::new(|| Ok(None));
    let fields = to_wasi(&probes::fields()).map_err(|_| Failure::InternalError)?;
    let (request, sent) = Request::new(fields, None, trailers_end, None);
    wasip3::spawn(async move {
        let _ = sent.await;
    });
    address(&request, &Method::Get, target, path)?;
    let response = client::send(request).await.map_err(|code| failure(&code))?;
    let status = response.get_status_code();
    let cached = headers::is_from_cache(&response.get_headers().copy_all());
    let left = within - (monotonic() - started);
    wasip3::spawn(async move {
        let in_time = pin!(sleep(left));
        select(pin!(drain(response)), in_time).await;
    });
    Ok(ProbeHead { status, cached })
}

/// Reads a body to its end, so that its connection can be reused, unless it is too
/// long.
async fn drain(response: types::Response) {
    let (_, read_well) = wit_future::new(|| Ok(()));
    let (mut stream, _) = types::Response::consume_body(response, read_well);
    let mut read = 0;
    let mut buffer = Vec::with_capacity(DRAIN_BYTES);
    while read <= probes::READ_BYTES {
        let (result, mut bytes) = stream.read(buffer).await;
        if result == StreamResult::Dropped {
            return;
        }
        read += bytes.len();
        bytes.clear();
        buffer = bytes;
    }
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

/// The fields for the host: all of them, or none.
fn to_wasi(fields: &[(String, Vec<u8>)]) -> Result<types::Fields, HeaderError> {
    types::Fields::from_list(fields)
}
