//! Why an attempt brought no response, and what may be done about it.
//!
//! One variant for each `wasi:http` error code (the list is modelled on the
//! IANA HTTP Proxy Error Types, RFC 9209 §2.3), and five of our own: two for
//! requests that cannot be sent on, two time-outs, and a lost target. A table in
//! the laws pins all of them.

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
    /// The host accepts a field of the request from the client, and does not send
    /// it to any target.
    HttpRequestHeaderInvalid,
    /// No head within `FETCH_ATTEMPT_TIMEOUT_MS`: the engine cancelled the attempt.
    AttemptTimeout,
    /// No head within `FETCH_DEADLINE_MS`: the engine cancelled the attempt.
    DeadlineExceeded,
    /// No head yet, and a probe has found the target dead meanwhile: the engine
    /// cancelled the attempt.
    TargetLost,
}

/// Where the fault lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOrigin {
    /// The target, or the way to it.
    Upstream,
    /// What the client asked for cannot be sent by this host.
    Client,
    /// The host's policy forbids the target: a matter of configuration.
    HostPolicy,
    /// This side: the host ran out of something, or the settings conflict.
    Local,
}

/// Whether the request may be sent to another target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetrySafety {
    /// It failed before anything of the request was sent: whatever the method.
    Always,
    /// It may have been received, and acted upon.
    IfIdempotent,
    /// Another target would fail in the same way.
    Never,
}

/// The facts of a failure: a row of the table below.
struct Facts {
    origin: FaultOrigin,
    retry: RetrySafety,
    status: u16,
    /// The `error` parameter of Proxy-Status (RFC 9209 §2.3).
    error: &'static str,
}

impl Failure {
    /// Where the fault lies.
    #[must_use]
    pub fn fault_origin(self) -> FaultOrigin {
        self.facts().origin
    }

    /// Whether the request may be sent to another target.
    #[must_use]
    pub fn retry_safety(self) -> RetrySafety {
        self.facts().retry
    }

    /// The status of the local reply when no response is left to relay.
    #[must_use]
    pub fn status(self) -> u16 {
        self.facts().status
    }

    /// The `error` parameter of Proxy-Status.
    #[must_use]
    pub fn proxy_error(self) -> &'static str {
        self.facts().error
    }

    /// Whether it is a time-out, of the engine or of the host, after which a
    /// target is ejected at once.
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

    /// Whether the cause may be no more than a kept-alive connection that the
    /// target had closed when the request arrived.
    #[must_use]
    pub fn may_be_closed_connection(self) -> bool {
        matches!(
            self,
            Self::ConnectionTerminated | Self::HttpResponseIncomplete | Self::HttpProtocolError
        )
    }

    fn facts(self) -> Facts {
        use Failure as F;
        use FaultOrigin::{Client, HostPolicy, Local, Upstream};
        use RetrySafety::{Always, IfIdempotent, Never};
        let (origin, retry, status, error) = match self {
            F::DnsTimeout => (Upstream, Always, 504, "dns_timeout"),
            F::DnsError => (Upstream, Always, 502, "dns_error"),
            F::DestinationNotFound => (Upstream, Always, 502, "destination_not_found"),
            F::DestinationUnavailable => (Upstream, Always, 502, "destination_unavailable"),
            F::DestinationIpProhibited => (HostPolicy, Always, 502, "destination_ip_prohibited"),
            F::DestinationIpUnroutable => (Upstream, Always, 502, "destination_ip_unroutable"),
            F::ConnectionRefused => (Upstream, Always, 502, "connection_refused"),
            F::ConnectionTerminated => (Upstream, IfIdempotent, 502, "connection_terminated"),
            F::ConnectionTimeout => (Upstream, Always, 504, "connection_timeout"),
            F::ConnectionReadTimeout => (Upstream, IfIdempotent, 504, "connection_read_timeout"),
            F::ConnectionWriteTimeout => (Upstream, IfIdempotent, 504, "connection_write_timeout"),
            F::ConnectionLimitReached => (Local, Always, 503, "connection_limit_reached"),
            F::TlsProtocolError => (Upstream, Always, 502, "tls_protocol_error"),
            F::TlsCertificateError => (Upstream, Always, 502, "tls_certificate_error"),
            F::TlsAlertReceived => (Upstream, Always, 502, "tls_alert_received"),
            F::HttpRequestDenied => (HostPolicy, Always, 502, "http_request_denied"),
            F::HttpRequestLengthRequired => (Client, Never, 411, "http_request_error"),
            F::HttpRequestBodySize => (Client, Never, 413, "http_request_error"),
            F::HttpRequestMethodInvalid => (Client, Never, 501, "http_request_error"),
            F::HttpRequestUriInvalid => (Client, Never, 400, "http_request_error"),
            F::HttpRequestIncomplete | F::HttpRequestHeaderInvalid => {
                (Client, Never, 400, "http_request_error")
            }
            F::HttpRequestUriTooLong => (Client, Never, 414, "http_request_error"),
            F::HttpRequestHeaderSectionSize
            | F::HttpRequestHeaderSize
            | F::HttpRequestTrailerSectionSize
            | F::HttpRequestTrailerSize => (Client, Never, 431, "http_request_error"),
            F::HttpResponseIncomplete => (Upstream, IfIdempotent, 502, "http_response_incomplete"),
            F::HttpResponseHeaderSectionSize => (
                Upstream,
                IfIdempotent,
                502,
                "http_response_header_section_size",
            ),
            F::HttpResponseHeaderSize => (Upstream, IfIdempotent, 502, "http_response_header_size"),
            F::HttpResponseBodySize => (Upstream, IfIdempotent, 502, "http_response_body_size"),
            F::HttpResponseTrailerSectionSize => (
                Upstream,
                IfIdempotent,
                502,
                "http_response_trailer_section_size",
            ),
            F::HttpResponseTrailerSize => {
                (Upstream, IfIdempotent, 502, "http_response_trailer_size")
            }
            F::HttpResponseTransferCoding => {
                (Upstream, IfIdempotent, 502, "http_response_transfer_coding")
            }
            F::HttpResponseContentCoding => {
                (Upstream, IfIdempotent, 502, "http_response_content_coding")
            }
            F::HttpResponseTimeout | F::AttemptTimeout | F::DeadlineExceeded => {
                (Upstream, IfIdempotent, 504, "http_response_timeout")
            }
            F::HttpUpgradeFailed => (Upstream, IfIdempotent, 502, "http_upgrade_failed"),
            F::HttpProtocolError => (Upstream, IfIdempotent, 502, "http_protocol_error"),
            // The probe that found the target dead is the evidence against it.
            F::TargetLost => (Local, IfIdempotent, 504, "http_response_timeout"),
            F::LoopDetected => (Local, Never, 508, "proxy_loop_detected"),
            F::ConfigurationError => (Local, IfIdempotent, 502, "proxy_configuration_error"),
            F::InternalError => (Local, IfIdempotent, 502, "proxy_internal_error"),
        };
        Facts {
            origin,
            retry,
            status,
            error,
        }
    }

    /// Every failure, in the order of the `wasi:http` list.
    pub const ALL: [Self; 44] = {
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
            F::TargetLost,
        ]
    };
}
