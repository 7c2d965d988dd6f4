//! From a client's request to what the guest sees, and from the guest's response to what the client gets.

use crate::activity::Exchange;
use crate::client_limits::ClientLimits;
use crate::error::one_line;
use crate::hop_by_hop::remove_named_by_connection;
use crate::instances::{Busy, Instances};
use crate::refusal::{self, Refusal, text};
use crate::request_body::RequestBody;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, TRANSFER_ENCODING};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, uri};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tracing::{debug, error};
use wasmtime_wasi_http::handler::TrapOrPanicError;
use wasmtime_wasi_http::{WasiBody, p2, p3};

/// The client's address and port, as the last header of this name: an earlier one is the client's own.
const SPIN_CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
/// The URL as the client sees it, as the last header of this name.
const SPIN_FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");

const FAILED: &str = "the component failed";

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    local: SocketAddr,
    peer: SocketAddr,
}

impl Ends {
    /// An IPv4 client's address in plain form, though an IPv6 listener sees `::ffff:192.0.2.7`.
    pub(crate) fn new(local: SocketAddr, peer: SocketAddr) -> Self {
        let canonical = |end: SocketAddr| SocketAddr::new(end.ip().to_canonical(), end.port());
        Self {
            local: canonical(local),
            peer: canonical(peer),
        }
    }
}

/// Serves one request. Every failure is a response, whose text tells the client only about its own mistakes.
pub(crate) async fn respond(
    instances: &Instances,
    limits: &ClientLimits,
    mut request: Request<Incoming>,
    ends: Ends,
    exchange: Exchange,
) -> Response<WasiBody> {
    if request.method() == Method::CONNECT {
        tokio::spawn(end_tunnel(hyper::upgrade::on(&mut request)));
    }
    let bodiless_request = request.method() == Method::HEAD;
    let version = request.version();
    let has_body = !request.body().is_end_stream();
    let (mut head, body) = request.into_parts();
    let has_fragment = exchange.activity().has_fragment();
    let closes = has_two_lengths(&head.headers) || has_fragment;
    let prepared = if has_fragment {
        Err(Refusal::bad_request(
            "the request target has a fragment; write # as %23",
        ))
    } else {
        prepare(&mut head, limits, ends)
    };
    let mut response = if let Err(refusal) = prepared {
        debug!(peer = %ends.peer, status = %refusal.status, reason = refusal.reason, "request refused");
        exchange.activity().set_unread(has_body);
        refusal.response()
    } else {
        let body = if has_body {
            RequestBody::new(body, exchange.clone(), limits.body_timeout).boxed_unsync()
        } else {
            Empty::new().map_err(|never| match never {}).boxed_unsync()
        };
        match instances.handle(Request::from_parts(head, body)).await {
            Ok(response) => finish(response, version, bodiless_request),
            Err(failure) => explain(&failure),
        }
    };
    // Some of the request may stay unread, and then hyper closes the connection. HTTP/2 ends the stream alone.
    if version < Version::HTTP_2 && (closes || exchange.activity().is_unread()) {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// hyper treats a CONNECT as a tunnel, whatever the response was: it does not close the connection, but hands it over.
/// After a shutdown of the writing side, what the client still sends is read, so that the response is not lost.
async fn end_tunnel(tunnel: OnUpgrade) {
    if let Ok(connection) = tunnel.await {
        // It fails only if the client has disconnected.
        let _ = TokioIo::new(connection).shutdown().await;
    }
}

/// The response to the client when the guest gave none.
fn explain(failure: &wasmtime::Error) -> Response<WasiBody> {
    if failure.is::<Busy>() {
        debug!("no instance had capacity for a request");
        return refusal::busy();
    }
    if failure.is::<TrapOrPanicError>() {
        // The instance's end has been logged, with its cause.
        return text(StatusCode::INTERNAL_SERVER_ERROR, FAILED);
    }
    error!(
        reason = one_line(&format!("{failure:#}")),
        "no response from the component"
    );
    let chosen = failure.is::<p3::bindings::http::types::ErrorCode>()
        || failure.is::<p2::bindings::http::types::ErrorCode>();
    if chosen {
        text(StatusCode::BAD_GATEWAY, "the component returned an error")
    } else {
        text(StatusCode::INTERNAL_SERVER_ERROR, FAILED)
    }
}

/// Whether the end of the request is stated in two ways, which may be an attempt at request smuggling: the connection
/// must not be used again (RFC 9112 section 6.1).
fn has_two_lengths(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH)
}

/// Gives the request the form that guests expect: scheme and authority in the URI, Spin's headers.
fn prepare(
    head: &mut http::request::Parts,
    limits: &ClientLimits,
    ends: Ends,
) -> Result<(), Refusal> {
    if head.method == Method::CONNECT {
        return Err(Refusal::new(
            StatusCode::NOT_IMPLEMENTED,
            "CONNECT is not supported",
        ));
    }
    // For HTTP/1.1 hyper counts them.
    if head.headers.len() > limits.max_header_fields {
        return Err(Refusal::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "the request has too many fields",
        ));
    }
    prepare_framing(&mut head.headers)?;
    let target = head.uri.clone().into_parts();
    if target.authority.is_some() && target.scheme.is_none() {
        // What parses as the target of a CONNECT: `GET x`.
        return Err(Refusal::bad_request("malformed request target"));
    }
    let authority = match target.authority {
        Some(authority) => authority,
        None => host(&head.headers, head.version, ends.local)?,
    };
    if authority.as_str().contains('@') {
        return Err(Refusal::bad_request(
            "user information in the request's authority",
        ));
    }
    let path = target
        .path_and_query
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    // The scheme that the client states is not the one that it came by.
    let scheme = Scheme::HTTP;
    // `OPTIONS *` is about the server, not a path.
    let shown = match path.as_str() {
        "*" => "",
        path => path,
    };
    let full_url =
        HeaderValue::from_maybe_shared(Bytes::from(format!("{scheme}://{authority}{shown}")))
            .map_err(|_| Refusal::bad_request("malformed request target"))?;

    let mut parts = uri::Parts::default();
    parts.scheme = Some(scheme);
    parts.authority = Some(authority);
    parts.path_and_query = Some(path);
    head.uri =
        Uri::from_parts(parts).map_err(|_| Refusal::bad_request("malformed request target"))?;

    remove_named_by_connection(&mut head.headers);
    remove_spin_headers(&mut head.headers);
    head.headers.append(SPIN_FULL_URL, full_url);
    let peer = HeaderValue::from_maybe_shared(Bytes::from(ends.peer.to_string()))
        .map_err(|_| Refusal::bad_request("malformed client address"))?;
    head.headers.append(SPIN_CLIENT_ADDR, peer);
    Ok(())
}

/// Accepts only the one transfer coding that this host decodes, and removes what it has handled.
fn prepare_framing(headers: &mut HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    match (codings.next(), codings.next()) {
        (None, _) => {}
        (Some(coding), None) if chunked(coding) => {
            headers.remove(CONTENT_LENGTH);
        }
        _ => {
            return Err(Refusal::new(
                StatusCode::NOT_IMPLEMENTED,
                "the only transfer coding supported is chunked",
            ));
        }
    }
    // hyper answers it when the body is read.
    if headers
        .get(EXPECT)
        .is_some_and(|expected| expected.as_bytes().eq_ignore_ascii_case(b"100-continue"))
    {
        headers.remove(EXPECT);
    }
    Ok(())
}

/// The authority of a request that has none in its target (RFC 9112 section 3.2): exactly one `Host`, except with
/// HTTP/1.0.
fn host(headers: &HeaderMap, version: Version, local: SocketAddr) -> Result<Authority, Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => return Err(Refusal::bad_request("more than one Host")),
        (None, _) if version == Version::HTTP_11 => return Err(Refusal::bad_request("no Host")),
        (host, None) => host.map_or(&b""[..], HeaderValue::as_bytes),
        (None, Some(_)) => unreachable!("an iterator that ended has no next"),
    };
    let named = if host.is_empty() {
        Authority::try_from(local.to_string().as_str())
    } else {
        Authority::try_from(host)
    };
    let named = named.map_err(|_| Refusal::bad_request("malformed Host"))?;
    if has_invalid_port(&named) {
        return Err(Refusal::bad_request("malformed Host"));
    }
    Ok(named)
}

/// Whether something else than a port is behind the last colon (RFC 3986 section 3.2.3). An empty port is one.
fn has_invalid_port(authority: &Authority) -> bool {
    let host_and_port = authority.as_str();
    let end_of_host = host_and_port.find(']').unwrap_or(0);
    let port = host_and_port[end_of_host..].rsplit_once(':');
    port.is_some_and(|(_, port)| !port.is_empty() && port.parse::<u16>().is_err())
}

/// Removes a client's version of the headers that only the host may set, unless the host's own is added after it, as on
/// Spin.
fn remove_spin_headers(headers: &mut HeaderMap) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            name.as_str().starts_with("spin-")
                && **name != SPIN_CLIENT_ADDR
                && **name != SPIN_FULL_URL
        })
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
}

/// With HTTP/2, an announced body is waited for even where the response may have none, and its absence resets the
/// stream. With HTTP/1.1 the announcement (`content-length` on HEAD and 304) is kept as a header, and the body is not
/// polled.
fn finish(
    response: Response<WasiBody>,
    version: Version,
    bodiless_request: bool,
) -> Response<WasiBody> {
    let bodiless = bodiless_request
        || matches!(
            response.status(),
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
    if bodiless && version == Version::HTTP_2 {
        response.map(|_| Empty::new().map_err(|never| match never {}).boxed_unsync())
    } else {
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: Ends = Ends {
        local: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3000),
        peer: SocketAddr::new(
            std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)),
            9,
        ),
    };

    fn prepared(request: http::request::Builder) -> Result<http::request::Parts, Refusal> {
        let mut head = request.body(()).unwrap().into_parts().0;
        prepare(&mut head, &ClientLimits::default(), ENDS).map(|()| head)
    }

    fn last<'a>(head: &'a http::request::Parts, name: &str) -> &'a [u8] {
        head.headers
            .get_all(name)
            .iter()
            .next_back()
            .unwrap()
            .as_bytes()
    }

    #[test]
    fn authority_comes_from_the_target_else_from_host() {
        let cases = [
            ("/a?b", "example.org:81", "http://example.org:81/a?b"),
            ("//double/x", "example.org", "http://example.org//double/x"),
            (
                "/a/..%2f..//b",
                "example.org",
                "http://example.org/a/..%2f..//b",
            ),
            ("http://evil/x", "example.org", "http://evil/x"),
            ("/", "[::1]:80", "http://[::1]:80/"),
            ("/", "[::1]", "http://[::1]/"),
            ("/", "a:", "http://a:/"),
        ];
        for (target, host, url) in cases {
            let head = prepared(Request::get(target).header("host", host)).unwrap();
            assert_eq!(last(&head, "spin-full-url"), url.as_bytes());
            assert_eq!(head.uri.to_string(), url);
        }
        let head = prepared(Request::options("*").header("host", "a")).unwrap();
        assert_eq!(head.uri.path_and_query().unwrap().as_str(), "*");
        let head = prepared(Request::get("/").version(Version::HTTP_10)).unwrap();
        assert_eq!(head.uri.authority().unwrap(), "127.0.0.1:3000");
    }

    #[test]
    fn scheme_and_client_come_from_the_listener() {
        for target in ["https://a/x", "javascript://a/x", "http://a/x"] {
            let head = prepared(Request::get(target).header("host", "a")).unwrap();
            assert_eq!(last(&head, "spin-full-url"), b"http://a/x");
            assert_eq!(head.uri.scheme(), Some(&Scheme::HTTP));
        }
        let head = prepared(Request::options("*").header("host", "a")).unwrap();
        assert_eq!(last(&head, "spin-full-url"), b"http://a");
        let end = |address: &str| address.parse().unwrap();
        let mapped = Ends::new(end("[::ffff:192.0.2.1]:80"), end("[::ffff:192.0.2.7]:9"));
        assert_eq!(mapped.peer, end("192.0.2.7:9"));
        assert_eq!(mapped.local, end("192.0.2.1:80"));
        let other = Ends::new(end("[::1]:80"), end("[2001:db8::1]:9"));
        assert_eq!(other.peer, end("[2001:db8::1]:9"));
    }

    #[test]
    fn ambiguous_or_malformed_authorities_are_refused() {
        let requests = [
            Request::get("/"),
            Request::get("/").header("host", "a").header("host", "b"),
            Request::get("/").header("host", "a b"),
            Request::get("/").header("host", "user@a"),
            Request::get("/").header("host", "a:port"),
            Request::get("/").header("host", "a:65536"),
            Request::get("/").header("host", "[::1]:b"),
            Request::get("http://user@a/").header("host", "a"),
            Request::get("relative").header("host", "a"),
        ];
        for request in requests {
            assert_eq!(
                prepared(request).unwrap_err().status,
                StatusCode::BAD_REQUEST
            );
        }
        let connect = prepared(Request::connect("a:443").header("host", "a"));
        assert_eq!(connect.unwrap_err().status, StatusCode::NOT_IMPLEMENTED);
    }

    #[test]
    fn forged_spin_headers_never_come_last() {
        let request = Request::get("/")
            .header("host", "a")
            .header("spin-client-addr", "6.6.6.6:1")
            .header("spin-full-url", "http://evil/")
            .header("spin-path-info", "/evil")
            .header("x-kept", "1");
        let head = prepared(request).unwrap();
        assert_eq!(last(&head, "spin-client-addr"), b"192.0.2.7:9");
        assert_eq!(last(&head, "spin-full-url"), b"http://a/");
        assert_eq!(head.headers.get_all("spin-client-addr").iter().count(), 2);
        assert!(!head.headers.contains_key("spin-path-info"));
        assert!(head.headers.contains_key("x-kept"));
    }
}
