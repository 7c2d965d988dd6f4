//! L2: Spin's key-value store, where the flavour has it. Its calls block the
//! instance, so the driver makes those that no request waits for only after the
//! client has its response.

#[cfg(feature = "spin")]
pub use spin::{KIND, get, put};

#[cfg(not(feature = "spin"))]
pub use none::{KIND, get, put};

#[cfg(feature = "spin")]
mod spin {
    use crate::bindings::fermyon::spin::key_value::Store;
    use function_fetch_component::memory;
    use function_fetch_driver::StoreError;
    use function_fetch_engine::settings::StoreKind;

    pub const KIND: Option<StoreKind> = Some(StoreKind::Spin);

    pub fn get() -> Result<Option<Vec<u8>>, StoreError> {
        let (store, key) = open()?;
        store.get(&key).map_err(|_| StoreError)
    }

    // Spin's stores have no expiry; the record contains its age.
    pub fn put(value: &[u8]) -> Result<(), StoreError> {
        let (store, key) = open()?;
        store.set(&key, value).map_err(|_| StoreError)
    }

    fn open() -> Result<(Store, String), StoreError> {
        let (label, key) = memory::engine(|engine| {
            let settings = engine.settings();
            (settings.store_name.clone(), settings.cache_key.clone())
        });
        let store = Store::open(&label).map_err(|_| StoreError)?;
        Ok((store, key))
    }
}

#[cfg(not(feature = "spin"))]
mod none {
    use function_fetch_driver::StoreError;
    use function_fetch_engine::settings::StoreKind;

    pub const KIND: Option<StoreKind> = None;

    pub fn get() -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    pub fn put(_: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
}
