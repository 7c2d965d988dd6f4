//! The sources of settings: Spin variables, on Spin, then the environment.

use function_fetch_component::{memory, settings};

/// Creates the instance's engine, at its first request.
pub async fn load() {
    let variables = variables().await;
    memory::fill(|| {
        let seed = wasip3::random::insecure::get_insecure_random_u64();
        settings::engine(crate::store::KIND, variables, seed)
    });
}

/// The settings that are Spin variables: all in one, or each by its own name.
#[cfg(feature = "spin")]
async fn variables() -> Vec<(&'static str, String)> {
    use function_fetch_component::variables::{ALL, is_set, read_all, variable};
    use function_fetch_engine::settings::NAMES;
    use spin_sdk::variables::get;

    if let Ok(all) = get(ALL).await {
        return read_all(&all);
    }
    let lookups = NAMES.map(|name| async move {
        let value = get(variable(name)).await.ok()?;
        is_set(&value).then_some((name, value))
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
