//! L2: Spin's key-value store, where the flavour has it.

#[cfg(feature = "spin")]
pub use spin::{KIND, get, put};

#[cfg(not(feature = "spin"))]
pub use none::{KIND, get, put};

#[cfg(feature = "spin")]
mod spin {
    use function_fetch_driver::StoreError;
    use function_fetch_engine::settings::StoreKind;
    use spin_sdk::key_value::Store;

    pub const KIND: Option<StoreKind> = Some(StoreKind::Spin);

    pub async fn get() -> Result<Option<Vec<u8>>, StoreError> {
        let (store, key) = open().await?;
        store.get(key).await.map_err(|_| StoreError)
    }

    // Spin's stores have no expiry; the record contains its age.
    pub async fn put(value: Vec<u8>) -> Result<(), StoreError> {
        let (store, key) = open().await?;
        store.set(key, value).await.map_err(|_| StoreError)
    }

    async fn open() -> Result<(Store, String), StoreError> {
        let (label, key) = function_fetch_component::memory::engine(|engine| {
            let settings = engine.settings();
            (settings.store_name.clone(), settings.cache_key.clone())
        });
        let store = Store::open(label).await.map_err(|_| StoreError)?;
        Ok((store, key))
    }
}

#[cfg(not(feature = "spin"))]
mod none {
    use function_fetch_driver::StoreError;
    use function_fetch_engine::settings::StoreKind;

    pub const KIND: Option<StoreKind> = None;

    pub async fn get() -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    pub async fn put(_: Vec<u8>) -> Result<(), StoreError> {
        Ok(())
    }
}
