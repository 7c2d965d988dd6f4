//! Local replies of the host, before any component: a status, and a line with the reason.

use crate::client_limits::ClientLimits;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::WasiBody;

/// After how many seconds a client that found the server full may retry.
const RETRY_AFTER_SECONDS: &str = "1";

/// The reply to a client when there are too many connections.
pub(crate) const TOO_MANY_CONNECTIONS: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
connection: close\r\n\
content-length: 21\r\n\
content-type: text/plain; charset=utf-8\r\n\
retry-after: 1\r\n\
\r\n\
too many connections\n";

/// Why a request does not reach the guest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
}

impl Refusal {
    pub(crate) const fn new(status: StatusCode, reason: &'static str) -> Self {
        Self { status, reason }
    }

    pub(crate) const fn bad_request(reason: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    pub(crate) fn response(&self) -> Response<WasiBody> {
        text(self.status, self.reason)
    }
}

pub(crate) fn text(status: StatusCode, line: &str) -> Response<WasiBody> {
    let body = Full::new(Bytes::from(format!("{line}\n")))
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

/// No instance had capacity for the request in time.
pub(crate) fn busy() -> Response<WasiBody> {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once");
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    response
}

/// hyper answers a head that it cannot read with a bare status. The client gets the same status, with the reason.
pub(crate) fn in_place_of(answer: &[u8], limits: &ClientLimits) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(answer).ok()?;
    let (line, fields) = text.split_once("\r\n")?;
    if !fields.contains("content-length: 0\r\n") || !fields.ends_with("\r\n\r\n") {
        return None;
    }
    let status = line.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let reason = match status {
        "400" => "malformed request head: quotes, angle brackets and the like must be percent-encoded in a \
                  request target, and fields must keep to RFC 9112"
            .to_owned(),
        "414" => "the request target is too long".to_owned(),
        "431" => format!(
            "the request head has more than {} bytes or more than {} fields",
            limits.max_header_bytes, limits.max_header_fields
        ),
        _ => return None,
    };
    let length = reason.len() + 1;
    Some(
        format!(
            "{line}\r\nconnection: close\r\ncontent-length: {length}\r\n\
             content-type: text/plain; charset=utf-8\r\n\r\n{reason}\n"
        )
        .into_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hypers_responses_get_a_reason() {
        let limits = ClientLimits::default();
        let answer = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let replaced = String::from_utf8(in_place_of(answer.as_bytes(), &limits).unwrap()).unwrap();
        assert!(replaced.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
        assert!(replaced.ends_with("more than 65536 bytes or more than 500 fields\n"));
        for other in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "",
        ] {
            assert_eq!(in_place_of(other.as_bytes(), &limits), None, "{other}");
        }
    }

    #[test]
    fn the_reply_to_a_refused_connection_is_whole() {
        let text = std::str::from_utf8(TOO_MANY_CONNECTIONS).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())));
        assert!(head.contains(&format!("retry-after: {RETRY_AFTER_SECONDS}")));
    }
}
