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

/// Limits on what stores hold and return: the host has it in memory as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// Bytes of one value. A larger one is neither written nor read: the operation fails, and SQLite and Redis deliver
    /// none of it, or no more than this. Default: 1 MiB.
    pub max_value_bytes: usize,
    /// Keys that are listed, and that a [`MemoryStore`] holds; where there are more, the operation fails. Default: 1000.
    pub max_keys: usize,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            max_value_bytes: 1024 * 1024,
            max_keys: 1000,
        }
    }
}

impl StoreLimits {
    /// A value as it is to be stored, or as it came from a store, if it is not too large.
    fn accept<V: AsRef<[u8]>>(&self, value: V) -> Result<V, StoreError> {
        if value.as_ref().len() > self.max_value_bytes {
            return Err(self.value_too_large());
        }
        Ok(value)
    }

    fn value_too_large(&self) -> StoreError {
        let most = self.max_value_bytes;
        StoreError::new(format!(
            "the value is larger than {most} bytes, the limit on stored values"
        ))
    }

    /// The keys of a store, of which one too many was asked for.
    fn accept_keys(&self, keys: Vec<String>) -> Result<Vec<String>, StoreError> {
        if keys.len() > self.max_keys {
            return Err(self.too_many_keys());
        }
        Ok(keys)
    }

    fn too_many_keys(&self) -> StoreError {
        let most = self.max_keys;
        StoreError::new(format!(
            "there are more than {most} keys, the limit on a store's keys"
        ))
    }
}

/// What an operation on a store returns: `Box::pin(async move { … })`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A backend: one map from keys to values, shared by every instance.
///
/// Values and lists that are larger than [`StoreLimits`] are not passed on to the component, but bound what you read.
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
pub(crate) struct Stores {
    by_label: BTreeMap<String, Arc<dyn KeyValueStore>>,
    limits: StoreLimits,
}

impl Stores {
    /// The stores of the configuration, and those of an embedder, which override them.
    pub(crate) fn new(
        configs: &BTreeMap<String, KeyValueConfig>,
        ca_files: &[PathBuf],
        supplied: BTreeMap<String, Arc<dyn KeyValueStore>>,
        limits: StoreLimits,
    ) -> Result<Self, Error> {
        let mut stores = supplied;
        for (label, config) in configs {
            if stores.contains_key(label) {
                continue;
            }
            let store: Arc<dyn KeyValueStore> = match config {
                KeyValueConfig::Memory => Arc::new(MemoryStore::new(limits)),
                KeyValueConfig::Sqlite(path) => {
                    Arc::new(SqliteStore::new(path.clone(), label.clone(), limits))
                }
                KeyValueConfig::Redis(url) => {
                    let store = RedisStore::new(url.clone(), label.clone(), ca_files, limits)?;
                    store.connect();
                    Arc::new(store)
                }
            };
            stores.insert(label.clone(), store);
        }
        Ok(Self {
            by_label: stores,
            limits,
        })
    }

    fn open(&self, label: &str) -> Option<Arc<dyn KeyValueStore>> {
        self.by_label.get(label).cloned()
    }
}
