//! A store that lives as long as the process.

use super::{KeyValueStore, StoreFuture};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<HashMap<String, Vec<u8>>>);

impl MemoryStore {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Vec<u8>>> {
        // Every operation is one call of the map, so a panic elsewhere leaves it consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyValueStore for MemoryStore {
    fn get(&self, key: String) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(async move { Ok(self.map().get(&key).cloned()) })
    }

    fn set(&self, key: String, value: Vec<u8>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.map().insert(key, value);
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
