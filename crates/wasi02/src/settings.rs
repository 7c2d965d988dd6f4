//! The sources of settings: Spin variables, on Spin, then the environment.

use crate::wasi::random::insecure::get_insecure_random_u64;
use function_fetch_component::{memory, settings};

/// Creates the instance's engine, at its first request.
pub fn load() {
    memory::fill(|| settings::engine(crate::store::KIND, variables(), get_insecure_random_u64()));
}

/// The settings that are Spin variables: all in one, or each by its own name.
#[cfg(feature = "spin")]
fn variables() -> Vec<(&'static str, String)> {
    use crate::bindings::fermyon::spin::variables::get;
    use function_fetch_component::variables::{ALL, is_set, read_all, variable};
    use function_fetch_engine::settings::NAMES;

    if let Ok(all) = get(ALL) {
        return read_all(&all);
    }
    NAMES
        .into_iter()
        .filter_map(|name| {
            let value = get(&variable(name)).ok()?;
            is_set(&value).then_some((name, value))
        })
        .collect()
}

#[cfg(not(feature = "spin"))]
fn variables() -> Vec<(&'static str, String)> {
    Vec::new()
}
