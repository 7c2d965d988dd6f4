//! The runtime configuration file, in Spin's format: what the operator of a host decides, not the component.
//!
//! ```toml
//! [key_value_store.default]
//! type = "spin"
//! path = "state/fetch.db" # relative to this file; without it, in memory
//!
//! [key_value_store.shared]
//! type = "redis"
//! url = "redis://127.0.0.1:6379"
//!
//! [outbound_http]
//! connection_pooling = true
//! max_concurrent_requests = 256 # 16384 by default
//! ```

mod key_value;

use crate::Error;
use crate::error::one_line;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;
use toml::{Table, Value};
use tracing::warn;

pub use key_value::KeyValueConfig;

/// The label that a component opens by default. Always there, as on Spin.
const DEFAULT_STORE: &str = "default";

/// Spin's settings in this file that this host does not use.
const SPIN_ONLY: &[&str] = &[
    "blob_store",
    "client_tls",
    "config_provider",
    "llm_compute",
    "log_dir",
    "outbound_mqtt",
    "outbound_mysql",
    "outbound_networking",
    "outbound_pg",
    "outbound_redis",
    "sqlite_database",
    "state_dir",
    "variable_provider",
    "variables_provider",
];

/// Key-value stores and outbound HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// By label. Default: `default`, in memory.
    pub key_value_stores: BTreeMap<String, KeyValueConfig>,
    /// The client for upstreams.
    pub outbound_http: OutboundHttpConfig,
}

/// The client for upstreams. A file sets the first two, which are Spin's; Spin rejects a file with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundHttpConfig {
    /// Whether connections are kept for later requests. Default: yes.
    pub connection_pooling: bool,
    /// Requests in flight, from the start until the end of the response body; more wait. Default: 16,384, which is more
    /// than there are client connections, and fewer than there may be streams on them.
    pub max_concurrent_requests: Option<usize>,
    /// Idle connections that are kept, all upstreams together. Default: 1024.
    pub max_idle_connections: usize,
    /// Idle connections that are kept to one upstream. Default: 256.
    pub max_idle_connections_per_host: usize,
    /// Bytes of a response head's fields, names and separators included; a larger head is not accepted. Default: 64
    /// KiB.
    pub max_header_bytes: usize,
    /// How long a chunk of a response body is waited for, whatever the guest allows. Default: 10 min.
    pub body_idle_timeout: Duration,
}

impl Default for OutboundHttpConfig {
    fn default() -> Self {
        Self {
            connection_pooling: true,
            max_concurrent_requests: Some(16_384),
            max_idle_connections: 1024,
            max_idle_connections_per_host: 256,
            max_header_bytes: 64 * 1024,
            body_idle_timeout: Duration::from_secs(600),
        }
    }
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            key_value_stores: BTreeMap::from([(DEFAULT_STORE.to_owned(), KeyValueConfig::Memory)]),
            outbound_http: OutboundHttpConfig::default(),
        }
    }
}

impl RuntimeConfig {
    /// Reads a runtime configuration file. A warning names what Spin uses and this host does not.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let failed = |reason: String| Error::RuntimeConfig {
            path: path.to_owned(),
            reason,
        };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).map_err(failed)
    }

    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let file: Table = toml::from_str(text).map_err(|error| match error.span() {
            Some(span) => format!(
                "line {}: {}",
                line_of(text, span.start),
                one_line(error.message())
            ),
            None => one_line(error.message()),
        })?;
        let mut config = Self::default();
        for (key, value) in file {
            match key.as_str() {
                "key_value_store" => {
                    let stores: Table = section(&key, value)?;
                    for (label, store) in stores {
                        let parsed = key_value::read(&label, store, folder)?;
                        config.key_value_stores.insert(label, parsed);
                    }
                }
                "outbound_http" => {
                    let outbound: OutboundHttp = section(&key, value)?;
                    config.outbound_http = OutboundHttpConfig {
                        connection_pooling: outbound.connection_pooling,
                        max_concurrent_requests: outbound
                            .max_concurrent_requests
                            .map(NonZeroUsize::get)
                            .or(config.outbound_http.max_concurrent_requests),
                        ..config.outbound_http
                    };
                }
                known if SPIN_ONLY.contains(&known) => {
                    warn!(
                        key = known,
                        "this host does not use this part of the runtime configuration"
                    );
                }
                unknown => {
                    return Err(format!(
                        "unknown key `{unknown}`; this host reads `key_value_store` and `outbound_http`"
                    ));
                }
            }
        }
        Ok(config)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutboundHttp {
    #[serde(default = "pooling_by_default")]
    connection_pooling: bool,
    max_concurrent_requests: Option<NonZeroUsize>,
}

fn pooling_by_default() -> bool {
    OutboundHttpConfig::default().connection_pooling
}

/// Reads the value of a key, naming the key in the error.
fn section<T: serde::de::DeserializeOwned>(name: &str, value: Value) -> Result<T, String> {
    value
        .try_into()
        .map_err(|error: toml::de::Error| format!("[{name}]: {}", one_line(error.message())))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RuntimeConfig, String> {
        RuntimeConfig::parse(text, Path::new("/etc/fetch"))
    }

    #[test]
    fn good_files() {
        let outbound = |connection_pooling, max_concurrent_requests| RuntimeConfig {
            outbound_http: OutboundHttpConfig {
                connection_pooling,
                max_concurrent_requests,
                ..OutboundHttpConfig::default()
            },
            ..RuntimeConfig::default()
        };
        let by_default = OutboundHttpConfig::default().max_concurrent_requests;
        let cases = [
            ("", RuntimeConfig::default()),
            ("[outbound_http]", outbound(true, by_default)),
            (
                "[outbound_http]\nconnection_pooling = false",
                outbound(false, by_default),
            ),
            (
                "[outbound_http]\nmax_concurrent_requests = 3",
                outbound(true, Some(3)),
            ),
            (
                "state_dir = 'x'\n[[variables_provider]]\ntype = 'static'",
                RuntimeConfig::default(),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn bad_files_are_reported_in_one_line_that_names_the_key() {
        let cases = [
            ("[key_value_store", "line 1"),
            ("\n\nx = = 1", "line 3"),
            (
                "[key_value_stores.default]\ntype = 'spin'",
                "`key_value_stores`",
            ),
            ("key_value_store = 1", "[key_value_store]"),
            (
                "[outbound_http]\nconnection_pool = true",
                "`connection_pool`",
            ),
            (
                "[outbound_http]\nconnection_pooling = 'yes'",
                "[outbound_http]",
            ),
            (
                "[outbound_http]\nmax_concurrent_requests = 0",
                "[outbound_http]",
            ),
        ];
        for (text, expected) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains('\n'), "{text}: {error}");
        }
    }
}
