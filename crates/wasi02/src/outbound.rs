//! Requests to targets: a client's, and probes.

use crate::body::Incoming;
use crate::executor::{self, ready};
use crate::fields::{Refused, from_wasi, to_wasi};
use crate::platform::{Wasi, monotonic, now};
use crate::request_body::{Sink, Source};
use crate::stream;
use crate::wasi::http::outgoing_handler;
use crate::wasi::http::types::{
    self, ErrorCode, FutureIncomingResponse, IncomingResponse, Method, OutgoingRequest,
    RequestOptions, Scheme,
};
use function_fetch_component::{SILENCE_NS, failure_of, probe as probes, request};
use function_fetch_driver::ProbeHead;
use function_fetch_engine::headers;
use function_fetch_engine::{Attempt, Failure, Millis, Target};
use futures::future::select;
use std::pin::pin;

/// The size of one read of a probe's response: most are smaller.
const DRAIN_BYTES: u64 = 4 * 1024;

pub type Inbound = request::Inbound<Method, Source>;
pub type UpstreamResponse = request::UpstreamResponse<IncomingResponse, types::Fields>;

/// Sends the request of one attempt; its body is sent concurrently.
pub fn start(
    inbound: &mut Inbound,
    target: &Target,
    attempt: &Attempt,
) -> Result<FutureIncomingResponse, Failure> {
    let fields = to_wasi(&inbound.fields).map_err(|refused| match refused {
        Refused::TooLarge => Failure::HttpRequestHeaderSectionSize,
        Refused::Invalid => Failure::HttpRequestHeaderInvalid,
    })?;
    let request = OutgoingRequest::new(fields);
    let path = target.path_for(&inbound.path);
    address(&request, &inbound.method, target, &path)?;
    let options = RequestOptions::new();
    // A host that cannot set a timer uses its own.
    let _ = options.set_connect_timeout(Some((attempt.connect_timeout.0 * 1e6) as u64));
    let _ = options.set_first_byte_timeout(Some(SILENCE_NS));
    let _ = options.set_between_bytes_timeout(Some(SILENCE_NS));
    let sink = if inbound.body.is_some() {
        let sink = request.body().and_then(Sink::new);
        // The only field that the host can reject here is a Content-Length that is not a
        // number.
        Some(sink.map_err(|()| Failure::HttpRequestBodySize)?)
    } else {
        None
    };
    let sent = outgoing_handler::handle(request, Some(options)).map_err(|code| failure(&code))?;
    if let Some(sink) = sink {
        inbound.body.upload(&Wasi, sink);
    }
    Ok(sent)
}

/// Waits for the response's head. Dropping the future cancels the request. A response whose
/// head cannot be passed on whole is a failed attempt: another target may do better.
pub async fn finish(sent: FutureIncomingResponse) -> Result<UpstreamResponse, Failure> {
    let response = answer(&sent).await?;
    let status = response.status();
    let mut fields = from_wasi(&response.headers());
    let retry_after = headers::retry_after(&fields, now);
    headers::to_client(&mut fields, status);
    let fields = to_wasi(&fields).map_err(|refused| match refused {
        Refused::TooLarge => Failure::HttpResponseHeaderSectionSize,
        Refused::Invalid => Failure::HttpProtocolError,
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
    let fields = to_wasi(&probes::fields()).map_err(|_| Failure::InternalError)?;
    let request = OutgoingRequest::new(fields);
    address(&request, &Method::Get, target, path)?;
    let sent = outgoing_handler::handle(request, None).map_err(|code| failure(&code))?;
    let response = answer(&sent).await?;
    let status = response.status();
    let cached = headers::is_from_cache(&from_wasi(&response.headers()));
    let left = within - (monotonic() - started);
    executor::spawn(async move {
        let in_time = pin!(executor::sleep((left.0.max(0.0) * 1e6) as u64));
        select(pin!(drain(response)), in_time).await;
    });
    Ok(ProbeHead { status, cached })
}

/// Reads a body to its end, so that its connection can be reused, unless it is too long.
async fn drain(response: IncomingResponse) {
    let Some(body) = response.consume().ok().and_then(Incoming::new) else {
        return;
    };
    let mut read = 0;
    while read <= probes::READ_BYTES
        && let Ok(bytes) = stream::read(&body.stream, DRAIN_BYTES).await
    {
        read += bytes.len();
    }
}

async fn answer(sent: &FutureIncomingResponse) -> Result<IncomingResponse, Failure> {
    loop {
        match sent.get() {
            None => ready(sent.subscribe()).await,
            Some(Ok(Ok(response))) => return Ok(response),
            Some(Ok(Err(code))) => return Err(failure(&code)),
            // It was taken twice, which does not happen here.
            Some(Err(())) => return Err(Failure::InternalError),
        }
    }
}

fn failure(code: &ErrorCode) -> Failure {
    failure_of!(ErrorCode, code)
}

fn address(
    request: &OutgoingRequest,
    method: &Method,
    target: &Target,
    path: &str,
) -> Result<(), Failure> {
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
