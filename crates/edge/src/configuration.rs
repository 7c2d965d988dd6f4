//! The settings: in by name, out as what the host's part of the work needs.

use crate::wit;
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Capabilities, Engine, Millis, Preference, STORE_TIMEOUT, STORE_WRITE_TIMEOUT, Settings, Target,
    USER_AGENT, headers,
};
use function_fetch_status::{FORM_TIMEOUT_MS, MOST_FORM_BYTES};

/// An engine for these settings.
pub fn engine(given: &[(String, String)], limits: &wit::Limits, seed: f64) -> Engine {
    let host = Capabilities {
        store: limits.store.map(|store| match store {
            wit::StoreKind::WorkersKv => StoreKind::WorkersKv,
            wit::StoreKind::EdgeKv => StoreKind::EdgeKv,
            wit::StoreKind::Custom => StoreKind::Custom,
        }),
        max_probes: limits.max_probes,
        // A call into the engine is expensive from JavaScript.
        sampled_reports: true,
    };
    // The engine's generator mixes well; any bits of the host's number will do.
    Engine::new(Settings::of(host, given), seed.to_bits())
}

/// An engine with these targets and nothing else said, for tests.
#[cfg(test)]
pub fn engine_of(targets: &str) -> Engine {
    let given = [("FETCH_TARGETS".to_owned(), targets.to_owned())];
    let limits = wit::Limits {
        store: None,
        max_probes: None,
    };
    engine(&given, &limits, 0.5)
}

/// What the host's part of the work needs of the settings.
pub fn of(settings: &Settings) -> wit::Configuration {
    wit::Configuration {
        targets: settings
            .targets
            .iter()
            .map(|target| to_host(target, &settings.health_path))
            .collect(),
        cache_key: settings.cache_key.clone(),
        store_name: settings.store_name.clone(),
        connect_timeout: settings.connect_timeout.whole(),
        replay_body_bytes: settings.replay_body_bytes,
        store_timeout: STORE_TIMEOUT.whole(),
        store_write_timeout: STORE_WRITE_TIMEOUT.whole(),
        report_from_status: settings.report_from_status(),
        forwarded: settings.forwarded,
        trust_forwarded: settings.trust_forwarded,
        explain: settings.explain,
        stats_after: settings.stats.map_or(0, Millis::whole),
        status_path: settings.status_path.clone(),
        status_form_bytes: MOST_FORM_BYTES as u32,
        status_form_timeout: FORM_TIMEOUT_MS,
        hop_by_hop: crate::texts(&headers::HOP_BY_HOP),
        user_agent: USER_AGENT.to_owned(),
        via: headers::VIA.to_owned(),
    }
}

fn to_host(target: &Target, health_path: &str) -> wit::Target {
    let Preference { tier, weight } = target.preference();
    wit::Target {
        origin: target.origin(),
        base_path: target.base_path().to_owned(),
        health_url: target.origin() + &target.path_for(health_path),
        tier,
        weight,
    }
}
