//! The interface as the guest sees it, over whichever backend a label has.

use super::{KeyValueStore, StoreError, StoreFuture, StoreLimits, Stores};
use crate::instance::InstanceState;
use bindings::Error;
use std::sync::Arc;
use tracing::debug;
use wasmtime::component::{Accessor, FutureReader, HasSelf, Linker, Resource, StreamReader};

use crate::instance::bindings::spin::key_value::key_value as bindings;

/// The backend of a guest's `store` resource.
#[derive(Clone)]
pub struct StoreHandle {
    label: String,
    store: Arc<dyn KeyValueStore>,
    limits: StoreLimits,
}

pub(crate) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    bindings::add_to_linker::<_, HasSelf<InstanceState>>(linker, |state| state)
}

type Answer<T> = wasmtime::Result<Result<T, Error>>;
type KeyStream = (StreamReader<String>, FutureReader<Result<(), Error>>);
type StoreAccess = Accessor<InstanceState, HasSelf<InstanceState>>;

impl Stores {
    pub(crate) fn handle(&self, label: String) -> Option<StoreHandle> {
        let store = self.open(&label)?;
        let limits = self.limits;
        Some(StoreHandle {
            label,
            store,
            limits,
        })
    }
}

/// The operations of the backend, within the limits, which an embedder's own may not know.
impl StoreHandle {
    pub(crate) async fn get(&self, key: String) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.store.get(key).await?;
        value.map(|value| self.limits.accept(value)).transpose()
    }

    pub(crate) async fn set(&self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        self.store.set(key, self.limits.accept(value)?).await
    }

    pub(crate) fn delete(&self, key: String) -> StoreFuture<'_, ()> {
        self.store.delete(key)
    }

    pub(crate) fn exists(&self, key: String) -> StoreFuture<'_, bool> {
        self.store.exists(key)
    }

    pub(crate) async fn keys(&self) -> Result<Vec<String>, StoreError> {
        self.limits.accept_keys(self.store.keys().await?)
    }

    fn error(&self, reason: StoreError) -> Error {
        self.failed(&reason);
        Error::Other(reason.to_string())
    }

    pub(crate) fn failed(&self, reason: &StoreError) {
        debug!(store = self.label, %reason, "key-value store failed");
    }
}

/// A clone of the guest's handle, so that the table is free while the backend works.
fn handle(accessor: &StoreAccess, store: &Resource<StoreHandle>) -> wasmtime::Result<StoreHandle> {
    accessor.with(|mut access| Ok(access.get().table.get(store)?.clone()))
}

impl bindings::Host for InstanceState {}

impl bindings::HostStore for InstanceState {
    fn drop(&mut self, store: Resource<StoreHandle>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl bindings::HostStoreWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn open(accessor: &StoreAccess, label: String) -> Answer<Resource<StoreHandle>> {
        accessor.with(|mut access| {
            let state = access.get();
            match state.stores.handle(label) {
                Some(handle) => Ok(Ok(state.table.push(handle)?)),
                None => Ok(Err(Error::NoSuchStore)),
            }
        })
    }

    async fn get(
        accessor: &StoreAccess,
        store: Resource<StoreHandle>,
        key: String,
    ) -> Answer<Option<Vec<u8>>> {
        let handle = handle(accessor, &store)?;
        Ok(handle.get(key).await.map_err(|reason| handle.error(reason)))
    }

    async fn set(
        accessor: &StoreAccess,
        store: Resource<StoreHandle>,
        key: String,
        value: Vec<u8>,
    ) -> Answer<()> {
        let handle = handle(accessor, &store)?;
        Ok(handle
            .set(key, value)
            .await
            .map_err(|reason| handle.error(reason)))
    }

    async fn delete(
        accessor: &StoreAccess,
        store: Resource<StoreHandle>,
        key: String,
    ) -> Answer<()> {
        let handle = handle(accessor, &store)?;
        Ok(handle
            .delete(key)
            .await
            .map_err(|reason| handle.error(reason)))
    }

    async fn exists(
        accessor: &StoreAccess,
        store: Resource<StoreHandle>,
        key: String,
    ) -> Answer<bool> {
        let handle = handle(accessor, &store)?;
        Ok(handle
            .exists(key)
            .await
            .map_err(|reason| handle.error(reason)))
    }

    async fn get_keys(
        accessor: &StoreAccess,
        store: Resource<StoreHandle>,
    ) -> wasmtime::Result<KeyStream> {
        let handle = handle(accessor, &store)?;
        let (keys, outcome) = match handle.keys().await {
            Ok(keys) => (keys, Ok(())),
            Err(reason) => (Vec::new(), Err(handle.error(reason))),
        };
        accessor.with(|mut access| {
            Ok((
                StreamReader::new(&mut access, keys)?,
                FutureReader::new(&mut access, async move { wasmtime::error::Ok(outcome) })?,
            ))
        })
    }
}
