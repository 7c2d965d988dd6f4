//! What a server that starts says of its settings: the targets, where decisions are kept, and what is wrong.

use super::check;
use function_fetch_engine::Settings;
use function_fetch_host::{KeyValueConfig, RuntimeConfig};
use std::collections::BTreeMap;
use tracing::{info, warn};

/// Of the settings that are set, as the component will read them. What is wrong with a value the component reports
/// itself, once, as an event; a person at a terminal is told now.
pub fn say(given: &BTreeMap<String, String>, runtime: &RuntimeConfig, for_people: bool) {
    let settings = check::read(given);
    if let Some(error) = &settings.no_targets {
        warn!(
            "{}; until then every request gets a 500",
            check::sentence(error)
        );
    }
    for problem in given.keys().filter_map(|name| check::unknown(name)) {
        warn!("{problem}");
    }
    let problems = settings.problems.len();
    if for_people {
        for problem in &settings.problems {
            warn!("{problem}");
        }
    } else if problems > 0 {
        warn!(
            problems,
            "settings cannot be used as they are: see the events, or `function-fetch check`"
        );
    }
    if settings.targets.is_empty() {
        return;
    }
    for target in &settings.targets {
        info!("target {target}{}", target.preference().note());
    }
    if settings.ranking_enabled() {
        info!("probes ask for {}", settings.health_path);
    }
    info!("{}", memory(&settings, runtime));
}

/// Where decisions are kept.
fn memory(settings: &Settings, runtime: &RuntimeConfig) -> String {
    let label = &settings.store_name;
    let store = match runtime.key_value_stores.get(label) {
        Some(KeyValueConfig::Memory) => "in this process".to_owned(),
        Some(KeyValueConfig::Sqlite(file)) => format!("in the file {}", file.display()),
        Some(KeyValueConfig::Redis(url)) => format!("in {url}"),
        Some(_) => "elsewhere".to_owned(),
        None => "which does not exist: name it in --runtime-config-file".to_owned(),
    };
    match (settings.cache_memory, settings.cache_store.is_some()) {
        _ if settings.targets.len() == 1 => {
            "one target: nothing is measured or remembered".to_owned()
        }
        (false, false) => {
            "nothing is measured or remembered: targets are tried in this order".to_owned()
        }
        (true, false) => "decisions are kept in each instance alone".to_owned(),
        (_, true) => format!("decisions are shared by the store `{label}`, {store}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_decisions_are_kept_is_said_as_the_settings_have_it() {
        let said = |given: &[(&str, &str)]| {
            let mut settings = BTreeMap::from([("FETCH_TARGETS", "http://a http://b")]);
            settings.extend(given.iter().copied());
            let owned = settings
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v.to_owned()));
            memory(&check::read(&owned.collect()), &RuntimeConfig::default())
        };
        for (given, part) in [
            (&[][..], "store `default`, in this process"),
            (&[("FETCH_TARGETS", "http://a")], "one target"),
            (&[("FETCH_CACHE_ADAPTER", "none")], "in this order"),
            (&[("FETCH_CACHE_ADAPTER", "memory")], "each instance alone"),
            (
                &[("FETCH_CACHE_KV_BINDING", "other")],
                "`other`, which does not exist",
            ),
        ] {
            assert!(
                said(given).contains(part),
                "{} has no {part:?}",
                said(given)
            );
        }
    }
}
