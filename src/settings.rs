//! Where the settings come from: Spin variables first, on Spin, then the
//! environment.

use function_fetch_engine::settings::NAMES;
use function_fetch_engine::{Capabilities, Engine, Settings};
use std::collections::HashMap;

/// Fills the instance's memory with an engine, at its first request.
pub async fn load() {
    let given = read_all().await;
    crate::memory::fill(|| {
        let host = Capabilities {
            store: crate::store::KIND,
            ..Capabilities::default()
        };
        let settings = Settings::read(host, |name| given.get(name).cloned());
        Engine::new(
            settings,
            wasip3::random::insecure::get_insecure_random_u64(),
        )
    });
}

async fn read_all() -> HashMap<&'static str, String> {
    let mut given: HashMap<&'static str, String> = NAMES
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .collect();
    for (name, value) in variables().await {
        given.insert(name, value);
    }
    given
}

/// The Spin variables that are defined and not empty; a manifest defines them
/// all, empty, so that each can be set from outside.
#[cfg(feature = "spin")]
async fn variables() -> Vec<(&'static str, String)> {
    let lookups = NAMES.map(|name| async move {
        let value = spin_sdk::variables::get(name.to_ascii_lowercase())
            .await
            .ok()?;
        (!value.trim().is_empty()).then_some((name, value))
    });
    futures::future::join_all(lookups)
        .await
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(not(feature = "spin"))]
async fn variables() -> Vec<(&'static str, String)> {
    Vec::new()
}
