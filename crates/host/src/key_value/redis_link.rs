//! The one connection of a Redis store: opened when it is needed, dropped when it fails, reopened.
//!
//! The library has a connection manager, but that one does not treat a missing reply as a failed connection, so a
//! machine that vanished would be used until the kernel gives up on it. This one does.

use super::StoreError;
use super::availability::Availability;
use super::redis_url::RedisUrl;
use crate::error::one_line;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

/// How long connecting may take: name look-up, TCP, TLS, password, and a first reply.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// After a failure, how long operations fail at once instead of trying again.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection, shared by all operations under way.
pub(super) struct Session {
    connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Session {
    /// A handle to send an operation on.
    pub(super) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // By default the driver would wait for replies that no caller needs any more.
        self.driver.abort();
    }
}

enum State {
    Up(Arc<Session>),
    Down { until: Instant, reason: StoreError },
}

/// Holds the connection.
pub(super) struct Link {
    url: RedisUrl,
    tls: Option<TlsConnector>,
    /// Held while connecting: operations that arrive meanwhile wait for the outcome and do not connect themselves.
    state: Mutex<State>,
    availability: Availability,
}

impl Link {
    pub(super) fn new(url: RedisUrl, tls: Option<TlsConnector>, label: &str) -> Self {
        Self {
            availability: Availability::new(label, &url, "be reached"),
            url,
            tls,
            state: Mutex::new(State::Down {
                until: Instant::now(),
                reason: StoreError::new("not connected"),
            }),
        }
    }

    /// The connection, and whether it was opened just now. Within [`PAUSE`] of a failure, that failure.
    pub(super) async fn session(&self) -> Result<(Arc<Session>, bool), StoreError> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Up(session) => return Ok((session.clone(), false)),
            State::Down { until, reason } if Instant::now() < *until => return Err(reason.clone()),
            State::Down { .. } => {}
        }
        let outcome = match tokio::time::timeout(CONNECT_TIMEOUT, self.connect()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no connection within {CONNECT_TIMEOUT:?}")),
        };
        match outcome {
            Ok(session) => {
                self.availability.works();
                let session = Arc::new(session);
                *state = State::Up(session.clone());
                Ok((session, true))
            }
            Err(reason) => {
                self.availability.fails(&reason);
                let reason = StoreError::new(reason);
                *state = State::Down {
                    until: Instant::now() + PAUSE,
                    reason: reason.clone(),
                };
                Err(reason)
            }
        }
    }

    /// Drops a connection that was found closed, so that the next operation opens a new one.
    pub(super) async fn closed(&self, session: &Arc<Session>) {
        let reason = StoreError::new("the connection was closed");
        self.replace(session, Instant::now(), reason).await;
    }

    /// Drops a connection that failed, and pauses for a while.
    pub(super) async fn failed(&self, session: &Arc<Session>, reason: &StoreError) {
        let until = Instant::now() + PAUSE;
        if self.replace(session, until, reason.clone()).await {
            self.availability.fails(&reason.to_string());
        }
    }

    /// Many operations may fail with one connection: only the first report changes anything.
    async fn replace(&self, session: &Arc<Session>, until: Instant, reason: StoreError) -> bool {
        let mut state = self.state.lock().await;
        let current = matches!(&*state, State::Up(current) if Arc::ptr_eq(current, session));
        if current {
            *state = State::Down { until, reason };
        }
        current
    }

    async fn connect(&self) -> Result<Session, String> {
        let stream = TcpStream::connect((self.url.host(), self.url.port()))
            .await
            .map_err(|error| error.to_string())?;
        // It fails only on a closed connection, which the first use will show.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.introduce(stream).await,
            Some(tls) => {
                let name = ServerName::try_from(self.url.host().to_owned())
                    .map_err(|error| error.to_string())?;
                let stream = tls
                    .connect(name, stream)
                    .await
                    .map_err(|error| format!("TLS: {error}"))?;
                self.introduce(stream).await
            }
        }
    }

    /// Authenticates, selects the database, and waits for a reply: a Redis that hangs still accepts connections.
    async fn introduce(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Session, String> {
        // All time-outs are in this module.
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(None)
            .set_connection_timeout(None);
        let refused = |error: redis::RedisError| one_line(&error.to_string());
        let (mut connection, driver) =
            MultiplexedConnection::new_with_config(self.url.settings(), stream, config)
                .await
                .map_err(refused)?;
        let session = Session {
            connection: connection.clone(),
            driver: tokio::spawn(driver).abort_handle(),
        };
        redis::cmd("PING")
            .exec_async(&mut connection)
            .await
            .map_err(refused)?;
        Ok(session)
    }
}
