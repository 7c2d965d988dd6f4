//! The initial content of a case's store.

use function_fetch_component::record::encode;
use function_fetch_engine::record::{Record, TargetRecord};
use function_fetch_engine::{Millis, Settings, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The value in the store.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Store {
    /// This text.
    Raw(String),
    /// A record of the case's targets.
    Record(RecordPlan),
}

/// A record to be made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordPlan {
    #[serde(default)]
    age_ms: f64,
    primary: String,
    #[serde(default)]
    ms: BTreeMap<String, f64>,
    #[serde(default)]
    n: BTreeMap<String, u32>,
    #[serde(default)]
    but: Map<String, Value>,
}

/// How many probes a latency has where the case does not say.
const SAMPLES: u32 = 3;

impl Store {
    /// The upstreams that it names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        let record = match self {
            Self::Raw(_) => None,
            Self::Record(record) => Some(record),
        };
        record.into_iter().flat_map(|record| {
            [&record.primary]
                .into_iter()
                .chain(record.ms.keys())
                .chain(record.n.keys())
        })
    }

    /// The value, where the targets belong to `upstreams`.
    pub(crate) fn value(
        &self,
        settings: &Settings,
        upstreams: &[String],
        now_ms: f64,
    ) -> Result<Vec<u8>, String> {
        match self {
            Self::Raw(text) => Ok(text.clone().into_bytes()),
            Self::Record(plan) => plan.value(settings, upstreams, now_ms),
        }
    }
}

impl RecordPlan {
    fn value(
        &self,
        settings: &Settings,
        upstreams: &[String],
        now_ms: f64,
    ) -> Result<Vec<u8>, String> {
        let primary = upstreams
            .iter()
            .position(|name| *name == self.primary)
            .ok_or_else(|| format!("the record's primary, {:?}, is no target", self.primary))?;
        let targets = upstreams
            .iter()
            .map(|name| match self.ms.get(name) {
                Some(ms) => TargetRecord {
                    latency: Some(Millis(*ms)),
                    n: self.n.get(name).copied().unwrap_or(SAMPLES),
                    ..TargetRecord::default()
                },
                None => TargetRecord::default(),
            })
            .collect();
        let record = Record::new(
            settings,
            Timestamp(now_ms - self.age_ms),
            primary as u32,
            targets,
        );
        let mut members: Map<String, Value> =
            serde_json::from_slice(&encode(&record)).map_err(|error| error.to_string())?;
        members.extend(self.but.clone());
        Ok(Value::Object(members).to_string().into_bytes())
    }
}
