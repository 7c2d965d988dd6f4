//! `[key_value_store.LABEL]`: the backend of a store.

use super::section;
use crate::key_value::RedisUrl;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

const SUPPORTED: &str =
    "supported: `spin` (a SQLite file, or memory) and `redis` (shared by many machines)";

/// The backend of a key-value store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyValueConfig {
    /// In the process, for as long as it lives.
    Memory,
    /// In this SQLite file.
    Sqlite(PathBuf),
    /// In the Redis at this address.
    Redis(RedisUrl),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpinStore {
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedisStore {
    url: String,
}

/// Reads `[key_value_store.LABEL]`. Relative paths start from `folder`.
pub(super) fn read(label: &str, value: Value, folder: &Path) -> Result<KeyValueConfig, String> {
    let name = format!("key_value_store.{label}");
    let mut options: Table = section(&name, value)?;
    let kind = match options.remove("type") {
        Some(Value::String(kind)) => kind,
        _ => return Err(format!("[{name}] needs a `type`; {SUPPORTED}")),
    };
    let options = Value::Table(options);
    match kind.as_str() {
        "spin" => {
            let store: SpinStore = section(&name, options)?;
            Ok(match store.path {
                Some(path) => KeyValueConfig::Sqlite(folder.join(path)),
                None => KeyValueConfig::Memory,
            })
        }
        "redis" => {
            let store: RedisStore = section(&name, options)?;
            let url = store.url.parse();
            url.map(KeyValueConfig::Redis)
                .map_err(|reason| format!("[{name}]: `url` {reason}"))
        }
        other => Err(format!(
            "[{name}] has type `{other}`, not supported by this host; {SUPPORTED}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<KeyValueConfig, String> {
        let table: Table = toml::from_str(text).unwrap();
        read("default", Value::Table(table), Path::new("/etc/fetch"))
    }

    #[test]
    fn each_type_has_its_options() {
        let sqlite = |path: &str| KeyValueConfig::Sqlite(PathBuf::from(path));
        let redis = |url: &str| KeyValueConfig::Redis(url.parse().unwrap());
        let cases = [
            ("type = 'spin'", KeyValueConfig::Memory),
            (
                "type = 'spin'\npath = 'a/b.db'",
                sqlite("/etc/fetch/a/b.db"),
            ),
            ("type = 'spin'\npath = '/abs.db'", sqlite("/abs.db")),
            (
                "type = 'redis'\nurl = 'redis://:secret@cache:7000/3'",
                redis("redis://:secret@cache:7000/3"),
            ),
            (
                "type = 'redis'\nurl = 'rediss://cache'",
                redis("rediss://cache"),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn errors_name_the_key_and_the_remedy_without_secrets() {
        let cases = [
            ("", "supported: `spin`"),
            ("type = 1", "supported: `spin`"),
            ("type = 'azure_cosmos'", "supported: `spin`"),
            ("type = 'aws_dynamo'", "`redis`"),
            ("type = 'spin'\npth = 'x'", "`pth`"),
            ("type = 'redis'", "`url`"),
            ("type = 'redis'\nurl = 1", "string"),
            ("type = 'redis'\nurl = 'secret'", "write redis://"),
            ("type = 'redis'\nurl = 'redis://:secret@host/name'", "`url`"),
            (
                "type = 'redis'\nurl = 'redis://host'\npassword = 'secret'",
                "`password`",
            ),
        ];
        for (text, expected) in cases {
            let error = parse(text).unwrap_err();
            assert!(
                error.contains("[key_value_store.default]") && error.contains(expected),
                "{text}: {error}"
            );
            assert!(
                !error.contains('\n') && !error.contains("secret"),
                "{text}: {error}"
            );
        }
    }
}
