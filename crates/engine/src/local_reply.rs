//! Local replies, the responses that the proxy makes itself: short text, no
//! address, no exception text.

use crate::failure::Failure;
use crate::headers::proxy_status;
use crate::settings::TargetsError;

/// A response that the proxy makes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// The HTTP status.
    pub status: u16,
    /// Its header fields, except those that frame the body; names in lower case.
    pub fields: Vec<(&'static str, String)>,
    /// The body: where it says why something failed, lines of text.
    pub body: String,
}

impl LocalReply {
    fn new(status: u16, error: &str, body: &str) -> Self {
        Self {
            status,
            fields: vec![
                ("content-type", "text/plain; charset=utf-8".to_owned()),
                ("cache-control", "no-store".to_owned()),
                ("proxy-status", proxy_status(error)),
            ],
            body: format!("{body}\n"),
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(known, _)| *known == name)?;
        Some(value)
    }

    /// No target gave a response; `failure` was the last one's.
    #[must_use]
    pub fn failed(failure: Failure) -> Self {
        let status = failure.status();
        let text = match status {
            400 if failure == Failure::HttpRequestIncomplete => "Bad request: its body broke off",
            411 => "Length required: send the body with a Content-Length",
            431 => "Request header fields too large",
            504 => "Gateway timeout: no target answered in time",
            503 => "Service unavailable: out of connections",
            502 => "Bad gateway: no target could be reached",
            508 => "Loop detected",
            _ => "The request cannot be sent on as it is",
        };
        Self::new(status, failure.proxy_error(), text)
    }

    /// The request has passed too many Function Fetches.
    #[must_use]
    pub fn looped() -> Self {
        Self::failed(Failure::LoopDetected)
    }

    /// A method that a reverse proxy cannot serve.
    #[must_use]
    pub fn no_tunnel() -> Self {
        Self::new(
            501,
            "http_request_error",
            "CONNECT is not supported: this is a reverse proxy",
        )
    }

    /// The request target is neither a path nor the `*` of OPTIONS.
    #[must_use]
    pub fn no_path() -> Self {
        Self::new(
            400,
            "http_request_error",
            "Bad request: the request target is not a path",
        )
    }

    /// The request target has a fragment.
    #[must_use]
    pub fn fragment() -> Self {
        Self::new(
            400,
            "http_request_error",
            "Bad request: the request target has a fragment; write # as %23",
        )
    }

    /// The path leads out of the targets' base path.
    #[must_use]
    pub fn outside() -> Self {
        Self::new(
            400,
            "http_request_error",
            "Bad request: the path climbs above its root",
        )
    }

    /// `FETCH_TARGETS` names no usable target.
    #[must_use]
    pub fn unconfigured(error: &TargetsError) -> Self {
        Self::new(500, "proxy_configuration_error", &error.message())
    }
}
