//! What one host runs of a case, with every placeholder filled in.

use crate::behaviour::Behaviour;
use crate::expectation::StoreRule;
use crate::notices::NoticesRule;
use crate::record::Store;
use crate::step::{Kind, Step};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A case without its name and exceptions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, Option<String>>,
    pub(crate) targets: Option<Vec<String>>,
    pub(crate) upstreams: BTreeMap<String, Behaviour>,
    pub(crate) store: Option<Store>,
    pub(crate) steps: Vec<Step>,
    pub(crate) store_after: Option<StoreRule>,
    #[serde(default)]
    pub(crate) notices: NoticesRule,
}

impl Plan {
    /// The upstreams, as they behave at first.
    #[must_use]
    pub fn upstreams(&self) -> &BTreeMap<String, Behaviour> {
        &self.upstreams
    }

    /// What serde cannot check: that names are known, and values valid.
    pub(crate) fn check(&self) -> Result<(), String> {
        for name in self.upstreams.keys() {
            if !matches!(name.as_bytes(), [b'a'..=b'z']) {
                return Err(format!("upstreams: {name:?} is not one lower-case letter"));
            }
        }
        if self.steps.is_empty() {
            return Err("there are no steps".into());
        }
        for (index, step) in self.steps.iter().enumerate() {
            let changed = match &step.0 {
                Kind::Behave(upstreams) => Some(upstreams),
                _ => None,
            };
            for behaviour in changed.into_iter().flat_map(BTreeMap::values) {
                behaviour
                    .check()
                    .map_err(|reason| format!("steps[{index}]: {reason}"))?;
            }
            for name in step.names() {
                self.knows(name, &format!("steps[{index}]"))?;
            }
        }
        for (name, behaviour) in &self.upstreams {
            behaviour
                .check()
                .map_err(|reason| format!("upstreams.{name}: {reason}"))?;
        }
        for name in self.store.iter().flat_map(Store::names) {
            self.knows(name, "store")?;
        }
        if let Some(StoreRule::Primary(name)) = &self.store_after {
            self.knows(name, "store_after")?;
        }
        Ok(())
    }

    fn knows(&self, name: &str, place: &str) -> Result<(), String> {
        if self.upstreams.contains_key(name) {
            Ok(())
        } else {
            Err(format!("{place}: there is no upstream {name:?}"))
        }
    }
}

/// The upstreams of a case that names none.
pub(crate) fn two_plain() -> Value {
    json!({"a": {}, "b": {"health": {"delay_ms": 150}}})
}
