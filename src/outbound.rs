//! Requests to targets: a client's, and probes.

use crate::body::{Sink, Source};
use crate::error::failure;
use crate::next;
use crate::platform::{Wasi, monotonic, now, sleep};
use function_fetch_component::{SILENCE_NS, framing, probe as probes, request};
use function_fetch_driver::ProbeHead;
use function_fetch_engine::headers;
use function_fetch_engine::{Attempt, Failure, Millis, Target};
use futures::future::select;
use futures::poll;
use std::cell::OnceCell;
use std::pin::pin;
use std::task::Poll;
use wasip3::http::types::{self, ErrorCode, HeaderError, Method, Request, RequestOptions, Scheme};
use wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamResult};
use wasip3::wit_future;

/// The size of one read of a probe's response: most are smaller.
const DRAIN_BYTES: usize = 4 * 1024;

pub type Inbound = request::Inbound<Method, Source>;
/// The fields are `None` where those of the response itself are to be passed on.
pub type UpstreamResponse = request::UpstreamResponse<types::Response, Option<types::Fields>>;

type TrailersResult = Result<Option<types::Trailers>, ErrorCode>;

/// A request that is ready to be sent.
pub struct Outgoing {
    request: Request,
    /// Resolves when the host has sent it.
    sent: FutureReader<Result<(), ErrorCode>>,
    /// Says, once dropped, that there are no trailers: for a request without a body.
    no_trailers: Option<FutureWriter<TrailersResult>>,
}

/// The request of one attempt; its body is sent concurrently once it is sent.
pub fn start(
    inbound: &mut Inbound,
    target: &Target,
    attempt: &Attempt,
) -> Result<Outgoing, Failure> {
    let fields = to_wasi(&inbound.fields).map_err(|error| match error {
        HeaderError::SizeExceeded => Failure::HttpRequestHeaderSectionSize,
        _ => Failure::HttpRequestHeaderInvalid,
    })?;
    let (stream, trailers_end, no_trailers) = if inbound.body.is_some() {
        let (sink, bytes, trailers) = Sink::new();
        inbound.body.upload(&Wasi, sink);
        (Some(bytes), trailers, None)
    } else {
        let (writer, trailers) = wit_future::new(|| Ok(None));
        (None, trailers, Some(writer))
    };
    let options = options(attempt.connect_timeout);
    let (request, sent) = Request::new(fields, stream, trailers_end, Some(options));
    let path = target.path_for(&inbound.path);
    address(&request, &inbound.method, target, &path)?;
    Ok(Outgoing {
        request,
        sent,
        no_trailers,
    })
}

/// The time-outs of a request. They are the instance's, which sets them once.
fn options(connect_timeout: Millis) -> RequestOptions {
    thread_local! {
        static OPTIONS: OnceCell<RequestOptions> = const { OnceCell::new() };
    }
    OPTIONS.with(|options| {
        let options = options.get_or_init(|| {
            let options = RequestOptions::new();
            // A host that cannot set a timer uses its own.
            let _ = options.set_connect_timeout(Some((connect_timeout.0 * 1e6) as u64));
            let _ = options.set_first_byte_timeout(Some(SILENCE_NS));
            let _ = options.set_between_bytes_timeout(Some(SILENCE_NS));
            options
        });
        options.clone()
    })
}

/// Sends it, up to the response's head. A head that cannot be passed on whole is a
/// failed attempt: another target may do better.
pub async fn finish(outgoing: Outgoing) -> Result<UpstreamResponse, Failure> {
    let response = send(outgoing).await.map_err(|code| failure(&code))?;
    let status = response.get_status_code();
    let mut fields = response.get_headers().copy_all();
    let retry_after = headers::retry_after(&fields, now);
    let is_plain = framing::is_plain(&fields);
    let changed = headers::to_client(&mut fields, status) || !is_plain;
    let fields = changed.then(|| to_wasi(&fields)).transpose();
    let fields = fields.map_err(|error| match error {
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

/// What a future of the component model costs is the event by which it wakes the instance: none, where the host has begun
/// to read before something is written.
async fn send(outgoing: Outgoing) -> Result<types::Response, ErrorCode> {
    let Outgoing {
        request,
        sent,
        no_trailers,
    } = outgoing;
    let mut sending = pin!(next::send(request));
    let begun = poll!(sending.as_mut());
    drop(no_trailers);
    let response = match begun {
        Poll::Ready(response) => response,
        Poll::Pending => sending.await,
    };
    // Unless this is read, wasmtime 49 cuts bodies short, that of the response too.
    wasip3::spawn(async move {
        let _ = sent.await;
    });
    response
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
    let response = next::send(request).await.map_err(|code| failure(&code))?;
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
    // A new request is a GET.
    if !matches!(method, Method::Get) {
        request
            .set_method(method)
            .map_err(|()| Failure::HttpRequestMethodInvalid)?;
    }
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
