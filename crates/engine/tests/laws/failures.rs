//! Every failure class, and what it means: the table that the contract is.

use function_fetch_engine::failure::FaultOrigin::{Client, HostPolicy, Local, Upstream};
use function_fetch_engine::failure::RetrySafety::{Always, IfIdempotent, Never};
use function_fetch_engine::{Failure, LocalReply};

#[test]
#[rustfmt::skip] // one row, one line: it is read as a table
fn every_failure_has_its_class_status_and_proxy_status() {
    use Failure as F;
    let table = [
        (F::DnsTimeout, Upstream, Always, 504, "dns_timeout"),
        (F::DnsError, Upstream, Always, 502, "dns_error"),
        (F::DestinationNotFound, Upstream, Always, 502, "destination_not_found"),
        (F::DestinationUnavailable, Upstream, Always, 502, "destination_unavailable"),
        (F::DestinationIpProhibited, HostPolicy, Always, 502, "destination_ip_prohibited"),
        (F::DestinationIpUnroutable, Upstream, Always, 502, "destination_ip_unroutable"),
        (F::ConnectionRefused, Upstream, Always, 502, "connection_refused"),
        (F::ConnectionTerminated, Upstream, IfIdempotent, 502, "connection_terminated"),
        (F::ConnectionTimeout, Upstream, Always, 504, "connection_timeout"),
        (F::ConnectionReadTimeout, Upstream, IfIdempotent, 504, "connection_read_timeout"),
        (F::ConnectionWriteTimeout, Upstream, IfIdempotent, 504, "connection_write_timeout"),
        (F::ConnectionLimitReached, Local, Always, 503, "connection_limit_reached"),
        (F::TlsProtocolError, Upstream, Always, 502, "tls_protocol_error"),
        (F::TlsCertificateError, Upstream, Always, 502, "tls_certificate_error"),
        (F::TlsAlertReceived, Upstream, Always, 502, "tls_alert_received"),
        (F::HttpRequestDenied, HostPolicy, Always, 502, "http_request_denied"),
        (F::HttpRequestLengthRequired, Client, Never, 411, "http_request_error"),
        (F::HttpRequestBodySize, Client, Never, 413, "http_request_error"),
        (F::HttpRequestMethodInvalid, Client, Never, 501, "http_request_error"),
        (F::HttpRequestUriInvalid, Client, Never, 400, "http_request_error"),
        (F::HttpRequestUriTooLong, Client, Never, 414, "http_request_error"),
        (F::HttpRequestHeaderSectionSize, Client, Never, 431, "http_request_error"),
        (F::HttpRequestHeaderSize, Client, Never, 431, "http_request_error"),
        (F::HttpRequestTrailerSectionSize, Client, Never, 431, "http_request_error"),
        (F::HttpRequestTrailerSize, Client, Never, 431, "http_request_error"),
        (F::HttpResponseIncomplete, Upstream, IfIdempotent, 502, "http_response_incomplete"),
        (F::HttpResponseHeaderSectionSize, Upstream, IfIdempotent, 502, "http_response_header_section_size"),
        (F::HttpResponseHeaderSize, Upstream, IfIdempotent, 502, "http_response_header_size"),
        (F::HttpResponseBodySize, Upstream, IfIdempotent, 502, "http_response_body_size"),
        (F::HttpResponseTrailerSectionSize, Upstream, IfIdempotent, 502, "http_response_trailer_section_size"),
        (F::HttpResponseTrailerSize, Upstream, IfIdempotent, 502, "http_response_trailer_size"),
        (F::HttpResponseTransferCoding, Upstream, IfIdempotent, 502, "http_response_transfer_coding"),
        (F::HttpResponseContentCoding, Upstream, IfIdempotent, 502, "http_response_content_coding"),
        (F::HttpResponseTimeout, Upstream, IfIdempotent, 504, "http_response_timeout"),
        (F::HttpUpgradeFailed, Upstream, IfIdempotent, 502, "http_upgrade_failed"),
        (F::HttpProtocolError, Upstream, IfIdempotent, 502, "http_protocol_error"),
        (F::LoopDetected, Local, Never, 508, "proxy_loop_detected"),
        (F::ConfigurationError, Local, IfIdempotent, 502, "proxy_configuration_error"),
        (F::InternalError, Local, IfIdempotent, 502, "proxy_internal_error"),
        (F::HttpRequestIncomplete, Client, Never, 400, "http_request_error"),
        (F::HttpRequestHeaderInvalid, Client, Never, 400, "http_request_error"),
        (F::AttemptTimeout, Upstream, IfIdempotent, 504, "http_response_timeout"),
        (F::DeadlineExceeded, Upstream, IfIdempotent, 504, "http_response_timeout"),
        (F::TargetLost, Local, IfIdempotent, 504, "http_response_timeout"),
    ];
    assert_eq!(table.map(|row| row.0), Failure::ALL);
    for (failure, origin, safety, status, error) in table {
        assert_eq!(failure.fault_origin(), origin, "{failure:?}");
        assert_eq!(failure.retry_safety(), safety, "{failure:?}");
        assert_eq!(failure.status(), status, "{failure:?}");
        assert_eq!(failure.proxy_error(), error, "{failure:?}");
    }
}

#[test]
fn a_reply_says_in_words_what_became_of_the_request() {
    for failure in Failure::ALL {
        let words = match failure.status() {
            400 if failure == Failure::HttpRequestIncomplete => "Bad request: its body broke off",
            411 => "Length required: send the body with a Content-Length",
            431 => "Request header fields too large",
            502 => "Bad gateway: no target could be reached",
            503 => "Service unavailable: out of connections",
            504 => "Gateway timeout: no target answered in time",
            508 => "Loop detected",
            400 | 413 | 414 | 501 => "The request cannot be sent on as it is",
            other => panic!("no words for {other}"),
        };
        let reply = LocalReply::failed(failure);
        assert_eq!(reply.status, failure.status());
        assert_eq!(reply.body, format!("{words}\n"), "{failure:?}");
        let wanted = format!("function-fetch; error={}", failure.proxy_error());
        assert_eq!(reply.field("proxy-status"), Some(wanted.as_str()));
        assert_eq!(reply.field("cache-control"), Some("no-store"));
    }
}
