//! Why an attempt brought no response, and what may be done about it.
//!
//! One variant for each `wasi:http` error code (the list is modelled on the
//! IANA HTTP Proxy Error Types, RFC 9209 §2.3), and those that are the driver's
//! own: two of requests that cannot go on, and two time-outs. The table in the
//! tests pins all of them.

/// An attempt without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(
    missing_docs,
    reason = "the names are those of wasi:http's error-code, which documents them"
)]
pub enum Failure {
    DnsTimeout,
    DnsError,
    DestinationNotFound,
    DestinationUnavailable,
    DestinationIpProhibited,
    DestinationIpUnroutable,
    ConnectionRefused,
    ConnectionTerminated,
    ConnectionTimeout,
    ConnectionReadTimeout,
    ConnectionWriteTimeout,
    ConnectionLimitReached,
    TlsProtocolError,
    TlsCertificateError,
    TlsAlertReceived,
    HttpRequestDenied,
    HttpRequestLengthRequired,
    HttpRequestBodySize,
    HttpRequestMethodInvalid,
    HttpRequestUriInvalid,
    HttpRequestUriTooLong,
    HttpRequestHeaderSectionSize,
    HttpRequestHeaderSize,
    HttpRequestTrailerSectionSize,
    HttpRequestTrailerSize,
    HttpResponseIncomplete,
    HttpResponseHeaderSectionSize,
    HttpResponseHeaderSize,
    HttpResponseBodySize,
    HttpResponseTrailerSectionSize,
    HttpResponseTrailerSize,
    HttpResponseTransferCoding,
    HttpResponseContentCoding,
    HttpResponseTimeout,
    HttpUpgradeFailed,
    HttpProtocolError,
    LoopDetected,
    ConfigurationError,
    InternalError,
    /// The client broke the request's body off.
    HttpRequestIncomplete,
    /// The host takes a field of the request from the client, and sends it to
    /// nobody.
    HttpRequestHeaderInvalid,
    /// No head within `FETCH_ATTEMPT_TIMEOUT_MS`, by the driver's own timer.
    AttemptTimeout,
    /// No head within `FETCH_DEADLINE_MS`, by the driver's own timer.
    DeadlineExceeded,
}

/// Whose doing a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The target, or the way to it.
    Upstream,
    /// What the client asked for cannot be sent by this host.
    Client,
    /// The host's policy forbids the target: a matter of configuration.
    HostPolicy,
    /// This side: the host ran out of something, or the settings are at odds.
    Local,
}

/// Whether the request can have reached the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It failed before anything of the request was sent: the next target may
    /// have it, whatever the method.
    Nothing,
    /// It may have been received, and acted upon.
    Perhaps,
    /// Another target would fail alike.
    Pointless,
}

/// The facts of a failure: a row of the table below.
struct Facts {
    source: Source,
    sent: Sent,
    status: u16,
    /// The `error` parameter of Proxy-Status (RFC 9209 §2.3).
    error: &'static str,
}

impl Failure {
    /// Whose doing it is.
    #[must_use]
    pub fn source(self) -> Source {
        self.facts().source
    }

    /// Whether the request can have reached the target.
    #[must_use]
    pub fn sent(self) -> Sent {
        self.facts().sent
    }

    /// The status that the client gets when nothing better is left.
    #[must_use]
    pub fn status(self) -> u16 {
        self.facts().status
    }

    /// The `error` parameter of Proxy-Status.
    #[must_use]
    pub fn proxy_error(self) -> &'static str {
        self.facts().error
    }

    /// Whether it is one of the driver's or the host's time-outs, after which
    /// a target is put aside at once.
    #[must_use]
    pub fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::DnsTimeout
                | Self::ConnectionTimeout
                | Self::ConnectionReadTimeout
                | Self::ConnectionWriteTimeout
                | Self::HttpResponseTimeout
                | Self::AttemptTimeout
                | Self::DeadlineExceeded
        )
    }

    /// Whether it may be no more than a kept connection that the target had
    /// closed when the request arrived.
    #[must_use]
    pub fn may_be_closed_connection(self) -> bool {
        matches!(
            self,
            Self::ConnectionTerminated | Self::HttpResponseIncomplete | Self::HttpProtocolError
        )
    }

    fn facts(self) -> Facts {
        use Failure as F;
        use Sent::{Nothing, Perhaps, Pointless};
        use Source::{Client, HostPolicy, Local, Upstream};
        let (source, sent, status, error) = match self {
            F::DnsTimeout => (Upstream, Nothing, 504, "dns_timeout"),
            F::DnsError => (Upstream, Nothing, 502, "dns_error"),
            F::DestinationNotFound => (Upstream, Nothing, 502, "destination_not_found"),
            F::DestinationUnavailable => (Upstream, Nothing, 502, "destination_unavailable"),
            F::DestinationIpProhibited => (HostPolicy, Nothing, 502, "destination_ip_prohibited"),
            F::DestinationIpUnroutable => (Upstream, Nothing, 502, "destination_ip_unroutable"),
            F::ConnectionRefused => (Upstream, Nothing, 502, "connection_refused"),
            F::ConnectionTerminated => (Upstream, Perhaps, 502, "connection_terminated"),
            F::ConnectionTimeout => (Upstream, Nothing, 504, "connection_timeout"),
            F::ConnectionReadTimeout => (Upstream, Perhaps, 504, "connection_read_timeout"),
            F::ConnectionWriteTimeout => (Upstream, Perhaps, 504, "connection_write_timeout"),
            F::ConnectionLimitReached => (Local, Nothing, 503, "connection_limit_reached"),
            F::TlsProtocolError => (Upstream, Nothing, 502, "tls_protocol_error"),
            F::TlsCertificateError => (Upstream, Nothing, 502, "tls_certificate_error"),
            F::TlsAlertReceived => (Upstream, Nothing, 502, "tls_alert_received"),
            F::HttpRequestDenied => (HostPolicy, Nothing, 502, "http_request_denied"),
            F::HttpRequestLengthRequired => (Client, Pointless, 411, "http_request_error"),
            F::HttpRequestBodySize => (Client, Pointless, 413, "http_request_error"),
            F::HttpRequestMethodInvalid => (Client, Pointless, 501, "http_request_error"),
            F::HttpRequestUriInvalid => (Client, Pointless, 400, "http_request_error"),
            F::HttpRequestIncomplete | F::HttpRequestHeaderInvalid => {
                (Client, Pointless, 400, "http_request_error")
            }
            F::HttpRequestUriTooLong => (Client, Pointless, 414, "http_request_error"),
            F::HttpRequestHeaderSectionSize
            | F::HttpRequestHeaderSize
            | F::HttpRequestTrailerSectionSize
            | F::HttpRequestTrailerSize => (Client, Pointless, 431, "http_request_error"),
            F::HttpResponseIncomplete => (Upstream, Perhaps, 502, "http_response_incomplete"),
            F::HttpResponseHeaderSectionSize => {
                (Upstream, Perhaps, 502, "http_response_header_section_size")
            }
            F::HttpResponseHeaderSize => (Upstream, Perhaps, 502, "http_response_header_size"),
            F::HttpResponseBodySize => (Upstream, Perhaps, 502, "http_response_body_size"),
            F::HttpResponseTrailerSectionSize => {
                (Upstream, Perhaps, 502, "http_response_trailer_section_size")
            }
            F::HttpResponseTrailerSize => (Upstream, Perhaps, 502, "http_response_trailer_size"),
            F::HttpResponseTransferCoding => {
                (Upstream, Perhaps, 502, "http_response_transfer_coding")
            }
            F::HttpResponseContentCoding => {
                (Upstream, Perhaps, 502, "http_response_content_coding")
            }
            F::HttpResponseTimeout | F::AttemptTimeout | F::DeadlineExceeded => {
                (Upstream, Perhaps, 504, "http_response_timeout")
            }
            F::HttpUpgradeFailed => (Upstream, Perhaps, 502, "http_upgrade_failed"),
            F::HttpProtocolError => (Upstream, Perhaps, 502, "http_protocol_error"),
            F::LoopDetected => (Local, Pointless, 508, "proxy_loop_detected"),
            F::ConfigurationError => (Local, Perhaps, 502, "proxy_configuration_error"),
            F::InternalError => (Local, Perhaps, 502, "proxy_internal_error"),
        };
        Facts {
            source,
            sent,
            status,
            error,
        }
    }

    /// Every failure, in the order of the `wasi:http` list.
    pub const ALL: [Self; 43] = {
        use Failure as F;
        [
            F::DnsTimeout,
            F::DnsError,
            F::DestinationNotFound,
            F::DestinationUnavailable,
            F::DestinationIpProhibited,
            F::DestinationIpUnroutable,
            F::ConnectionRefused,
            F::ConnectionTerminated,
            F::ConnectionTimeout,
            F::ConnectionReadTimeout,
            F::ConnectionWriteTimeout,
            F::ConnectionLimitReached,
            F::TlsProtocolError,
            F::TlsCertificateError,
            F::TlsAlertReceived,
            F::HttpRequestDenied,
            F::HttpRequestLengthRequired,
            F::HttpRequestBodySize,
            F::HttpRequestMethodInvalid,
            F::HttpRequestUriInvalid,
            F::HttpRequestUriTooLong,
            F::HttpRequestHeaderSectionSize,
            F::HttpRequestHeaderSize,
            F::HttpRequestTrailerSectionSize,
            F::HttpRequestTrailerSize,
            F::HttpResponseIncomplete,
            F::HttpResponseHeaderSectionSize,
            F::HttpResponseHeaderSize,
            F::HttpResponseBodySize,
            F::HttpResponseTrailerSectionSize,
            F::HttpResponseTrailerSize,
            F::HttpResponseTransferCoding,
            F::HttpResponseContentCoding,
            F::HttpResponseTimeout,
            F::HttpUpgradeFailed,
            F::HttpProtocolError,
            F::LoopDetected,
            F::ConfigurationError,
            F::InternalError,
            F::HttpRequestIncomplete,
            F::HttpRequestHeaderInvalid,
            F::AttemptTimeout,
            F::DeadlineExceeded,
        ]
    };
}
