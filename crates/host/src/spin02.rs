//! `fermyon:spin@2.0.0`: the stores and variables of a WASI 0.2 component. The same ones, by calls that block the
//! instance until they return.

use crate::instance::InstanceState;
use crate::key_value::StoreError;
use crate::key_value::guest::StoreHandle;
use crate::variables::bindings as variables3;
use bindings::fermyon::spin::{key_value, variables};
use key_value::Error;
use std::time::Duration;
use wasmtime::component::{HasSelf, Linker, Resource};

/// Generated from `wit/`.
#[allow(missing_docs, reason = "generated code")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "spin02",
        imports: { default: async | trappable },
        with: { "fermyon:spin/key-value.store": crate::key_value::guest::StoreHandle },
    });
}

/// How long a read may block the instance. A WASI 0.3 component times out by itself; one that is blocked cannot.
const READ_TIMEOUT: Duration = Duration::from_millis(250);

/// The same for a write, for which no request waits, but the next one may need the instance.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    key_value::add_to_linker::<_, HasSelf<InstanceState>>(linker, |state| state)?;
    variables::add_to_linker::<_, HasSelf<InstanceState>>(linker, |state| state)
}

type Answer<T> = wasmtime::Result<Result<T, Error>>;

impl InstanceState {
    fn handle(&self, store: &Resource<StoreHandle>) -> wasmtime::Result<StoreHandle> {
        Ok(self.table.get(store)?.clone())
    }
}

async fn within<T>(
    handle: &StoreHandle,
    limit: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(StoreError::new(format!("no reply within {limit:?}"))))
        .map_err(|reason| {
            handle.failed(&reason);
            Error::Other(reason.to_string())
        })
}

impl key_value::Host for InstanceState {}

impl key_value::HostStore for InstanceState {
    async fn open(&mut self, label: String) -> Answer<Resource<StoreHandle>> {
        match self.stores.handle(label) {
            Some(handle) => Ok(Ok(self.table.push(handle)?)),
            None => Ok(Err(Error::NoSuchStore)),
        }
    }

    async fn get(&mut self, store: Resource<StoreHandle>, key: String) -> Answer<Option<Vec<u8>>> {
        let handle = self.handle(&store)?;
        Ok(within(&handle, READ_TIMEOUT, handle.get(key)).await)
    }

    async fn set(
        &mut self,
        store: Resource<StoreHandle>,
        key: String,
        value: Vec<u8>,
    ) -> Answer<()> {
        let handle = self.handle(&store)?;
        Ok(within(&handle, WRITE_TIMEOUT, handle.set(key, value)).await)
    }

    async fn delete(&mut self, store: Resource<StoreHandle>, key: String) -> Answer<()> {
        let handle = self.handle(&store)?;
        Ok(within(&handle, WRITE_TIMEOUT, handle.delete(key)).await)
    }

    async fn exists(&mut self, store: Resource<StoreHandle>, key: String) -> Answer<bool> {
        let handle = self.handle(&store)?;
        Ok(within(&handle, READ_TIMEOUT, handle.exists(key)).await)
    }

    async fn get_keys(&mut self, store: Resource<StoreHandle>) -> Answer<Vec<String>> {
        let handle = self.handle(&store)?;
        Ok(within(&handle, READ_TIMEOUT, handle.keys()).await)
    }

    async fn drop(&mut self, store: Resource<StoreHandle>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl variables::Host for InstanceState {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, variables::Error>> {
        Ok(self.variables.get(&name).map_err(|error| match error {
            variables3::Error::InvalidName(text) => variables::Error::InvalidName(text),
            variables3::Error::Undefined(text) => variables::Error::Undefined(text),
            variables3::Error::Provider(text) => variables::Error::Provider(text),
            variables3::Error::Other(text) => variables::Error::Other(text),
        }))
    }
}
