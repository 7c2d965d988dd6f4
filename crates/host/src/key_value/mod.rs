//! `spin:key-value`: stores by label, each with a backend of its own.

pub(crate) mod guest;
mod memory;
mod sqlite;

use crate::runtime_config::KeyValueConfig;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use guest::add_to_linker;
pub use memory::MemoryStore;
pub use sqlite::SqliteStore;

/// The outcome of an operation on a store. The error is for a person to read: no caller can do more than go without.
pub type Result<T> = std::result::Result<T, String>;

/// A backend: one map from keys to values, shared by every instance.
pub trait KeyValueStore: Send + Sync {
    /// The value of `key`, if there is one.
    fn get(&self, key: String) -> BoxFuture<'_, Result<Option<Vec<u8>>>>;
    /// Makes `value` the value of `key`.
    fn set(&self, key: String, value: Vec<u8>) -> BoxFuture<'_, Result<()>>;
    /// Removes `key`, which need not exist.
    fn delete(&self, key: String) -> BoxFuture<'_, Result<()>>;
    /// Whether `key` has a value.
    fn exists(&self, key: String) -> BoxFuture<'_, Result<bool>>;
    /// All keys, in no particular order.
    fn keys(&self) -> BoxFuture<'_, Result<Vec<String>>>;
}

/// The stores of a server, by the label under which a component opens them.
pub(crate) struct Stores(BTreeMap<String, Arc<dyn KeyValueStore>>);

impl Stores {
    pub(crate) fn new(configs: &BTreeMap<String, KeyValueConfig>) -> Self {
        let store = |(label, config): (&String, &KeyValueConfig)| {
            let store: Arc<dyn KeyValueStore> = match config {
                KeyValueConfig::Memory => Arc::new(MemoryStore::default()),
                KeyValueConfig::Sqlite(path) => {
                    Arc::new(SqliteStore::new(path.clone(), label.clone()))
                }
            };
            (label.clone(), store)
        };
        Self(configs.iter().map(store).collect())
    }

    fn open(&self, label: &str) -> Option<Arc<dyn KeyValueStore>> {
        self.0.get(label).cloned()
    }
}
