//! `spin:key-value`: stores by label, each with its backend.

mod availability;
pub(crate) mod guest;
mod memory;
mod redis;
mod redis_link;
mod redis_url;
mod sqlite;

use crate::Error;
use crate::runtime_config::KeyValueConfig;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

pub(crate) use guest::add_to_linker;
pub use memory::MemoryStore;
pub use redis::RedisStore;
pub use redis_url::{InvalidRedisUrl, RedisUrl};
pub use sqlite::SqliteStore;

/// Why an operation on a store failed, as text: the caller can only do without it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(String);

impl StoreError {
    /// A failure, in one line without secrets: it ends up in logs.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// What an operation on a store returns: `Box::pin(async move { … })`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A backend: one map from keys to values, shared by every instance.
///
/// A component uses it in the background or at its start, and waits at most 250 ms; a slower store counts as failed.
/// Set your own time-out where an operation can hang, or operations pile up.
pub trait KeyValueStore: Send + Sync {
    /// The value of `key`, if there is one.
    fn get(&self, key: String) -> StoreFuture<'_, Option<Vec<u8>>>;
    /// Makes `value` the value of `key`.
    fn set(&self, key: String, value: Vec<u8>) -> StoreFuture<'_, ()>;
    /// Removes `key`, which need not exist.
    fn delete(&self, key: String) -> StoreFuture<'_, ()>;
    /// Whether `key` has a value.
    fn exists(&self, key: String) -> StoreFuture<'_, bool>;
    /// All keys, in no particular order.
    fn keys(&self) -> StoreFuture<'_, Vec<String>>;
}

/// The stores of a server, by the label under which a component opens them.
pub(crate) struct Stores(BTreeMap<String, Arc<dyn KeyValueStore>>);

impl Stores {
    /// The stores of the configuration, and those of an embedder, which override them.
    pub(crate) fn new(
        configs: &BTreeMap<String, KeyValueConfig>,
        ca_files: &[PathBuf],
        supplied: BTreeMap<String, Arc<dyn KeyValueStore>>,
    ) -> Result<Self, Error> {
        let mut stores = supplied;
        for (label, config) in configs {
            if stores.contains_key(label) {
                continue;
            }
            let store: Arc<dyn KeyValueStore> = match config {
                KeyValueConfig::Memory => Arc::new(MemoryStore::default()),
                KeyValueConfig::Sqlite(path) => {
                    Arc::new(SqliteStore::new(path.clone(), label.clone()))
                }
                KeyValueConfig::Redis(url) => {
                    let store = RedisStore::new(url.clone(), label.clone(), ca_files)?;
                    store.connect();
                    Arc::new(store)
                }
            };
            stores.insert(label.clone(), store);
        }
        Ok(Self(stores))
    }

    fn open(&self, label: &str) -> Option<Arc<dyn KeyValueStore>> {
        self.0.get(label).cloned()
    }
}
