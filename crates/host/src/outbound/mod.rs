//! Outbound requests: one pooled client for all instances.
//!
//! A request is sent a second time from here only where the first had no effect: an HTTP/2 upstream says that it did
//! not process it, or an upstream closes a kept-alive connection as an idempotent request arrives. The second is on a
//! new connection, and there is no third. A pooled connection that turns out to be closed before the request was sent
//! is replaced by a new one, since nothing was sent; the guest then gets the error of the new one (such as refused).

mod allowed;
mod connection;
mod connector;
mod download;
mod upload;

use crate::Error as SetUpError;
use crate::outbound_error::{self, nothing_was_sent};
use crate::runtime_config::OutboundHttpConfig;
pub(crate) use allowed::AllowedHosts;
pub use allowed::{AllowedHost, InvalidHost};
use connection::{Chosen, Exchange, Idlers, LONGEST_IDLE};
use connector::Connector;
use download::OutboundBody;
use futures::FutureExt;
use http::header::{CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::uri::{Authority, Scheme};
use http::{Extensions, HeaderValue, Method, Request, Response, request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{Connected, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Sleep;
use tracing::debug;
use upload::{RequestBody, Upload};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// The maximum number of fields of a response head. The parser allocates for each, so a limit on bytes is not enough.
const MOST_FIELDS: usize = 1024;

/// HTTP/2 counts 32 bytes more for each field (RFC 9113 section 6.5.2), and a head that is larger than was announced
/// fails without its size: the announced limit is larger than the accepted one.
const HTTP2_HEADROOM: usize = 4;

/// The smallest read buffer of HTTP/1.1: hyper's own default.
const READ_BUFFER: usize = 8192 + 4096 * 100;

/// How long a request that is likely to have a body waits for its start: its client may wait for a response first.
const BODY_PATIENCE: Duration = Duration::from_millis(10);
/// The same for a request that is unlikely to have one.
const NO_BODY_PATIENCE: Duration = Duration::from_secs(1);

/// The client that sends the requests of all instances. Clones share the pool.
#[derive(Clone)]
pub struct Outbound {
    pooled: Client<Connector, RequestBody>,
    /// A new connection for each request.
    fresh: Client<Connector, RequestBody>,
    /// What made both.
    builder: legacy::Builder,
    connector: Connector,
    slots: Option<Arc<Semaphore>>,
    max_header_bytes: usize,
    body_idle_timeout: Duration,
}

/// Why there is no response, and whether the request may be sent again.
struct Failure {
    error: Error,
    again: Again,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    No,
    /// The upstream may have processed it.
    IfIdempotent,
    /// Nothing was sent, or the upstream says that it did not process it.
    Yes,
}

impl Again {
    fn allows(self, idempotent: bool) -> bool {
        match self {
            Self::No => false,
            Self::IfIdempotent => idempotent,
            Self::Yes => true,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            again: Again::No,
        }
    }
}

impl Outbound {
    /// A client for `http` (HTTP/1.1) and `https` (HTTP/1.1 or 2, as the upstream chooses).
    ///
    /// Trusts Mozilla's certificate authorities and those in `ca_files` (PEM).
    pub fn new(config: &OutboundHttpConfig, ca_files: &[PathBuf]) -> Result<Self, SetUpError> {
        let idlers = Idlers::at_most(config.max_idle_connections);
        let connector = Connector::new(ca_files, idlers)?;
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(LONGEST_IDLE)
            .pool_max_idle_per_host(if config.connection_pooling {
                config.max_idle_connections_per_host
            } else {
                0
            })
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_max_headers(MOST_FIELDS)
            .http1_max_buf_size(config.max_header_bytes.max(READ_BUFFER))
            .http2_max_header_list_size(
                u32::try_from(config.max_header_bytes.saturating_mul(HTTP2_HEADROOM))
                    .unwrap_or(u32::MAX),
            );
        let (pooled, fresh) = clients(&builder, &connector);
        Ok(Self {
            pooled,
            fresh,
            builder,
            connector,
            slots: config
                .max_concurrent_requests
                .map(|count| Arc::new(Semaphore::new(count))),
            max_header_bytes: config.max_header_bytes,
            body_idle_timeout: config.body_idle_timeout,
        })
    }

    /// A client with the same limits and a pool of its own, for another runtime: the runtime that opened a connection
    /// drives it.
    pub(crate) fn with_own_pool(&self) -> Self {
        let (pooled, fresh) = clients(&self.builder, &self.connector);
        Self {
            pooled,
            fresh,
            ..self.clone()
        }
    }

    /// Sends a request and returns the response once its head has arrived. Dropping the future, or the response's body
    /// before its end, aborts the exchange: an HTTP/1.1 connection is closed, an HTTP/2 stream reset.
    ///
    /// Time-outs count only where they are given: `connect_timeout` until a connection is established (name look-up,
    /// TLS and, with `max_concurrent_requests`, queueing included), `first_byte_timeout` from then, or from the last
    /// chunk of the request's body that was taken, until the response head, `between_bytes_timeout` while a chunk of
    /// the response's body is waited for, which is never longer than [`OutboundHttpConfig::body_idle_timeout`].
    pub async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let host = request.uri().authority().cloned();
        let result = self.exchange(request, options).await;
        if let Err(error) = &result {
            let host = host.as_ref().map(Authority::as_str).unwrap_or_default();
            debug!(host, %error, "no response");
        }
        result
    }

    async fn exchange(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let mut connect_timeout = pin!(OptionalTimer::after(options.connect_timeout));
        let slot = match &self.slots {
            Some(slots) => tokio::select! {
                slot = slots.clone().acquire_owned() => slot.ok(),
                () = connect_timeout.as_mut() => return Err(Error::ConnectionLimitReached),
            },
            None => None,
        };

        let (mut head, body) = request.into_parts();
        let upload = Upload::new(body);
        // This host has answered the `100-continue`.
        head.headers.remove(EXPECT);
        frame(&mut head, &upload).await?;

        let idempotent = head.method.is_idempotent();
        let once_more = head.clone();
        let request = Request::from_parts(head, upload.body());
        let timeout = options.first_byte_timeout;
        let first = attempt(&self.pooled, request, &upload, connect_timeout, timeout).await;
        let (response, exchange) = match first {
            Ok(answer) => answer,
            Err(failure) if failure.again.allows(idempotent) && upload.can_be_sent_again() => {
                debug!(error = %failure.error, "sending again on a new connection");
                let request = Request::from_parts(once_more, upload.body());
                let connect_timeout = pin!(OptionalTimer::after(options.connect_timeout));
                attempt(&self.fresh, request, &upload, connect_timeout, timeout)
                    .await
                    .map_err(|second| failure.followed_by(second))?
            }
            Err(failure) => return Err(failure.error),
        };
        upload.keep_no_more();

        let (mut head, inner) = response.into_parts();
        if let Some(limit) = download::idle_limit(&head.headers) {
            exchange.limit_idle(limit);
        }
        let accepted = download::accept(&mut head, self.max_header_bytes);
        if !matches!(accepted, Ok(download::Connection::Keep)) {
            exchange.serves_no_more();
        }
        accepted?;
        let patience = options
            .between_bytes_timeout
            .map_or(self.body_idle_timeout, |timeout| {
                timeout.min(self.body_idle_timeout)
            });
        let body = OutboundBody::new(inner, patience, exchange, slot);
        Ok(Response::from_parts(head, body.boxed_unsync()))
    }
}

/// One that keeps its connections, and one that opens a new one for each request.
fn clients(
    builder: &legacy::Builder,
    connector: &Connector,
) -> (
    Client<Connector, RequestBody>,
    Client<Connector, RequestBody>,
) {
    let pooled = builder.build(connector.clone());
    let fresh = builder
        .clone()
        .pool_max_idle_per_host(0)
        .build(connector.clone());
    (pooled, fresh)
}

impl Failure {
    /// The guest's error when the second one failed as well: the first may have been processed.
    fn followed_by(self, second: Self) -> Error {
        if self.again == Again::IfIdempotent && nothing_was_sent(&second.error) {
            self.error
        } else {
            second.error
        }
    }
}

/// Sets how the body is framed, where the guest does not. hyper treats a body of unknown length as none with GET and
/// HEAD, and as one with other methods though it may be empty, which shows only at its end. With HTTP/2 it removes
/// `transfer-encoding`.
async fn frame(head: &mut request::Parts, upload: &Upload) -> Result<(), Error> {
    if head.headers.contains_key(CONTENT_LENGTH) {
        return Ok(());
    }
    let anticipated = [Method::POST, Method::PUT, Method::PATCH].contains(&head.method);
    if !upload.is_of_known_length() {
        let patience = if anticipated {
            BODY_PATIENCE
        } else {
            NO_BODY_PATIENCE
        };
        let begun = tokio::time::timeout(patience, upload.begun())
            .await
            .unwrap_or(Ok(()));
        begun.map_err(|error| outbound_error::from_request_body(&error))?;
    }
    if upload.is_empty() {
        // RFC 9110 section 8.6: methods that anticipate content state that there is none.
        if anticipated {
            head.headers
                .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
    } else if !upload.is_of_known_length() {
        head.headers
            .insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    Ok(())
}

async fn attempt(
    client: &Client<Connector, RequestBody>,
    mut request: Request<RequestBody>,
    upload: &Upload,
    connect_timeout: Pin<&mut OptionalTimer>,
    first_byte_timeout: Option<Duration>,
) -> Result<(Response<Incoming>, Exchange), Failure> {
    let tls = request.uri().scheme() == Some(&Scheme::HTTPS);
    let mut capture = capture_connection(&mut request);
    let mut response = pin!(client.request(request));

    let mut exchange = None;
    let early = tokio::select! {
        biased;
        result = response.as_mut() => Some(result),
        connected = capture.wait_for_connection_metadata().map(|connected| chosen(connected.as_ref())) => {
            exchange = connected.map(Exchange::start);
            None
        }
        () = connect_timeout => return Err(Error::ConnectionTimeout.into()),
    };
    let result = match early {
        Some(result) => result,
        None => match first_byte_timeout {
            None => response.await,
            Some(timeout) => first_byte(response, timeout, upload).await?,
        },
    };
    match result {
        Ok(response) => {
            let last = response.extensions().get::<Chosen>().cloned();
            match on_connection(exchange, last) {
                Some(exchange) => Ok((response, exchange)),
                None => Err(Error::InternalError(None).into()),
            }
        }
        Err(error) => {
            let last = chosen(capture.connection_metadata().as_ref());
            Err(failure(&error, on_connection(exchange, last), tls))
        }
    }
}

fn failure(error: &legacy::Error, exchange: Option<Exchange>, tls: bool) -> Failure {
    let hung_up = exchange.filter(|_| outbound_error::is_hang_up(error));
    if hung_up.as_ref().is_some_and(Exchange::was_not_sent) {
        return Failure {
            error: Error::ConnectionRefused,
            again: Again::Yes,
        };
    }
    let again = if outbound_error::was_not_taken_up(error) {
        Again::Yes
    } else if hung_up.is_some_and(|exchange| exchange.was_unanswered_reuse()) {
        Again::IfIdempotent
    } else {
        Again::No
    };
    Failure {
        error: outbound_error::from_client(error, tls),
        again,
    }
}

/// Waits for a response head while neither side is silent for longer than `timeout`.
async fn first_byte<F: Future>(
    mut response: Pin<&mut F>,
    timeout: Duration,
    upload: &Upload,
) -> Result<F::Output, Error> {
    upload.touch();
    loop {
        let deadline = upload.drawn() + timeout;
        tokio::select! {
            biased;
            result = response.as_mut() => return Ok(result),
            () = tokio::time::sleep_until(deadline) => {}
        }
        if deadline == upload.drawn() + timeout {
            return Err(Error::ConnectionReadTimeout);
        }
    }
}

/// The client itself moves an unprocessed request to another connection: the last one counts.
fn on_connection(started: Option<Exchange>, last: Option<Chosen>) -> Option<Exchange> {
    let last = last?;
    match started {
        Some(exchange) if exchange.is_on(&last) => Some(exchange),
        _ => Some(Exchange::start(last)),
    }
}

fn chosen(connected: Option<&Connected>) -> Option<Chosen> {
    let mut extensions = Extensions::new();
    connected?.get_extras(&mut extensions);
    extensions.remove()
}

/// Never, or once after a while.
enum OptionalTimer {
    Never,
    After(Pin<Box<Sleep>>),
}

impl OptionalTimer {
    fn after(duration: Option<Duration>) -> Self {
        duration.map_or(Self::Never, |duration| {
            Self::After(Box::pin(tokio::time::sleep(duration)))
        })
    }
}

impl Future for OptionalTimer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            Self::Never => Poll::Pending,
            Self::After(sleep) => sleep.as_mut().poll(cx),
        }
    }
}
