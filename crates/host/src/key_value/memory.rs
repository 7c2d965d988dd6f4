//! A store that lives as long as the process.

use super::{KeyValueStore, StoreFuture, StoreLimits};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    values: Mutex<HashMap<String, Vec<u8>>>,
    limits: StoreLimits,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(limits: StoreLimits) -> Self {
        Self {
            values: Mutex::default(),
            limits,
        }
    }

    fn map(&self) -> MutexGuard<'_, HashMap<String, Vec<u8>>> {
        // Every operation is one call of the map, so a panic elsewhere leaves it consistent.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyValueStore for MemoryStore {
    fn get(&self, key: String) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(async move { Ok(self.map().get(&key).cloned()) })
    }

    fn set(&self, key: String, value: Vec<u8>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let value = self.limits.accept(value)?;
            let mut map = self.map();
            if map.len() >= self.limits.max_keys && !map.contains_key(&key) {
                return Err(self.limits.too_many_keys());
            }
            map.insert(key, value);
            Ok(())
        })
    }

    fn delete(&self, key: String) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.map().remove(&key);
            Ok(())
        })
    }

    fn exists(&self, key: String) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.map().contains_key(&key)) })
    }

    fn keys(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move { Ok(self.map().keys().cloned().collect()) })
    }
}
