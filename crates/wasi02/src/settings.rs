//! Where the settings come from: Spin variables first, on Spin, then the
//! environment.

use crate::wasi::random::insecure::get_insecure_random_u64;
use function_fetch_component::{memory, settings};

/// Fills the instance's memory with an engine, at its first request.
pub fn load() {
    memory::fill(|| settings::engine(crate::store::KIND, variables(), get_insecure_random_u64()));
}

/// The Spin variables that are set.
#[cfg(feature = "spin")]
fn variables() -> impl Iterator<Item = (&'static str, String)> {
    use crate::bindings::fermyon::spin::variables;
    use function_fetch_engine::settings::NAMES;

    NAMES.into_iter().filter_map(|name| {
        let value = variables::get(&name.to_ascii_lowercase()).ok()?;
        settings::is_set(&value).then_some((name, value))
    })
}

#[cfg(not(feature = "spin"))]
fn variables() -> impl Iterator<Item = (&'static str, String)> {
    std::iter::empty()
}
