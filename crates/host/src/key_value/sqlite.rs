//! A store in a SQLite file, which outlives the process and can be shared by several.
//!
//! The file is opened at the first operation, and whatever is wrong with it (missing, read-only, locked, not a
//! database) fails only that operation: the store is optional at run time. The table is Spin's.

use super::{KeyValueStore, StoreError, StoreFuture};
use rusqlite::{Connection, OptionalExtension, params};
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
    connection: Mutex<Option<Connection>>,
}

impl SqliteStore {
    /// The store `label` in the file `path`. The file and its folder are created when first needed.
    pub fn new(path: PathBuf, label: String) -> Self {
        Self(Arc::new(Inner {
            path,
            label,
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
            empty => empty.insert(open(&self.path)?),
        };
        operation(connection, &self.label).map_err(failed)
    }
}

fn failed(error: impl Display) -> StoreError {
    StoreError::new(error.to_string())
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let set_up = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
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
        self.run(move |connection, label| {
            connection
                .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .query_row(params![label, key], |row| row.get(0))
                .optional()
        })
    }

    fn set(&self, key: String, value: Vec<u8>) -> StoreFuture<'_, ()> {
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
        self.run(move |connection, label| {
            connection
                .prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1")?
                .query_map([label], |row| row.get(0))?
                .collect()
        })
    }
}
