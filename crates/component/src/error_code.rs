//! Why the host got no response.

/// The host's error code as the engine's failure, one to one, whichever
/// version's `ErrorCode` it is: `failure_of!(ErrorCode, code)`.
#[macro_export]
macro_rules! failure_of {
    ($ErrorCode:ident, $code:expr) => {{
        use $crate::Failure;
        match $code {
            $ErrorCode::DnsTimeout => Failure::DnsTimeout,
            $ErrorCode::DnsError(_) => Failure::DnsError,
            $ErrorCode::DestinationNotFound => Failure::DestinationNotFound,
            $ErrorCode::DestinationUnavailable => Failure::DestinationUnavailable,
            $ErrorCode::DestinationIpProhibited => Failure::DestinationIpProhibited,
            $ErrorCode::DestinationIpUnroutable => Failure::DestinationIpUnroutable,
            $ErrorCode::ConnectionRefused => Failure::ConnectionRefused,
            $ErrorCode::ConnectionTerminated => Failure::ConnectionTerminated,
            $ErrorCode::ConnectionTimeout => Failure::ConnectionTimeout,
            $ErrorCode::ConnectionReadTimeout => Failure::ConnectionReadTimeout,
            $ErrorCode::ConnectionWriteTimeout => Failure::ConnectionWriteTimeout,
            $ErrorCode::ConnectionLimitReached => Failure::ConnectionLimitReached,
            $ErrorCode::TlsProtocolError => Failure::TlsProtocolError,
            $ErrorCode::TlsCertificateError => Failure::TlsCertificateError,
            $ErrorCode::TlsAlertReceived(_) => Failure::TlsAlertReceived,
            $ErrorCode::HttpRequestDenied => Failure::HttpRequestDenied,
            $ErrorCode::HttpRequestLengthRequired => Failure::HttpRequestLengthRequired,
            $ErrorCode::HttpRequestBodySize(_) => Failure::HttpRequestBodySize,
            $ErrorCode::HttpRequestMethodInvalid => Failure::HttpRequestMethodInvalid,
            $ErrorCode::HttpRequestUriInvalid => Failure::HttpRequestUriInvalid,
            $ErrorCode::HttpRequestUriTooLong => Failure::HttpRequestUriTooLong,
            $ErrorCode::HttpRequestHeaderSectionSize(_) => Failure::HttpRequestHeaderSectionSize,
            $ErrorCode::HttpRequestHeaderSize(_) => Failure::HttpRequestHeaderSize,
            $ErrorCode::HttpRequestTrailerSectionSize(_) => Failure::HttpRequestTrailerSectionSize,
            $ErrorCode::HttpRequestTrailerSize(_) => Failure::HttpRequestTrailerSize,
            $ErrorCode::HttpResponseIncomplete => Failure::HttpResponseIncomplete,
            $ErrorCode::HttpResponseHeaderSectionSize(_) => Failure::HttpResponseHeaderSectionSize,
            $ErrorCode::HttpResponseHeaderSize(_) => Failure::HttpResponseHeaderSize,
            $ErrorCode::HttpResponseBodySize(_) => Failure::HttpResponseBodySize,
            $ErrorCode::HttpResponseTrailerSectionSize(_) => {
                Failure::HttpResponseTrailerSectionSize
            }
            $ErrorCode::HttpResponseTrailerSize(_) => Failure::HttpResponseTrailerSize,
            $ErrorCode::HttpResponseTransferCoding(_) => Failure::HttpResponseTransferCoding,
            $ErrorCode::HttpResponseContentCoding(_) => Failure::HttpResponseContentCoding,
            $ErrorCode::HttpResponseTimeout => Failure::HttpResponseTimeout,
            $ErrorCode::HttpUpgradeFailed => Failure::HttpUpgradeFailed,
            $ErrorCode::HttpProtocolError => Failure::HttpProtocolError,
            $ErrorCode::LoopDetected => Failure::LoopDetected,
            $ErrorCode::ConfigurationError => Failure::ConfigurationError,
            $ErrorCode::InternalError(_) => Failure::InternalError,
        }
    }};
}
