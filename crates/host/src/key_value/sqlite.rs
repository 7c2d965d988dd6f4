//! A store in a SQLite file, which outlives the process and can be shared by several.
//!
//! The file is opened at the first operation, and whatever is wrong with it (missing, read-only, locked, not a
//! database) fails only that operation: the store is optional at run time. The table is Spin's.

use super::{KeyValueStore, StoreError, StoreFuture, StoreLimits};
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long to wait for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A store in a table of a SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    label: String,
    limits: StoreLimits,
    connection: Mutex<Option<Connection>>,
}

impl SqliteStore {
    /// The store `label` in the file `path`. The file and its folder are created when first needed.
    pub fn new(path: PathBuf, label: String, limits: StoreLimits) -> Self {
        Self(Arc::new(Inner {
            path,
            label,
            limits,
            connection: Mutex::new(None),
        }))
    }

    /// Runs `operation` where blocking is allowed: SQLite waits for disks and for other processes.
    fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection, &str) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreFuture<'_, T> {
        let inner = self.0.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || inner.run(operation))
                .await
                .map_err(failed)?
        })
    }
}

impl Inner {
    fn run<T>(
        &self,
        operation: impl FnOnce(&Connection, &str) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        // A connection has no state that a panic could leave inconsistent.
        let mut slot = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *slot {
            Some(connection) => connection,
            empty => empty.insert(open(&self.path, self.limits)?),
        };
        operation(connection, &self.label).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::TooBig) => self.limits.value_too_large(),
            _ => failed(error),
        })
    }
}

fn failed(error: impl Display) -> StoreError {
    StoreError::new(error.to_string())
}

/// What a row may have beside its value.
const ROW_HEADROOM: usize = 64 * 1024;

fn open(path: &Path, limits: StoreLimits) -> Result<Connection, StoreError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let set_up = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let most = limits.max_value_bytes.saturating_add(ROW_HEADROOM);
        connection.set_limit(
            Limit::SQLITE_LIMIT_LENGTH,
            i32::try_from(most).unwrap_or(i32::MAX),
        )?;
        // In this mode readers do not wait for a writer. Where it is not available (a read-only file) reading still
        // works.
        let _ = connection.pragma_update(None, "journal_mode", "WAL");
        // A crash of the machine may lose the last writes, which does not matter for measurements.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute(
            "CREATE TABLE IF NOT EXISTS spin_key_value (
                store TEXT NOT NULL,
                key TEXT NOT NULL,
                value BLOB NOT NULL,
                PRIMARY KEY (store, key)
            )",
            [],
        )?;
        Ok(connection)
    };
    set_up().map_err(|error: rusqlite::Error| failed(error))
}

impl KeyValueStore for SqliteStore {
    fn get(&self, key: String) -> StoreFuture<'_, Option<Vec<u8>>> {
        let reading = self.run(move |connection, label| {
            connection
                .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .query_row(params![label, key], |row| row.get(0))
                .optional()
        });
        let limits = self.0.limits;
        Box::pin(async move {
            reading
                .await?
                .map(|value: Vec<u8>| limits.accept(value))
                .transpose()
        })
    }

    fn set(&self, key: String, value: Vec<u8>) -> StoreFuture<'_, ()> {
        let value = match self.0.limits.accept(value) {
            Ok(value) => value,
            Err(reason) => return Box::pin(std::future::ready(Err(reason))),
        };
        self.run(move |connection, label| {
            connection
                .prepare_cached(
                    "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
                     ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
                )?
                .execute(params![label, key, value])
                .map(|_| ())
        })
    }

    fn delete(&self, key: String) -> StoreFuture<'_, ()> {
        self.run(move |connection, label| {
            connection
                .prepare_cached("DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .execute(params![label, key])
                .map(|_| ())
        })
    }

    fn exists(&self, key: String) -> StoreFuture<'_, bool> {
        self.run(move |connection, label| {
            connection
                .prepare_cached("SELECT 1 FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .exists(params![label, key])
        })
    }

    fn keys(&self) -> StoreFuture<'_, Vec<String>> {
        let limits = self.0.limits;
        let one_more = i64::try_from(limits.max_keys.saturating_add(1)).unwrap_or(i64::MAX);
        let listing = self.run(move |connection, label| {
            connection
                .prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1 LIMIT ?2")?
                .query_map(params![label, one_more], |row| row.get(0))?
                .collect()
        });
        Box::pin(async move { limits.accept_keys(listing.await?) })
    }
}
