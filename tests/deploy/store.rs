//! Runtime configurations, in Spin's format.

use crate::{kubernetes, text};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeConfig {
    key_value_store: BTreeMap<String, Store>,
    #[serde(default)]
    outbound_http: Outbound,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, tag = "type", rename_all = "snake_case")]
enum Store {
    Spin { path: String },
    Redis { url: String },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outbound {
    #[serde(default)]
    connection_pooling: Option<bool>,
}

/// Reads a runtime configuration.
pub fn parse(text: &str) -> Result<RuntimeConfig, toml::de::Error> {
    toml::from_str(text)
}

fn read(text: &str) -> RuntimeConfig {
    let config = parse(text).expect("a runtime configuration");
    // The default of FETCH_CACHE_KV_BINDING, and the label in the Spin manifests.
    assert_eq!(
        config.key_value_store.keys().collect::<Vec<_>>(),
        ["default"]
    );
    config
}

#[test]
fn the_roots_and_the_services_store_is_a_file() {
    for path in ["runtime-config.toml", "deploy/systemd/runtime-config.toml"] {
        let config = read(&text(path));
        let Store::Spin { path } = &config.key_value_store["default"] else {
            panic!("{path}: a file");
        };
        assert!(!path.is_empty());
        assert_ne!(config.outbound_http.connection_pooling, Some(false));
    }
}

#[test]
fn spinkubes_store_is_shared() {
    let config = read(&kubernetes::runtime_config().1);
    let Store::Redis { url } = &config.key_value_store["default"] else {
        panic!("replicas share nothing through a file");
    };
    assert!(url.starts_with("redis://"), "{url}");
}
