//! The sources of settings: the platform's variables, where it has any, then
//! the environment.

use function_fetch_engine::settings::{NAMES, StoreKind};
use function_fetch_engine::{Capabilities, Engine, Settings};
use std::collections::HashMap;

/// The engine of an instance on a host with this `store`, from the environment
/// and the `variables` that are defined and not empty, which override it.
/// `seed` makes instances act at different moments.
#[must_use]
pub fn engine(
    store: Option<StoreKind>,
    variables: impl IntoIterator<Item = (&'static str, String)>,
    seed: u64,
) -> Engine {
    let mut given: HashMap<&'static str, String> = NAMES
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .collect();
    given.extend(variables);
    let host = Capabilities {
        store,
        ..Capabilities::default()
    };
    let settings = Settings::read(host, |name| given.get(name).cloned());
    Engine::new(settings, seed)
}
