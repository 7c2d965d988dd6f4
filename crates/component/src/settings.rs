//! The sources of settings: the platform's variables, where it has any, then
//! the environment.

use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{Capabilities, Engine, Settings};

/// The engine of an instance on a host with this `store`, from the environment
/// and the `variables` that are defined and not empty, which override it.
/// `seed` makes instances act at different moments.
#[must_use]
pub fn engine(
    store: Option<StoreKind>,
    variables: impl IntoIterator<Item = (&'static str, String)>,
    seed: u64,
) -> Engine {
    let variables: Vec<(&'static str, String)> = variables.into_iter().collect();
    let host = Capabilities {
        store,
        ..Capabilities::default()
    };
    let settings = Settings::read(host, |name| {
        let mut latest_first = variables.iter().rev();
        let variable = latest_first.find(|(known, _)| *known == name);
        variable.map_or_else(
            || std::env::var(name).ok(),
            |(_, value)| Some(value.clone()),
        )
    });
    Engine::new(settings, seed)
}
