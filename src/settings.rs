//! Where the settings come from: Spin variables first, on Spin, then the
//! environment.

use function_fetch_component::{memory, settings};

/// Fills the instance's memory with an engine, at its first request.
pub async fn load() {
    let variables = variables().await;
    memory::fill(|| {
        let seed = wasip3::random::insecure::get_insecure_random_u64();
        settings::engine(crate::store::KIND, variables, seed)
    });
}

/// The Spin variables that are set.
#[cfg(feature = "spin")]
async fn variables() -> Vec<(&'static str, String)> {
    use function_fetch_engine::settings::NAMES;

    let lookups = NAMES.map(|name| async move {
        let value = spin_sdk::variables::get(name.to_ascii_lowercase())
            .await
            .ok()?;
        settings::is_set(&value).then_some((name, value))
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
