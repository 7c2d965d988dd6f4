//! What a runner starts its proxy with.

use crate::expectation::StoreRule;
use crate::plan::Plan;
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{Capabilities, Settings};
use serde_json::Value;
use std::collections::BTreeMap;

/// The path of probes, which no client requests.
const HEALTH_PATH: &str = "/health";

/// The settings of a case, and what follows from them.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Every setting, by name.
    pub settings: BTreeMap<String, String>,
    /// The initial content of the store under [`Setup::key`].
    pub store: Option<Vec<u8>>,
    read: Settings,
    /// By target: its upstream.
    upstreams: Vec<String>,
}

/// A case that cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the case cannot be set up: {0}")]
pub struct SetupError(String);

impl Setup {
    /// For a case whose upstreams are at `authorities`, on a host with this
    /// kind of store.
    ///
    /// # Errors
    ///
    /// A [`SetupError`] when the store's record cannot be made.
    pub fn new(
        plan: &Plan,
        authorities: &BTreeMap<String, String>,
        store: Option<StoreKind>,
        now_ms: f64,
    ) -> Result<Self, SetupError> {
        let all = || {
            authorities
                .values()
                .map(|authority| format!("http://{authority}"))
                .collect()
        };
        let targets: Vec<String> = plan.targets.clone().unwrap_or_else(all);
        let mut settings = BTreeMap::from([
            ("FETCH_HEALTH_PATH".to_owned(), HEALTH_PATH.to_owned()),
            ("FETCH_TARGETS".to_owned(), targets.join(",")),
        ]);
        for (name, value) in &plan.settings {
            match value {
                Some(value) => settings.insert(name.clone(), value.clone()),
                None => settings.remove(name),
            };
        }
        let host = Capabilities {
            store,
            ..Capabilities::default()
        };
        let read = Settings::read(host, |name| settings.get(name).cloned());
        let upstreams: Vec<String> = read
            .targets
            .iter()
            .map(|target| {
                authorities
                    .iter()
                    .find(|(_, authority)| *authority == target.authority())
                    .map(|(name, _)| name.clone())
                    .unwrap_or_default()
            })
            .collect();
        let value = plan
            .store
            .as_ref()
            .map(|store| store.value(&read, &upstreams, now_ms))
            .transpose()
            .map_err(SetupError)?;
        Ok(Self {
            settings,
            store: value,
            read,
            upstreams,
        })
    }

    /// The key of the decision, as encoded for the store.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.read.cache_key
    }

    /// The settings as the engine reads them.
    #[must_use]
    pub fn engine_settings(&self) -> &Settings {
        &self.read
    }

    /// Whether a request for this path, below any base path, is a probe.
    #[must_use]
    pub fn is_probe(&self, path: &str) -> bool {
        path.ends_with(&self.read.health_path)
    }

    /// Why the store does not hold what the case expects in the end.
    pub(crate) fn store_difference(
        &self,
        rule: &StoreRule,
        value: Option<&[u8]>,
    ) -> Option<String> {
        let text = value.map(String::from_utf8_lossy);
        let wanted = match rule {
            StoreRule::Empty(_) if value.is_none() => return None,
            StoreRule::Empty(_) => "nothing".to_owned(),
            StoreRule::Raw(raw) if text.as_deref() == Some(raw) => return None,
            StoreRule::Raw(raw) => format!("{raw:?}"),
            StoreRule::Primary(name) if self.primary(value) == Some(name) => return None,
            StoreRule::Primary(name) => format!("a record whose primary is {name}"),
        };
        let held = match text {
            None => "nothing".to_owned(),
            Some(text) => format!("{text:?}"),
        };
        Some(format!("the store holds {held}, not {wanted}"))
    }

    /// The upstream of a record's primary.
    fn primary(&self, value: Option<&[u8]>) -> Option<&String> {
        let record: Value = serde_json::from_slice(value?).ok()?;
        let primary = record.get("primary")?.as_u64()?;
        self.upstreams.get(usize::try_from(primary).ok()?)
    }
}
