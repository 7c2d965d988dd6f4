//! Requests to targets: a client's, and probes.

use crate::executor::ready;
use crate::fields::{from_wasi, to_wasi};
use crate::upload::ClientBody;
use crate::wasi::http::outgoing_handler;
use crate::wasi::http::types::{
    ErrorCode, FutureIncomingResponse, IncomingResponse, Method, OutgoingRequest, RequestOptions,
    Scheme,
};
use function_fetch_component::{SILENCE_NS, failure_of, probe as probes};
use function_fetch_engine::headers::Fields;
use function_fetch_engine::{Failure, Forward, Target};

/// A client's request, ready to be sent as often as it takes.
pub struct Inbound {
    pub method: Method,
    pub path: String,
    pub fields: Fields,
    pub body: ClientBody,
}

/// A target's response, its body not read yet.
pub struct Upstream {
    pub response: IncomingResponse,
    pub status: u16,
    pub fields: Fields,
}

/// Sends the request of one attempt; its body flows beside it.
pub fn start(
    inbound: &mut Inbound,
    target: &Target,
    forward: &Forward,
) -> Result<FutureIncomingResponse, Failure> {
    let request = OutgoingRequest::new(to_wasi(&inbound.fields));
    let path = target.path_for(&inbound.path);
    address(&request, &inbound.method, target, &path)?;
    let options = RequestOptions::new();
    // A host that cannot set a timer keeps its own.
    let _ = options.set_connect_timeout(Some(u64::from(forward.connect_timeout_ms) * 1_000_000));
    let _ = options.set_first_byte_timeout(Some(SILENCE_NS));
    let _ = options.set_between_bytes_timeout(Some(SILENCE_NS));
    let body = if inbound.body.is_some() {
        let body = request.body();
        // The host finds nothing wrong with the fields but a Content-Length that is no number.
        Some(body.map_err(|()| Failure::HttpRequestBodySize)?)
    } else {
        None
    };
    let sent = outgoing_handler::handle(request, Some(options)).map_err(|code| failure(&code))?;
    if let Some(body) = body {
        inbound.body.pump_into(body);
    }
    Ok(sent)
}

/// Waits for the response's head. Dropping the future cancels the request.
pub async fn finish(sent: FutureIncomingResponse) -> Result<Upstream, Failure> {
    let response = answer(&sent).await?;
    Ok(Upstream {
        status: response.status(),
        fields: from_wasi(&response.headers()),
        response,
    })
}

/// A probe: the status of its answer. Its body is not read.
pub async fn probe(target: &Target, path: &str) -> Result<u16, Failure> {
    let request = OutgoingRequest::new(to_wasi(&probes::fields()));
    address(&request, &Method::Get, target, path)?;
    let sent = outgoing_handler::handle(request, None).map_err(|code| failure(&code))?;
    Ok(answer(&sent).await?.status())
}

async fn answer(sent: &FutureIncomingResponse) -> Result<IncomingResponse, Failure> {
    loop {
        match sent.get() {
            None => ready(sent.subscribe()).await,
            Some(Ok(Ok(response))) => return Ok(response),
            Some(Ok(Err(code))) => return Err(failure(&code)),
            // It was asked for twice, which nobody does here.
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
