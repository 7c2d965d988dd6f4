//! What happened, from the host's words to the engine's.

use crate::wit;
use function_fetch_engine::attempt::Body;
use function_fetch_engine::{Event, Failure};

pub fn from_host(event: &wit::Event) -> Event<'_> {
    match event {
        wit::Event::StoreRead(value) => Event::StoreRead(value.as_deref().map(str::as_bytes)),
        wit::Event::StoreFailed => Event::StoreFailed,
        wit::Event::RoundReady => Event::RoundReady,
        wit::Event::Response(response) => Event::Response {
            status: response.status,
            retry_after_ms: response.retry_after,
            head_ms: response.head,
            body: body(response.body),
        },
        wit::Event::Failed(failed) => Event::Failed {
            failure: failure(failed.failure),
            body: body(failed.body),
        },
        wit::Event::Lost(fate) => Event::Lost { body: body(*fate) },
    }
}

fn body(body: wit::Body) -> Body {
    match body {
        wit::Body::Untouched => Body::Untouched,
        wit::Body::Replayable => Body::Replayable,
        wit::Body::Gone => Body::Gone,
        wit::Body::Broken => Body::Broken,
    }
}

pub fn failure(failure: wit::Failure) -> Failure {
    use Failure as To;
    use wit::Failure as From;
    match failure {
        From::DnsError => To::DnsError,
        From::DestinationUnavailable => To::DestinationUnavailable,
        From::ConnectionRefused => To::ConnectionRefused,
        From::ConnectionTimeout => To::ConnectionTimeout,
        From::ConnectionLimitReached => To::ConnectionLimitReached,
        From::TlsProtocolError => To::TlsProtocolError,
        From::TlsCertificateError => To::TlsCertificateError,
        From::HttpRequestDenied => To::HttpRequestDenied,
        From::ConnectionTerminated => To::ConnectionTerminated,
        From::HttpResponseIncomplete => To::HttpResponseIncomplete,
        From::HttpProtocolError => To::HttpProtocolError,
        From::HttpRequestUriInvalid => To::HttpRequestUriInvalid,
        From::InternalError => To::InternalError,
        From::AttemptTimeout => To::AttemptTimeout,
        From::DeadlineExceeded => To::DeadlineExceeded,
    }
}

/// Which of its two time-outs the engine named.
pub fn timeout_to_host(failure: Failure) -> wit::Failure {
    match failure {
        Failure::DeadlineExceeded => wit::Failure::DeadlineExceeded,
        _ => wit::Failure::AttemptTimeout,
    }
}
