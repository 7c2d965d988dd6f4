//! A store in a Redis, which many processes on many machines share. Keys and values have Spin's layout, so that both
//! can use one Redis.
//!
//! The store is optional at run time: whatever the Redis does (down, hanging, restarted, full), each operation ends
//! within [`OPERATION_TIMEOUT`], and at once while the Redis is known to be down.

use super::availability::Availability;
use super::redis_link::Link;
use super::redis_url::RedisUrl;
use super::{KeyValueStore, StoreError, StoreFuture, StoreLimits};
use crate::error::one_line;
use crate::{Error, tls};
use redis::{Cmd, FromRedisValue, cmd};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsConnector;

/// How long a reply may take. A component stops waiting after 250 ms.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// How long an operation may take, connecting and, for the list of keys, all its steps included.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// How many keys one step of listing scans.
const SCAN_COUNT: u32 = 1000;

/// A store in a Redis.
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    link: Link,
    reading: Availability,
    writing: Availability,
    limits: StoreLimits,
}

#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

impl RedisStore {
    /// The store `label` (its name in the log) in the Redis at `url`. Over TLS, trusts Mozilla's certificate authorities
    /// and those in `ca_files` (PEM).
    ///
    /// Connects at the first operation, or at [`RedisStore::connect`].
    pub fn new(
        url: RedisUrl,
        label: String,
        ca_files: &[PathBuf],
        limits: StoreLimits,
    ) -> Result<Self, Error> {
        let tls = if url.is_tls() {
            let config = tls::client_config(ca_files)?;
            Some(TlsConnector::from(Arc::new(config)))
        } else {
            None
        };
        Ok(Self(Arc::new(Inner {
            reading: Availability::new(&label, &url, "be read"),
            writing: Availability::new(&label, &url, "be written"),
            link: Link::new(url, tls, &label),
            limits,
        })))
    }

    /// Connects in the background, so that a Redis that is down is reported before the first request, and the first
    /// request need not wait for one that is up. Needs a tokio runtime.
    pub fn connect(&self) {
        let inner = self.0.clone();
        tokio::spawn(async move { drop(inner.link.session().await) });
    }

    /// Runs an operation to its end even when the caller gives up: what it finds out about the Redis serves later
    /// callers.
    fn run<T: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> StoreFuture<'_, T> {
        let operation = tokio::spawn(tokio::time::timeout(OPERATION_TIMEOUT, operation));
        Box::pin(async move {
            match operation.await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(StoreError::new(format!(
                    "not completed within {OPERATION_TIMEOUT:?}"
                ))),
                Err(error) => Err(StoreError::new(error.to_string())),
            }
        })
    }

    fn command<T: FromRedisValue + Send + 'static>(
        &self,
        access: Access,
        command: Cmd,
    ) -> StoreFuture<'_, T> {
        let inner = self.0.clone();
        self.run(async move { inner.ask(access, &command).await })
    }
}

impl Inner {
    /// Sends `command` and waits for the reply. A connection that was closed since its last use (the Redis was
    /// restarted) is replaced once; all commands used here can be repeated.
    async fn ask<T: FromRedisValue>(&self, access: Access, command: &Cmd) -> Result<T, StoreError> {
        loop {
            let (session, fresh) = self.link.session().await?;
            let mut connection = session.connection();
            let answer = command.query_async(&mut connection);
            let error = match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
                Ok(Ok(value)) => {
                    self.availability(access).works();
                    return Ok(value);
                }
                Ok(Err(error)) => error,
                Err(_) => {
                    let reason = StoreError::new(format!("no reply within {ANSWER_TIMEOUT:?}"));
                    self.link.failed(&session, &reason).await;
                    return Err(reason);
                }
            };
            let reason = StoreError::new(one_line(&error.to_string()));
            if !error.is_unrecoverable_error() {
                // The Redis replied with an error.
                self.availability(access).fails(&reason.to_string());
                return Err(reason);
            }
            if fresh {
                self.link.failed(&session, &reason).await;
                return Err(reason);
            }
            self.link.closed(&session).await;
        }
    }

    fn availability(&self, access: Access) -> &Availability {
        match access {
            Access::Read => &self.reading,
            Access::Write => &self.writing,
        }
    }

    /// No more of the value is asked for than it may have.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut start = on_key("GETRANGE", key);
        start.arg(0).arg(self.limits.max_value_bytes);
        let value: Vec<u8> = self.ask(Access::Read, &start).await?;
        if value.is_empty() {
            // That is also what a key has that does not exist.
            let exists = self.ask(Access::Read, &on_key("EXISTS", key)).await?;
            return Ok(Some(value).filter(|_| exists));
        }
        self.limits.accept(value).map(Some)
    }

    /// Step by step: the one command that lists all keys blocks every other client of the Redis.
    async fn keys(&self) -> Result<Vec<String>, StoreError> {
        // A key can be returned twice.
        let mut keys = BTreeSet::new();
        let mut cursor = 0;
        loop {
            let mut step = cmd("SCAN");
            step.arg(cursor).arg("COUNT").arg(SCAN_COUNT);
            let (next, found): (u64, Vec<Vec<u8>>) = self.ask(Access::Read, &step).await?;
            // A key that is not UTF-8 is not from a component.
            keys.extend(
                found
                    .into_iter()
                    .filter_map(|key| String::from_utf8(key).ok()),
            );
            if keys.len() > self.limits.max_keys {
                return Err(self.limits.too_many_keys());
            }
            if next == 0 {
                return Ok(keys.into_iter().collect());
            }
            cursor = next;
        }
    }
}

fn on_key(name: &str, key: &str) -> Cmd {
    let mut command = cmd(name);
    command.arg(key);
    command
}

impl KeyValueStore for RedisStore {
    fn get(&self, key: String) -> StoreFuture<'_, Option<Vec<u8>>> {
        let inner = self.0.clone();
        self.run(async move { inner.get(&key).await })
    }

    fn set(&self, key: String, value: Vec<u8>) -> StoreFuture<'_, ()> {
        let mut command = on_key("SET", &key);
        match self.0.limits.accept(value) {
            Ok(value) => command.arg(value),
            Err(reason) => return Box::pin(std::future::ready(Err(reason))),
        };
        self.command(Access::Write, command)
    }

    fn delete(&self, key: String) -> StoreFuture<'_, ()> {
        self.command(Access::Write, on_key("DEL", &key))
    }

    fn exists(&self, key: String) -> StoreFuture<'_, bool> {
        self.command(Access::Read, on_key("EXISTS", &key))
    }

    fn keys(&self) -> StoreFuture<'_, Vec<String>> {
        let inner = self.0.clone();
        self.run(async move { inner.keys().await })
    }
}
