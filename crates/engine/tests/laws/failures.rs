//! Every failure class, and what it means: the table that the contract is.

use function_fetch_engine::Failure;
use function_fetch_engine::failure::Sent::{Nothing, Perhaps, Pointless};
use function_fetch_engine::failure::Source::{Client, HostPolicy, Local, Upstream};

#[test]
#[rustfmt::skip] // one row, one line: it is read as a table
fn every_failure_has_its_class_status_and_proxy_status() {
    use Failure as F;
    let table = [
        (F::DnsTimeout, Upstream, Nothing, 504, "dns_timeout"),
        (F::DnsError, Upstream, Nothing, 502, "dns_error"),
        (F::DestinationNotFound, Upstream, Nothing, 502, "destination_not_found"),
        (F::DestinationUnavailable, Upstream, Nothing, 502, "destination_unavailable"),
        (F::DestinationIpProhibited, HostPolicy, Nothing, 502, "destination_ip_prohibited"),
        (F::DestinationIpUnroutable, Upstream, Nothing, 502, "destination_ip_unroutable"),
        (F::ConnectionRefused, Upstream, Nothing, 502, "connection_refused"),
        (F::ConnectionTerminated, Upstream, Perhaps, 502, "connection_terminated"),
        (F::ConnectionTimeout, Upstream, Nothing, 504, "connection_timeout"),
        (F::ConnectionReadTimeout, Upstream, Perhaps, 504, "connection_read_timeout"),
        (F::ConnectionWriteTimeout, Upstream, Perhaps, 504, "connection_write_timeout"),
        (F::ConnectionLimitReached, Local, Nothing, 503, "connection_limit_reached"),
        (F::TlsProtocolError, Upstream, Nothing, 502, "tls_protocol_error"),
        (F::TlsCertificateError, Upstream, Nothing, 502, "tls_certificate_error"),
        (F::TlsAlertReceived, Upstream, Nothing, 502, "tls_alert_received"),
        (F::HttpRequestDenied, HostPolicy, Nothing, 502, "http_request_denied"),
        (F::HttpRequestLengthRequired, Client, Pointless, 411, "http_request_error"),
        (F::HttpRequestBodySize, Client, Pointless, 413, "http_request_error"),
        (F::HttpRequestMethodInvalid, Client, Pointless, 501, "http_request_error"),
        (F::HttpRequestUriInvalid, Client, Pointless, 400, "http_request_error"),
        (F::HttpRequestUriTooLong, Client, Pointless, 414, "http_request_error"),
        (F::HttpRequestHeaderSectionSize, Client, Pointless, 431, "http_request_error"),
        (F::HttpRequestHeaderSize, Client, Pointless, 431, "http_request_error"),
        (F::HttpRequestTrailerSectionSize, Client, Pointless, 431, "http_request_error"),
        (F::HttpRequestTrailerSize, Client, Pointless, 431, "http_request_error"),
        (F::HttpResponseIncomplete, Upstream, Perhaps, 502, "http_response_incomplete"),
        (F::HttpResponseHeaderSectionSize, Upstream, Perhaps, 502, "http_response_header_section_size"),
        (F::HttpResponseHeaderSize, Upstream, Perhaps, 502, "http_response_header_size"),
        (F::HttpResponseBodySize, Upstream, Perhaps, 502, "http_response_body_size"),
        (F::HttpResponseTrailerSectionSize, Upstream, Perhaps, 502, "http_response_trailer_section_size"),
        (F::HttpResponseTrailerSize, Upstream, Perhaps, 502, "http_response_trailer_size"),
        (F::HttpResponseTransferCoding, Upstream, Perhaps, 502, "http_response_transfer_coding"),
        (F::HttpResponseContentCoding, Upstream, Perhaps, 502, "http_response_content_coding"),
        (F::HttpResponseTimeout, Upstream, Perhaps, 504, "http_response_timeout"),
        (F::HttpUpgradeFailed, Upstream, Perhaps, 502, "http_upgrade_failed"),
        (F::HttpProtocolError, Upstream, Perhaps, 502, "http_protocol_error"),
        (F::LoopDetected, Local, Pointless, 508, "proxy_loop_detected"),
        (F::ConfigurationError, Local, Perhaps, 502, "proxy_configuration_error"),
        (F::InternalError, Local, Perhaps, 502, "proxy_internal_error"),
        (F::HttpRequestIncomplete, Client, Pointless, 400, "http_request_error"),
        (F::HttpRequestHeaderInvalid, Client, Pointless, 400, "http_request_error"),
        (F::AttemptTimeout, Upstream, Perhaps, 504, "http_response_timeout"),
        (F::DeadlineExceeded, Upstream, Perhaps, 504, "http_response_timeout"),
    ];
    assert_eq!(table.map(|row| row.0), Failure::ALL);
    for (failure, source, sent, status, error) in table {
        assert_eq!(failure.source(), source, "{failure:?}");
        assert_eq!(failure.sent(), sent, "{failure:?}");
        assert_eq!(failure.status(), status, "{failure:?}");
        assert_eq!(failure.proxy_error(), error, "{failure:?}");
    }
}
