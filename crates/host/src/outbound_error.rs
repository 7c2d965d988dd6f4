//! Why a request got no response, as `wasi:http` error codes.
//!
//! What matters to a proxy is whether anything was sent. These codes mean that nothing was, so that a request of any
//! method may go to another target: `dns-*`, `destination-*`, `connection-refused`, `connection-timeout`,
//! `connection-limit-reached`, `tls-*`.

use hyper_util::client::legacy;
use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use wasmtime_wasi_http::Error;

/// A name that could not be looked up. Marks resolver errors, which are otherwise plain [`io::Error`]s.
#[derive(Debug, thiserror::Error)]
#[error("cannot look up the host name")]
pub(crate) struct LookupFailed(#[source] pub(crate) io::Error);

/// An error of the client, before a response head.
pub(crate) fn from_client(error: &legacy::Error, tls: bool) -> Error {
    if let Some(body) = find::<Error>(error) {
        return from_request_body(body);
    }
    if was_not_taken_up(error) {
        return Error::ConnectionRefused;
    }
    if error.is_connect() {
        return if find::<LookupFailed>(error).is_some() {
            // The wording of wasmtime and Spin: the operating system's resolver gives no code.
            Error::DnsError {
                rcode: Some("address not available".to_owned()),
                info_code: None,
            }
        } else if let Some(error) = find::<rustls::Error>(error) {
            from_handshake(error)
        } else {
            from_connect(find::<io::Error>(error).map(io_facts), tls)
        };
    }
    match find::<hyper::Error>(error) {
        // The connection was closed before the request was sent.
        Some(hyper) if hyper.is_canceled() || hyper.is_closed() => Error::ConnectionRefused,
        Some(hyper) => from_exchange(hyper),
        None => Error::HttpProtocolError,
    }
}

/// The upstream says that it did not process the request: HTTP/2's REFUSED_STREAM, or a GOAWAY whose last stream is an
/// earlier one (RFC 9113 section 8.7). h2 reports a GOAWAY differently for the streams that it does end.
pub(crate) fn was_not_taken_up(error: &legacy::Error) -> bool {
    find::<h2::Error>(error).is_some_and(|error| {
        error.is_remote()
            && (error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM))
    })
}

/// The upstream closed the connection, and whether it processed the request is not known.
pub(crate) fn is_hang_up(error: &legacy::Error) -> bool {
    find::<Error>(error).is_none()
        && !error.is_connect()
        && find::<hyper::Error>(error)
            .is_some_and(|error| matches!(from_exchange(error), Error::ConnectionTerminated))
}

/// Whether the guest may send the request to another target whatever its method.
pub(crate) fn nothing_was_sent(error: &Error) -> bool {
    matches!(
        error,
        Error::DnsTimeout
            | Error::DnsError { .. }
            | Error::DestinationNotFound
            | Error::DestinationUnavailable
            | Error::DestinationIpProhibited
            | Error::DestinationIpUnroutable
            | Error::ConnectionRefused
            | Error::ConnectionTimeout
            | Error::ConnectionLimitReached
            | Error::TlsProtocolError
            | Error::TlsCertificateError
            | Error::TlsAlertReceived { .. }
    )
}

/// An error in the middle of a response body.
pub(crate) fn from_response_body(error: &hyper::Error) -> Error {
    match from_exchange(error) {
        Error::ConnectionTerminated => Error::HttpResponseIncomplete,
        other => other,
    }
}

/// An error in the middle of a request body that the client is sending.
pub(crate) fn request_body_broken() -> Error {
    Error::InternalError(Some(REQUEST_BODY_BROKEN.to_owned()))
}

/// No `wasi:http` code blames the client, and any other would blame the upstream.
const REQUEST_BODY_BROKEN: &str = "the request body ended early";

pub(crate) fn from_request_body(error: &Error) -> Error {
    match error {
        Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
        _ => Error::InternalError(Some(REQUEST_BODY_BROKEN.to_owned())),
    }
}

fn from_handshake(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        rustls::Error::InvalidCertificate(_)
        | rustls::Error::InvalidCertRevocationList(_)
        | rustls::Error::NoCertificatesPresented => Error::TlsCertificateError,
        _ => Error::TlsProtocolError,
    }
}

/// Linux's `EMFILE` and `ENFILE` (and other Unixes'): out of file descriptors, which [`ErrorKind`] has no name for.
const OUT_OF_DESCRIPTORS: [i32; 2] = [24, 23];

fn io_facts(error: &io::Error) -> (ErrorKind, Option<i32>) {
    (error.kind(), error.raw_os_error())
}

fn from_connect(io: Option<(ErrorKind, Option<i32>)>, tls: bool) -> Error {
    match io {
        Some((_, Some(code))) if OUT_OF_DESCRIPTORS.contains(&code) => {
            Error::ConnectionLimitReached
        }
        Some((ErrorKind::ConnectionRefused, _)) => Error::ConnectionRefused,
        Some((ErrorKind::TimedOut, _)) => Error::ConnectionTimeout,
        Some((ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable, _)) => {
            Error::DestinationIpUnroutable
        }
        // TCP was connected, so the TLS handshake was cut off.
        Some((
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::UnexpectedEof
            | ErrorKind::BrokenPipe,
            _,
        )) => {
            if tls {
                Error::TlsProtocolError
            } else {
                Error::ConnectionRefused
            }
        }
        _ => Error::DestinationUnavailable,
    }
}

/// An error after (some of) the request was sent.
fn from_exchange(error: &hyper::Error) -> Error {
    if error.is_parse_too_large() {
        return Error::HttpResponseHeaderSectionSize(None);
    }
    if error.is_incomplete_message() {
        return Error::ConnectionTerminated;
    }
    if find::<rustls::Error>(error).is_some() {
        // TLS codes mean a handshake, before which nothing is sent.
        return Error::ConnectionTerminated;
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::UnexpectedEof
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected,
        ) => Error::ConnectionTerminated,
        // The kernel gave up on an upstream that vanished: keep-alive probes went unanswered.
        Some(ErrorKind::TimedOut) => Error::ConnectionReadTimeout,
        _ => Error::HttpProtocolError,
    }
}

/// The first error of type `E` among `error` and its causes. Looks into [`io::Error`]s too, which hide what they wrap
/// from [`StdError::source`].
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    if let Some(found) = error.downcast_ref::<E>() {
        return Some(found);
    }
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
        .and_then(|inner| find::<E>(inner));
    wrapped.or_else(|| error.source().and_then(find::<E>))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_failures_by_what_the_operating_system_says() {
        let cases = [
            (ErrorKind::ConnectionRefused, false, "ConnectionRefused"),
            (ErrorKind::TimedOut, false, "ConnectionTimeout"),
            (ErrorKind::HostUnreachable, false, "DestinationIpUnroutable"),
            (
                ErrorKind::NetworkUnreachable,
                true,
                "DestinationIpUnroutable",
            ),
            (ErrorKind::ConnectionReset, false, "ConnectionRefused"),
            (ErrorKind::ConnectionReset, true, "TlsProtocolError"),
            (ErrorKind::UnexpectedEof, true, "TlsProtocolError"),
            (ErrorKind::AddrNotAvailable, false, "DestinationUnavailable"),
        ];
        for (kind, tls, expected) in cases {
            assert_eq!(
                format!("{:?}", from_connect(Some((kind, None)), tls)),
                expected,
                "{kind:?}"
            );
        }
        let exhausted = from_connect(Some(io_facts(&io::Error::from_raw_os_error(24))), false);
        assert!(matches!(exhausted, Error::ConnectionLimitReached));
    }

    #[test]
    fn tls_failures_distinguish_certificate_alert_and_protocol() {
        use rustls::{AlertDescription, CertificateError};
        let certificate = rustls::Error::InvalidCertificate(CertificateError::Expired);
        assert!(matches!(
            from_handshake(&certificate),
            Error::TlsCertificateError
        ));
        let alert = rustls::Error::AlertReceived(AlertDescription::HandshakeFailure);
        assert!(matches!(
            from_handshake(&alert),
            Error::TlsAlertReceived {
                alert_id: Some(40),
                ..
            }
        ));
        let protocol = rustls::Error::General("x".to_owned());
        assert!(matches!(from_handshake(&protocol), Error::TlsProtocolError));
    }

    #[test]
    fn causes_inside_io_errors_are_found() {
        let inner = rustls::Error::NoCertificatesPresented;
        let outer = io::Error::other(io::Error::new(ErrorKind::InvalidData, inner));
        assert!(find::<rustls::Error>(&outer).is_some());
        assert!(find::<LookupFailed>(&outer).is_none());
    }
}
