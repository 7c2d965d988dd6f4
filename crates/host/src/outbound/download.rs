//! The upstream's response: which heads are accepted, and how long its body may pause.

use super::connection::Exchange;
use crate::hop_by_hop::remove_named_by_connection;
use crate::outbound_error;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, StatusCode, response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// The name, the colon, the space and the end of the line.
const FIELD_OVERHEAD: usize = 4;

/// Whether the connection of an accepted response may be reused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Connection {
    Keep,
    /// What follows may not be a response.
    Spoilt,
}

/// Rejects a head that cannot be passed on unchanged, and removes its connection and framing fields.
pub(super) fn accept(
    head: &mut response::Parts,
    max_header_bytes: usize,
) -> Result<Connection, Error> {
    let status = head.status.as_u16();
    if status > 599 || head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Error::HttpProtocolError);
    }
    let size = section_size(&head.headers);
    if size > max_header_bytes {
        return Err(Error::HttpResponseHeaderSectionSize(
            u32::try_from(size).ok(),
        ));
    }
    remove_named_by_connection(&mut head.headers);

    let chunked = head.headers.contains_key(TRANSFER_ENCODING);
    if chunked {
        only_chunked(&head.headers)?;
        head.headers.remove(CONTENT_LENGTH);
    }
    if head.status == StatusCode::NO_CONTENT {
        let length = head.headers.remove(CONTENT_LENGTH);
        if chunked || length.is_some_and(|length| length != "0") {
            head.headers.remove(TRANSFER_ENCODING);
            return Ok(Connection::Spoilt);
        }
    }
    Ok(Connection::Keep)
}

fn section_size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + FIELD_OVERHEAD)
        .sum()
}

/// Other codings are only between the upstream and this host, and the body would reach the client encoded but not
/// marked so.
fn only_chunked(headers: &HeaderMap) -> Result<(), Error> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let first = codings.next();
    match first {
        Some(coding)
            if coding.as_bytes().eq_ignore_ascii_case(b"chunked") && codings.next().is_none() =>
        {
            Ok(())
        }
        _ => Err(Error::HttpResponseTransferCoding(
            first.and_then(|coding| Some(coding.to_str().ok()?.to_owned())),
        )),
    }
}

/// How long the upstream keeps an idle connection, less a second for a request that is on its way.
pub(super) fn idle_limit(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get(KEEP_ALIVE)?
        .to_str()
        .ok()?
        .split(',')
        .find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("timeout")
                .then(|| value.trim().trim_matches('"').parse::<u32>().ok())?
        })
        .map(|seconds| Duration::from_secs(u64::from(seconds).saturating_sub(1)))
}

/// An upstream's response body.
pub(super) struct OutboundBody {
    inner: Incoming,
    patience: Patience,
    /// Until the end of the body.
    held: Option<(Exchange, Option<OwnedSemaphorePermit>)>,
}

impl OutboundBody {
    pub(super) fn new(
        inner: Incoming,
        patience: Duration,
        exchange: Exchange,
        slot: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            held: (!inner.is_end_stream()).then_some((exchange, slot)),
            inner,
            patience: Patience::new(patience),
        }
    }
}

/// How long a chunk of a body may be waited for. Time in which no chunk is requested does not count.
struct Patience {
    duration: Duration,
    waiting_since: Option<Instant>,
    /// Created when a chunk is first waited for, which most bodies never need.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(duration: Duration) -> Self {
        Self {
            duration,
            waiting_since: None,
            timer: None,
        }
    }

    fn poll_exhausted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let end = *self.waiting_since.get_or_insert_with(Instant::now) + self.duration;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        // A timer that was set for an earlier chunk is moved when it fires, not with every chunk.
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= end {
                return Poll::Ready(());
            }
            timer.as_mut().reset(end);
        }
    }
}

impl Body for OutboundBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.patience.waiting_since = None;
                if frame.is_none() || this.inner.is_end_stream() {
                    this.held = None;
                }
                Poll::Ready(
                    frame.map(|frame| {
                        frame.map_err(|error| outbound_error::from_response_body(&error))
                    }),
                )
            }
            Poll::Pending => {
                ready!(this.patience.poll_exhausted(cx));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, Response};

    fn head(status: u16, fields: &[(&'static str, &'static str)]) -> response::Parts {
        let mut head = Response::builder()
            .status(status)
            .body(())
            .unwrap()
            .into_parts()
            .0;
        for (name, value) in fields {
            head.headers.append(*name, HeaderValue::from_static(value));
        }
        head
    }

    #[test]
    fn unknown_statuses_and_codings_are_refused() {
        for status in [101, 600, 999] {
            let error = accept(&mut head(status, &[]), 1000).unwrap_err();
            assert!(matches!(error, Error::HttpProtocolError), "{status}");
        }
        for codings in [&["gzip, chunked"][..], &["gzip", "chunked"], &["identity"]] {
            let fields: Vec<_> = codings
                .iter()
                .map(|coding| ("transfer-encoding", *coding))
                .collect();
            let error = accept(&mut head(200, &fields), 1000).unwrap_err();
            assert!(
                matches!(&error, Error::HttpResponseTransferCoding(Some(coding)) if *coding == codings[0]),
                "{codings:?}: {error:?}"
            );
        }
        assert!(accept(&mut head(599, &[("transfer-encoding", "Chunked")]), 1000).is_ok());
    }

    #[test]
    fn a_head_is_measured_with_its_names() {
        let fields = [("a-name", "a value"), ("b", "")];
        let size = "a-name: a value\r\nb: \r\n".len();
        assert!(accept(&mut head(200, &fields), size).is_ok());
        let error = accept(&mut head(200, &fields), size - 1).unwrap_err();
        assert!(matches!(
            error,
            Error::HttpResponseHeaderSectionSize(Some(reported)) if reported as usize == size
        ));
    }

    #[test]
    fn a_length_that_does_not_frame_the_body_is_removed() {
        let both = [("transfer-encoding", "chunked"), ("content-length", "3")];
        let length = [("content-length", "3")];
        let nothing = [("content-length", "0")];
        let cases = [
            (200, &both[..], false, Connection::Keep),
            (200, &length, true, Connection::Keep),
            (304, &length, true, Connection::Keep),
            (204, &length, false, Connection::Spoilt),
            (204, &both, false, Connection::Spoilt),
            (204, &nothing, false, Connection::Keep),
        ];
        for (status, fields, kept, connection) in cases {
            let mut head = head(status, fields);
            assert_eq!(accept(&mut head, 1000).unwrap(), connection, "{status}");
            assert_eq!(
                head.headers.contains_key(CONTENT_LENGTH),
                kept,
                "{status} {fields:?}"
            );
        }
    }

    #[test]
    fn idle_limit_is_a_second_less_than_the_upstream_says() {
        let cases = [
            ("timeout=5", Some(4)),
            ("max=100, Timeout = 75", Some(74)),
            ("timeout=\"2\"", Some(1)),
            ("timeout=1", Some(0)),
            ("timeout=0", Some(0)),
            ("max=100", None),
            ("timeout=-1", None),
            ("timeout", None),
        ];
        for (value, expected) in cases {
            let limit = idle_limit(&head(200, &[("keep-alive", value)]).headers);
            assert_eq!(limit, expected.map(Duration::from_secs), "{value}");
        }
    }
}
