//! A store that lives as long as the process.

use super::{KeyValueStore, Result};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<HashMap<String, Vec<u8>>>);

impl MemoryStore {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Vec<u8>>> {
        // Every operation is one call of the map, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyValueStore for MemoryStore {
    fn get(&self, key: String) -> BoxFuture<'_, Result<Option<Vec<u8>>>> {
        async move { Ok(self.map().get(&key).cloned()) }.boxed()
    }

    fn set(&self, key: String, value: Vec<u8>) -> BoxFuture<'_, Result<()>> {
        async move {
            self.map().insert(key, value);
            Ok(())
        }
        .boxed()
    }

    fn delete(&self, key: String) -> BoxFuture<'_, Result<()>> {
        async move {
            self.map().remove(&key);
            Ok(())
        }
        .boxed()
    }

    fn exists(&self, key: String) -> BoxFuture<'_, Result<bool>> {
        async move { Ok(self.map().contains_key(&key)) }.boxed()
    }

    fn keys(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        async move { Ok(self.map().keys().cloned().collect()) }.boxed()
    }
}
