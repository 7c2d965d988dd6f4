//! The L2 record: what instances tell each other through the store.
//!
//! It carries its own age, since not every store has a TTL, and a hash of what
//! it was measured for, since the settings may have changed meanwhile. What
//! cannot be trusted is a miss. How it is kept as text is each host's business; for
//! Rust hosts it is JSON ([`Record::from_json`]).

mod read;

use crate::evidence::{Pairs, Tally};
use crate::hash::fnv1a;
use crate::settings::Settings;
use crate::target::{Preference, Target};
use crate::time::{Millis, Timestamp};
use crate::trial::{HalfOpen, LatencyTrial};
use serde::Serialize;

const VERSION: u32 = 1;

/// The whole numbers up to here are exact: 2^53.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// A record is a few hundred bytes; a stored value of more is not ours.
pub const MAX_BYTES: usize = 64 * 1024;

/// How far ahead another machine's clock may be before its record is taken for
/// one from the future.
const CLOCK_SKEW: Millis = Millis(10_000.0);

/// The longest latency that is believed: a day.
const LONGEST: Millis = Millis(86_400_000.0);

/// What is believed of live requests: of the mean of ln ms that it is up to the
/// longest latency's or that of a nanosecond, and of the variance that it is no more than this.
const MOST_LOG: f64 = 20.0;
const MOST_VARIANCE: f64 = 400.0;

/// The decision and what it stands on, as stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// The format's version; `v` in the value.
    #[serde(rename = "v")]
    pub version: u32,
    /// When the targets were measured.
    pub at: Timestamp,
    /// [`hash`] of the settings that it holds for.
    pub hash: String,
    /// The index of the primary.
    pub primary: u32,
    /// The target in whose place it is, while that one fails; `for` in the
    /// value.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub stands_in_for: Option<u32>,
    /// In the order of `FETCH_TARGETS`.
    pub targets: Vec<TargetRecord>,
    /// A comparison of two targets on live requests that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<LatencyTrial>,
    /// What requests that failed and went on to another target have shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<Pairs>,
    /// A hash of the settings' problems, which the operator has then heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
}

/// One target's part of a [`Record`]. What is absent in the value is `None`, or
/// zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TargetRecord {
    /// How many probes the latency stands on.
    pub n: u32,
    /// Consecutive failures.
    pub fail: u32,
    /// Latency; absent where it was never measured.
    #[serde(rename = "ms", skip_serializing_if = "Option::is_none")]
    pub latency: Option<Millis>,
    /// When it was last measured; absent where that is when the record was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Until when it is ejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Its last ejection: the next one lasts twice as long.
    #[serde(rename = "last", skip_serializing_if = "Option::is_none")]
    pub last_ejection: Option<Ejection>,
    /// What is normal for live requests. Not for ranking; it tells a new instance
    /// what drift is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    /// What live requests show.
    #[serde(rename = "seen", skip_serializing_if = "Option::is_none")]
    pub live_answers: Option<Tally>,
    /// Live requests have convicted it, and its trials so far.
    #[serde(rename = "half", skip_serializing_if = "Option::is_none")]
    pub half_open: Option<HalfOpen>,
    /// Until when it wishes for no requests that may go elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aside: Option<Timestamp>,
}

/// An ejection that is over, or will be; a pair in the value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(into = "(Timestamp, Millis)")]
pub struct Ejection {
    /// When it ends, by plan.
    pub ends: Timestamp,
    /// How long it is.
    pub length: Millis,
}

impl From<(Timestamp, Millis)> for Ejection {
    fn from((ends, length): (Timestamp, Millis)) -> Self {
        Self { ends, length }
    }
}

impl From<Ejection> for (Timestamp, Millis) {
    fn from(ejection: Ejection) -> Self {
        (ejection.ends, ejection.length)
    }
}

/// The time to first byte of live requests, as logarithms: of ms to the response
/// head; a pair in the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(into = "(f64, f64)")]
pub struct Live {
    /// The mean of ln ms.
    pub mean: f64,
    /// The variance of ln ms.
    pub variance: f64,
}

impl From<(f64, f64)> for Live {
    fn from((mean, variance): (f64, f64)) -> Self {
        Self { mean, variance }
    }
}

impl From<Live> for (f64, f64) {
    fn from(live: Live) -> Self {
        (live.mean, live.variance)
    }
}

/// What a store holds, as its host has read it.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// A record, of these settings or of others.
    Record(Record),
    /// Any other text: a plain URL, as the TypeScript original stores it, or
    /// what is of no use. What is no text at all, or more than [`MAX_BYTES`], is
    /// as good as an empty one.
    Text(String),
}

/// Of what use a stored value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Use {
    /// A record that holds for these settings.
    Record(Record),
    /// The index of the target that a plain URL names, and no other fact.
    Winner(usize),
    /// None.
    Miss,
}

/// Judges a stored value. Never fails: what is not ours, or too old to be served,
/// is a miss.
pub(crate) fn judge(stored: Option<&Stored>, settings: &Settings, now: Timestamp) -> Use {
    let Some(stored) = stored else {
        return Use::Miss;
    };
    match stored {
        Stored::Record(record) if now - record.at.min(now) > settings.longest_use() => Use::Miss,
        Stored::Record(record) if is_sound(record, settings, now) => Use::Record(Record {
            at: record.at.min(now),
            ..record.clone()
        }),
        Stored::Record(_) => Use::Miss,
        Stored::Text(text) => Target::parse(text.trim())
            .ok()
            .and_then(|winner| {
                settings
                    .targets
                    .iter()
                    .position(|known| known.is_at(&winner))
            })
            .map_or(Use::Miss, Use::Winner),
    }
}

fn is_sound(record: &Record, settings: &Settings, now: Timestamp) -> bool {
    record.version == VERSION
        && record.hash == hash(settings)
        && record.targets.len() == settings.targets.len()
        && (record.primary as usize) < record.targets.len()
        && record.at <= now + CLOCK_SKEW
        && is_modest(record.at.0)
        && record.at.0 > 0.0
        && record.targets.iter().all(TargetRecord::is_sound)
        && record.pairs.is_none_or(|pairs| pairs.is_sound())
        && record.trial.is_none_or(|trial| {
            (trial.challenger as usize) < record.targets.len()
                && trial.own.is_sound()
                && trial.other.is_sound()
        })
}

impl Record {
    /// A record of these settings.
    #[must_use]
    pub fn new(
        settings: &Settings,
        at: Timestamp,
        primary: u32,
        targets: Vec<TargetRecord>,
    ) -> Self {
        Self {
            version: VERSION,
            at,
            hash: hash(settings),
            primary,
            stands_in_for: None,
            trial: None,
            pairs: None,
            targets,
            told: problems_hash(settings),
        }
    }
}

impl TargetRecord {
    fn is_sound(&self) -> bool {
        let latency = self
            .latency
            .is_none_or(|latency| (Millis::ZERO..=LONGEST).contains(&latency));
        let live = self.live.is_none_or(|live| {
            live.mean.abs() <= MOST_LOG && (0.0..=MOST_VARIANCE).contains(&live.variance)
        });
        let last = self
            .last_ejection
            .is_none_or(|last| is_modest(last.ends.0) && is_modest(last.length.0));
        let answers = self.live_answers.is_none_or(|tally| tally.is_sound());
        let half_open = self.half_open.is_none_or(|one| {
            one.passed.is_sound() && one.limit.is_none_or(|limit| limit.abs() <= MOST_LOG)
        });
        let moments = [
            self.at,
            self.until,
            self.aside,
            self.live_answers.map(|tally| tally.at),
            self.half_open.map(|one| one.next),
        ];
        latency
            && live
            && last
            && answers
            && half_open
            && moments.into_iter().flatten().all(|at| is_modest(at.0))
    }
}

/// Whether a number is exact, and can be counted with.
fn is_modest(number: f64) -> bool {
    number.abs() <= MOST_EXACT
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

/// What a measurement was made for: the targets in their order with what is said
/// of each, and the health path. 8 hexadecimal digits, the same on every host.
#[must_use]
pub fn hash(settings: &Settings) -> String {
    let mut text = settings.health_path.clone();
    for target in &settings.targets {
        text.push('\n');
        text.push_str(&target.url());
        // The records of lists that say nothing of it stay what they are.
        if target.preference() != Preference::default() {
            // No address has a space.
            text += &format!(" {}", target.preference());
        }
    }
    hex(fnv1a(&text))
}

#[cfg(test)]
mod tests;
