//! The store: read within a limit of time, written in the background.

use crate::platform::{Platform, StoreError};
use crate::serve::{ask, within};
use function_fetch_engine::{Millis, STORE_WRITE_TIMEOUT, Stored};

/// Reads the record; a store that does not answer in time has failed.
///
/// # Errors
///
/// When it cannot be read.
pub async fn read<P: Platform>(
    platform: &P,
    timeout: Millis,
) -> Result<Option<Stored>, StoreError> {
    within(platform, timeout, platform.store_get())
        .await
        .unwrap_or(Err(StoreError))
}

/// Writes the record in the background, if one is due.
pub(crate) fn write_due<P: Platform>(platform: &P) {
    let Some(write) = ask(platform, |engine, now| engine.take_write(now)) else {
        return;
    };
    let background = platform.clone();
    platform.spawn(async move {
        background.idle().await;
        let put = background.store_put(write.record, write.ttl_seconds);
        let well = within(&background, STORE_WRITE_TIMEOUT, put).await == Some(Ok(()));
        ask(&background, |engine, _| engine.store_written(well));
    });
}
