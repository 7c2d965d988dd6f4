//! The key-value store in a file, as seen by a test from outside.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::default_store::DefaultStore;
use super::waiting::eventually;

/// The key of the decision, by default.
pub const KEY: &str = "proxy:fastest";

/// The database's file name.
const FILE: &str = "store.db";

/// A SQLite file in Spin's own schema, and the runtime configuration that names it.
pub struct Store {
    config: DefaultStore,
}

impl Store {
    /// An empty one.
    pub fn new() -> Self {
        let config = DefaultStore::new(|folder| {
            let file = folder.join(FILE);
            format!("type = \"spin\"\npath = \"{}\"", file.display())
        });
        let store = Self { config };
        store
            .connection()
            .execute_batch(
                "CREATE TABLE spin_key_value (
                    store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
                    PRIMARY KEY (store, key))",
            )
            .expect("a fresh database");
        store
    }

    /// The database file.
    pub fn path(&self) -> PathBuf {
        self.config.folder().join(FILE)
    }

    /// The runtime configuration file.
    pub fn runtime_config(&self) -> PathBuf {
        self.config.runtime_config()
    }

    /// A separate connection for the test.
    pub fn connection(&self) -> Connection {
        let connection = Connection::open(self.path()).expect("the database opens");
        connection
            .busy_timeout(Duration::from_secs(5))
            .expect("a timeout");
        connection
    }

    /// Runs statements.
    pub fn execute(&self, statements: &str) {
        self.connection()
            .execute_batch(statements)
            .expect("the statements are right");
    }

    /// The value under a key.
    pub fn read(&self, key: &str) -> Option<Vec<u8>> {
        self.connection()
            .query_row(
                "SELECT value FROM spin_key_value WHERE store = 'default' AND key = ?1",
                [key],
                |row| row.get(0),
            )
            .optional()
            .expect("a readable store")
    }

    /// Puts a value under the decision's key.
    pub fn plant(&self, value: impl AsRef<[u8]>) {
        self.plant_at(KEY, value);
    }

    /// Puts a value under a key.
    pub fn plant_at(&self, key: &str, value: impl AsRef<[u8]>) {
        self.connection()
            .execute(
                "INSERT OR REPLACE INTO spin_key_value (store, key, value) VALUES ('default', ?1, ?2)",
                params![key, value.as_ref()],
            )
            .expect("a writable store");
    }

    /// The decision as JSON, if there is one and it is JSON.
    pub fn record(&self) -> Option<Value> {
        serde_json::from_slice(&self.read(KEY)?).ok()
    }

    /// Waits until the proxy has written a decision that satisfies `check`.
    pub async fn written(&self, what: &str, check: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || self.record().filter(|record| check(record))).await
    }

    /// Locks the database until the returned connection is dropped.
    pub fn lock(&self) -> Connection {
        let connection = self.connection();
        connection
            .execute_batch("BEGIN EXCLUSIVE")
            .expect("no other process holds it for long");
        connection
    }
}
