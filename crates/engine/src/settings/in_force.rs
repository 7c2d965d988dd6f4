//! The settings as they are in force, as text and numbers: what was given where it
//! could be used, else the default.

use super::{ColdStart, Settings, StoreKind, table};
use crate::time::Millis;
use serde::Serialize;

/// A setting and its value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InForce {
    /// Its name.
    pub setting: &'static str,
    /// Its value.
    pub value: Value,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A number in the unit that the setting's name says.
    Number(u32),
    /// Anything else, as it would be written.
    Text(String),
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Settings {
    /// Every setting that is in force here, in the order of the documentation. The
    /// targets are left out, and what must not be shown.
    #[must_use]
    pub fn in_force(&self) -> Vec<InForce> {
        let mut list = Vec::new();
        let mut add = |setting, value: Value| list.push(InForce { setting, value });
        add(table::HEALTH_PATH.name, self.health_path.as_str().into());
        add(table::HEALTH_TIMEOUT.name, ms(self.health_timeout));
        add(table::RETRY_ON_5XX.name, self.retry_on_5xx.into());
        add(
            table::RETRY_STATUSES.name,
            self.retry_statuses.to_string().into(),
        );
        add(table::CACHE_ADAPTER.name, self.caches().into());
        add(table::CACHE_KEY.name, self.cache_key.as_str().into());
        add(table::CACHE_TTL.name, seconds(self.cache_ttl));
        add(table::CACHE_SYNC.name, seconds(self.cache_sync));
        if let Some(store) = self.cache_store {
            let name = match store {
                StoreKind::EdgeKv => table::ESA_KV_NAMESPACE.name,
                _ => table::CACHE_KV_BINDING.name,
            };
            add(name, self.store_name.as_str().into());
        }
        add(table::MAX_ATTEMPTS.name, self.max_attempts.into());
        add(table::CONNECT_TIMEOUT.name, ms(self.connect_timeout));
        add(
            table::ATTEMPT_TIMEOUT.name,
            self.attempt_timeout.map_or(0.into(), ms),
        );
        add(table::DEADLINE.name, self.deadline.map_or(0.into(), ms));
        let methods = match &self.retry_methods[..] {
            [] => "none".to_owned(),
            methods => methods.join(","),
        };
        add(table::RETRY_METHODS.name, methods.into());
        add(table::REPLAY_BODY.name, self.replay_body_bytes.into());
        add(table::STALE.name, seconds(self.stale));
        add(
            table::SWITCH_MARGIN.name,
            self.switch_margin_text.as_str().into(),
        );
        add(table::SPREAD.name, self.spread.into());
        let cold_start = match self.cold_start {
            ColdStart::Probe => "probe",
            ColdStart::Race => "race",
        };
        add(table::COLD_START.name, cold_start.into());
        add(table::HEDGE.name, self.hedge.map_or("off".into(), ms));
        add(table::MAX_PROBES.name, self.max_probes.into());
        add(table::FORWARDED.name, self.forwarded.into());
        add(table::TRUST_FORWARDED.name, self.trust_forwarded.into());
        add(table::EXPLAIN.name, self.explain.into());
        add(table::STATS.name, self.stats.map_or("off".into(), seconds));
        let path = self.status_path.as_deref();
        add(table::STATUS_PATH.name, path.unwrap_or("off").into());
        list
    }

    fn caches(&self) -> &'static str {
        match (self.cache_memory, self.cache_store.is_some()) {
            (true, true) => "memory,kv",
            (true, false) => "memory",
            (false, true) => "kv",
            (false, false) => "none",
        }
    }
}

fn ms(span: Millis) -> Value {
    span.whole().into()
}

fn seconds(span: Millis) -> Value {
    (span / 1000.0).whole().into()
}

#[cfg(test)]
mod tests {
    use super::super::{Capabilities, NAMES, TABLE};
    use super::*;

    fn read(given: &[(&str, &str)]) -> Settings {
        let host = Capabilities {
            store: Some(StoreKind::Spin),
            ..Capabilities::default()
        };
        Settings::read(host, |name| {
            let (_, value) = given.iter().find(|(given, _)| *given == name)?;
            Some((*value).to_owned())
        })
    }

    const LEFT_OUT: [&str; 3] = ["FETCH_TARGETS", "FETCH_STATUS_TOKEN", "ESA_KV_NAMESPACE"];

    #[test]
    fn every_setting_is_there_but_the_targets_and_the_secret() {
        let secret = "a token that nobody may see";
        let settings = read(&[
            ("FETCH_TARGETS", "http://a.example"),
            ("FETCH_STATUS_PATH", "/status"),
            ("FETCH_STATUS_TOKEN", secret),
        ]);
        let names: Vec<_> = settings.in_force().iter().map(|one| one.setting).collect();
        let wanted = NAMES.into_iter().filter(|name| !LEFT_OUT.contains(name));
        assert_eq!(names, wanted.collect::<Vec<_>>());
        let text = serde_json::to_string(&settings.in_force()).unwrap();
        assert!(!text.contains(secret), "{text}");
    }

    #[test]
    fn what_is_shown_can_be_set_and_changes_nothing() {
        for given in [
            vec![("FETCH_TARGETS", "http://a.example,http://b.example")],
            vec![
                ("FETCH_TARGETS", "http://a.example"),
                ("FETCH_RETRY_STATUSES", "429,500-502,599"),
                ("FETCH_RETRY_METHODS", "none"),
                ("FETCH_SWITCH_MARGIN", "7.5%"),
                ("FETCH_HEDGE_MS", "250"),
                ("FETCH_DEADLINE_MS", "0"),
                ("FETCH_STATS_SECONDS", "10"),
                ("FETCH_CACHE_ADAPTER", "none"),
                ("FETCH_COLD_START", "race"),
                ("FETCH_STALE_SECONDS", "7"),
                ("FETCH_STATUS_PATH", "/status"),
                ("FETCH_STATUS_TOKEN", "0123456789abcdef"),
            ],
        ] {
            let settings = read(&given);
            assert_eq!(settings.problems, []);
            let shown: Vec<(&str, String)> = settings
                .in_force()
                .into_iter()
                .filter(|one| one.value != "off".into())
                .map(|one| {
                    let text = match one.value {
                        Value::Flag(flag) => flag.to_string(),
                        Value::Number(number) => number.to_string(),
                        Value::Text(text) => text,
                    };
                    (one.setting, text)
                })
                .collect();
            let mut again: Vec<(&str, &str)> = shown
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            again.extend(given.iter().filter(|(name, _)| LEFT_OUT.contains(name)));
            assert_eq!(read(&again), settings);
        }
    }

    #[test]
    fn the_store_is_named_by_the_setting_of_its_host() {
        for (store, wanted) in [
            (StoreKind::Spin, "FETCH_CACHE_KV_BINDING"),
            (StoreKind::WorkersKv, "FETCH_CACHE_KV_BINDING"),
            (StoreKind::EdgeKv, "ESA_KV_NAMESPACE"),
        ] {
            let host = Capabilities {
                store: Some(store),
                ..Capabilities::default()
            };
            let settings = Settings::read(host, |name| match name {
                "FETCH_TARGETS" => Some("http://a http://b".to_owned()),
                name => (name == wanted).then(|| "mine".to_owned()),
            });
            let shown = settings.in_force();
            let named: Vec<_> = shown
                .iter()
                .filter(|one| one.value == "mine".into())
                .map(|one| one.setting)
                .collect();
            assert_eq!(named, [wanted]);
        }
    }

    #[test]
    fn a_default_is_shown_as_the_table_has_it() {
        let settings = read(&[("FETCH_TARGETS", "http://a.example")]);
        let mut compared = 0;
        for one in settings.in_force() {
            let row = TABLE.iter().find(|row| row.name == one.setting).unwrap();
            let shown = serde_json::to_value(&one.value).unwrap();
            let shown = shown.as_str().map_or(shown.to_string(), str::to_owned);
            if let Some(default) = row.kind.default_text().filter(|text| text != "auto") {
                assert_eq!(shown, default, "{}", row.name);
                compared += 1;
            }
        }
        assert!(compared >= 15, "{compared}");
    }
}
