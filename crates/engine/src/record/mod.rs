//! The L2 record: what instances tell each other through the store.
//!
//! One small JSON value. It carries its own age, since not every store has a
//! TTL, and a hash of what it was measured for, since the settings may have
//! changed meanwhile. What cannot be trusted is a miss.

use crate::json::{self, Value};
use crate::settings::Settings;

const VERSION: u32 = 1;

/// The whole numbers up to here are exact: 2^53.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// A record is a few hundred bytes; anything of this size is not ours.
const MAX_BYTES: usize = 64 * 1024;

/// How far ahead another machine's clock may be before its record is taken for
/// one from the future.
const CLOCK_SKEW_MS: f64 = 10_000.0;

/// The longest latency that is believed, ms: a day.
const MOST_MS: f64 = 86_400_000.0;

/// What is believed of live requests: of the mean of ln ms that it is up to the
/// longest latency's or that of a nanosecond, and of the variance that it is no more than this.
const MOST_LOG: f64 = 20.0;
const MOST_VARIANCE: f64 = 400.0;

/// The decision and what it stands on, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The format's version; `v` in the value.
    pub version: u32,
    /// When the targets were measured, ms since the Unix epoch.
    pub at: f64,
    /// [`hash`] of the settings that it holds for.
    pub hash: String,
    /// The index of the primary.
    pub primary: usize,
    /// The target in whose place it is, while that one fails; `for` in the
    /// value.
    pub stands_in_for: Option<usize>,
    /// In the order of `FETCH_TARGETS`.
    pub targets: Vec<TargetRecord>,
    /// A hash of the settings' problems, which the operator has then heard of.
    pub told: Option<String>,
}

/// One target's part of a [`Record`]. What is absent in the value is `None`, or
/// zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TargetRecord {
    /// Latency, ms; absent where it was never measured.
    pub ms: Option<f64>,
    /// How many probes the latency stands on.
    pub n: u32,
    /// Consecutive failures.
    pub fail: u32,
    /// When it was last measured, ms since the Unix epoch; absent where that is
    /// when the record was made.
    pub at: Option<f64>,
    /// Until when it is ejected, ms since the Unix epoch.
    pub until: Option<f64>,
    /// When its last ejection ended, ms since the Unix epoch, and how long it
    /// was, ms: the next one lasts twice as long.
    pub last: Option<[f64; 2]>,
    /// What is normal for live requests: mean and variance of ln ms to the
    /// response head. Not for ranking; it tells a new instance what drift is.
    pub live: Option<[f64; 2]>,
}

/// What a stored value turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// A record that holds for these settings.
    Record(Record),
    /// A plain URL, as the TypeScript original stores it: the index of the
    /// target that it names, and no other fact.
    Winner(usize),
    /// Nothing that can be used.
    Miss,
}

/// Reads a stored value. Never fails: what is not ours is a miss.
#[must_use]
pub fn decode(value: &str, settings: &Settings, now: f64) -> Stored {
    if value.len() > MAX_BYTES {
        return Stored::Miss;
    }
    let text = value.trim();
    if text.starts_with("http") {
        return crate::Target::parse(text)
            .ok()
            .and_then(|winner| settings.targets.iter().position(|known| *known == winner))
            .map_or(Stored::Miss, Stored::Winner);
    }
    match json::read(text).as_ref().and_then(Record::from_json) {
        Some(record) if is_sound(&record, settings, now) => Stored::Record(Record {
            at: record.at.min(now),
            ..record
        }),
        _ => Stored::Miss,
    }
}

fn is_sound(record: &Record, settings: &Settings, now: f64) -> bool {
    record.version == VERSION
        && record.hash == hash(settings)
        && record.targets.len() == settings.targets.len()
        && record.primary < record.targets.len()
        && record.at <= now + CLOCK_SKEW_MS
        && record.at > 0.0
        && record.targets.iter().all(TargetRecord::is_sound)
}

impl Record {
    /// A record of these settings.
    #[must_use]
    pub fn new(settings: &Settings, at: f64, primary: usize, targets: Vec<TargetRecord>) -> Self {
        Self {
            version: VERSION,
            at,
            hash: hash(settings),
            primary,
            stands_in_for: None,
            targets,
            told: problems_hash(settings),
        }
    }

    /// The value to store.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = format!("{{\"v\":{}", self.version);
        write_member(&mut out, "at", self.at);
        out.push_str(",\"hash\":");
        json::write_text(&mut out, &self.hash);
        write_member(&mut out, "primary", self.primary as f64);
        if let Some(absent) = self.stands_in_for {
            write_member(&mut out, "for", absent as f64);
        }
        out.push_str(",\"targets\":[");
        for (index, target) in self.targets.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            target.write(&mut out);
        }
        out.push(']');
        if let Some(told) = &self.told {
            out.push_str(",\"told\":");
            json::write_text(&mut out, told);
        }
        out.push('}');
        out
    }

    fn from_json(value: &Value) -> Option<Self> {
        let mut members = Members::of(value);
        let mut record = Self {
            version: members.count("v")?,
            at: members.number("at")?,
            hash: value.get("hash")?.text()?.to_owned(),
            primary: members.count("primary")? as usize,
            stands_in_for: members.count("for").map(|index| index as usize),
            targets: Vec::new(),
            told: value.get("told").and_then(Value::text).map(str::to_owned),
        };
        for target in value.get("targets")?.list()? {
            record.targets.push(TargetRecord::from_json(target)?);
        }
        members.sound.then_some(record)
    }
}

fn write_member(out: &mut String, name: &str, value: f64) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    json::write_number(out, value);
}

impl TargetRecord {
    fn is_sound(&self) -> bool {
        let ms = self.ms.is_none_or(|ms| (0.0..=MOST_MS).contains(&ms));
        let live = self.live.is_none_or(|[mean, variance]| {
            mean.abs() <= MOST_LOG && (0.0..=MOST_VARIANCE).contains(&variance)
        });
        ms && live
    }

    fn write(&self, out: &mut String) {
        *out += &format!("{{\"n\":{},\"fail\":{}", self.n, self.fail);
        for (name, value) in [("ms", self.ms), ("at", self.at), ("until", self.until)] {
            if let Some(value) = value {
                write_member(out, name, value);
            }
        }
        for (name, pair) in [("last", self.last), ("live", self.live)] {
            if let Some([first, second]) = pair {
                out.push_str(",\"");
                out.push_str(name);
                out.push_str("\":[");
                json::write_number(out, first);
                out.push(',');
                json::write_number(out, second);
                out.push(']');
            }
        }
        out.push('}');
    }

    fn from_json(value: &Value) -> Option<Self> {
        let mut members = Members::of(value);
        let record = Self {
            ms: members.number("ms"),
            n: members.count("n").unwrap_or(0),
            fail: members.count("fail").unwrap_or(0),
            at: members.number("at"),
            until: members.number("until"),
            last: members.pair("last"),
            live: members.pair("live"),
        };
        members.sound.then_some(record)
    }
}

/// The members of an object, which may be absent, or null, but nothing else than
/// what is asked for.
struct Members<'a> {
    object: &'a Value,
    sound: bool,
}

impl<'a> Members<'a> {
    fn of(value: &'a Value) -> Self {
        Self {
            object: value,
            sound: matches!(value, Value::Object(_)),
        }
    }

    fn member<T>(&mut self, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self
            .object
            .get(name)
            .filter(|value| !matches!(value, Value::Null))?;
        let read = read(value);
        self.sound &= read.is_some();
        read
    }

    fn number(&mut self, name: &str) -> Option<f64> {
        self.member(name, modest)
    }

    fn count(&mut self, name: &str) -> Option<u32> {
        self.member(name, Value::count)
    }

    fn pair(&mut self, name: &str) -> Option<[f64; 2]> {
        self.member(name, |value| match value.list()? {
            [first, second] => Some([modest(first)?, modest(second)?]),
            _ => None,
        })
    }
}

/// A number that is exact, and can be counted with.
fn modest(value: &Value) -> Option<f64> {
    value.number().filter(|number| number.abs() <= MOST_EXACT)
}

/// What is wrong with the settings, in 8 hexadecimal digits; none where nothing
/// is.
#[must_use]
pub fn problems_hash(settings: &Settings) -> Option<String> {
    let mut text = String::new();
    for problem in &settings.problems {
        text += &format!("{} {}\n", problem.setting, problem.reason);
    }
    (!text.is_empty()).then(|| hex(fnv1a(&text)))
}

fn hex(number: u32) -> String {
    format!("{number:08x}")
}

/// What a measurement was made for: the targets in their order, and the health
/// path. 8 hexadecimal digits, the same on every host.
#[must_use]
pub fn hash(settings: &Settings) -> String {
    let mut text = settings.health_path.clone();
    for target in &settings.targets {
        text.push('\n');
        text.push_str(&target.url());
    }
    hex(fnv1a(&text))
}

/// To the whole millisecond, or whatever the unit is.
pub(crate) fn rounded(number: f64) -> f64 {
    (number + 0.5).floor()
}

/// FNV-1a (Fowler, Noll and Vo), 32 bits: a hash that must come out alike on every host and
/// in every version, which the standard library's does not promise.
pub(crate) fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests;
