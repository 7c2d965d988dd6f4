//! What happened, from the host's words to the engine's.

use crate::{record, wit};
use function_fetch_engine::attempt::Body;
use function_fetch_engine::{Event, Failure, headers};

pub fn from_host(event: wit::Event, now: f64) -> Event {
    match event {
        wit::Event::StoreRead(value) => Event::StoreRead(value.map(record::from_host)),
        wit::Event::StoreFailed => Event::StoreFailed,
        wit::Event::RoundReady => Event::RoundReady,
        wit::Event::Response(response) => Event::Response {
            status: response.status,
            retry_after_ms: response
                .retry_after
                .as_deref()
                .and_then(|text| headers::wait_ms(text, now)),
            head_ms: response.head,
            body: body(response.body),
        },
        wit::Event::Failed(failed) => Event::Failed {
            failure: failure(failed.failure),
            body: body(failed.body),
        },
        wit::Event::Lost(fate) => Event::Lost { body: body(fate) },
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
        From::HttpRequestHeaderSectionSize => To::HttpRequestHeaderSectionSize,
        From::HttpRequestLengthRequired => To::HttpRequestLengthRequired,
        From::HttpResponseHeaderSectionSize => To::HttpResponseHeaderSectionSize,
        From::HttpResponseTransferCoding => To::HttpResponseTransferCoding,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_name() {
        use wit::Failure as F;
        let all = [
            F::DnsError,
            F::DestinationUnavailable,
            F::ConnectionRefused,
            F::ConnectionTimeout,
            F::ConnectionLimitReached,
            F::TlsProtocolError,
            F::TlsCertificateError,
            F::HttpRequestDenied,
            F::ConnectionTerminated,
            F::HttpResponseIncomplete,
            F::HttpProtocolError,
            F::HttpRequestUriInvalid,
            F::HttpRequestHeaderSectionSize,
            F::HttpRequestLengthRequired,
            F::HttpResponseHeaderSectionSize,
            F::HttpResponseTransferCoding,
            F::InternalError,
            F::AttemptTimeout,
            F::DeadlineExceeded,
        ];
        for given in all {
            assert_eq!(
                format!("{given:?}"),
                format!("Failure::{:?}", failure(given))
            );
        }
        for timeout in [F::AttemptTimeout, F::DeadlineExceeded] {
            assert_eq!(timeout_to_host(failure(timeout)) as u8, timeout as u8);
        }
    }

    /// `wit/engine.wit` promises so of the first eight.
    #[test]
    fn what_sent_nothing_comes_first() {
        use function_fetch_engine::failure::Sent;
        let nothing = |given| failure(given).sent() == Sent::Nothing;
        assert!(nothing(wit::Failure::DnsError));
        assert!(nothing(wit::Failure::HttpRequestDenied));
        assert!(!nothing(wit::Failure::ConnectionTerminated));
        assert!(!nothing(wit::Failure::DeadlineExceeded));
    }
}
