//! Records as JSON, read as `adapters/src/driver/record.ts` reads them on JavaScript
//! hosts. They are written by `serde`, which names the members in the types.

use super::{Record, TargetRecord};
use crate::json::Json;
use crate::time::{Millis, Timestamp};
use crate::trial::{HalfOpen, LatencyTrial};

/// The maximum nesting of values: records have four levels.
const MOST_LEVELS: u32 = 8;

impl Record {
    /// The record that a text is.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let value = Json::parse(text)?;
        is_shallow(&value, MOST_LEVELS)
            .then(|| record(&value))
            .flatten()
    }
}

fn record(value: &Json) -> Option<Record> {
    let members = Members::of(value)?;
    let targets = members.needed("targets", Json::list)?;
    Some(Record {
        version: members.needed("v", count)?,
        at: members.needed("at", timestamp)?,
        hash: members.needed("hash", string)?,
        primary: members.needed("primary", count)?,
        stands_in_for: members.optional("for", count)?,
        targets: targets.iter().map(target).collect::<Option<_>>()?,
        trial: members.optional("trial", trial)?,
        pairs: members.optional("pairs", |value| pair(value).map(Into::into))?,
        told: members.optional("told", string)?,
    })
}

fn target(value: &Json) -> Option<TargetRecord> {
    let members = Members::of(value)?;
    Some(TargetRecord {
        n: members.get("n").map_or(Some(0), count)?,
        fail: members.get("fail").map_or(Some(0), count)?,
        latency: members.optional("ms", Json::number)?.map(Millis),
        at: members.optional("at", timestamp)?,
        until: members.optional("until", timestamp)?,
        last_ejection: members.optional("last", |value| {
            let (ends, length) = pair(value)?;
            Some((Timestamp(ends), Millis(length)).into())
        })?,
        live: members.optional("live", |value| pair(value).map(Into::into))?,
        live_answers: members.optional("seen", |value| {
            let (good, bad, at) = triple(value)?;
            Some((good, bad, Timestamp(at)).into())
        })?,
        half_open: members.optional("half", half_open)?,
        aside: members.optional("aside", timestamp)?,
    })
}

fn half_open(value: &Json) -> Option<HalfOpen> {
    let members = Members::of(value)?;
    Some(HalfOpen {
        passed: members.needed("passed", triple)?.into(),
        limit: members.optional("limit", Json::number)?,
        next: members.needed("next", timestamp)?,
    })
}

fn trial(value: &Json) -> Option<LatencyTrial> {
    let members = Members::of(value)?;
    Some(LatencyTrial {
        challenger: members.needed("to", count)?,
        own: members.needed("own", triple)?.into(),
        other: members.needed("other", triple)?.into(),
    })
}

/// The members of an object.
struct Members<'a>(&'a [(String, Json)]);

impl<'a> Members<'a> {
    fn of(value: &'a Json) -> Option<Self> {
        match value {
            Json::Members(members) => Some(Self(members)),
            _ => None,
        }
    }

    /// The last of repeated members counts, as in JavaScript.
    fn get(&self, name: &str) -> Option<&'a Json> {
        let mut members = self.0.iter().rev();
        members.find_map(|(known, value)| (known == name).then_some(value))
    }

    fn needed<T>(&self, name: &str, read: impl Fn(&'a Json) -> Option<T>) -> Option<T> {
        self.get(name).and_then(read)
    }

    /// What may be absent, or null.
    fn optional<T>(&self, name: &str, read: impl Fn(&'a Json) -> Option<T>) -> Option<Option<T>> {
        match self.get(name) {
            None | Some(Json::Null) => Some(None),
            Some(value) => read(value).map(Some),
        }
    }
}

fn string(value: &Json) -> Option<String> {
    value.text().map(str::to_owned)
}

fn timestamp(value: &Json) -> Option<Timestamp> {
    value.number().map(Timestamp)
}

/// An unsigned integer of 32 bits. As JavaScript reads numbers, `1.0` is one.
fn count(value: &Json) -> Option<u32> {
    let number = value.number()?;
    let is_count = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    is_count.then_some(number as u32)
}

fn pair(value: &Json) -> Option<(f64, f64)> {
    match value.list()? {
        [one, two] => Some((one.number()?, two.number()?)),
        _ => None,
    }
}

fn triple(value: &Json) -> Option<(f64, f64, f64)> {
    match value.list()? {
        [one, two, three] => Some((one.number()?, two.number()?, three.number()?)),
        _ => None,
    }
}

/// Whether a value is nested no deeper than this.
fn is_shallow(value: &Json, levels: u32) -> bool {
    if levels == 0 {
        return false;
    }
    match value {
        Json::List(list) => list.iter().all(|value| is_shallow(value, levels - 1)),
        Json::Members(members) => {
            let mut values = members.iter().map(|(_, value)| value);
            values.all(|value| is_shallow(value, levels - 1))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
