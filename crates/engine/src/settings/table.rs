//! The table of settings: the name, the kind with default and limits, and what each is
//! for, in a sentence. The parser reads by it, and so do the JSON Schema of
//! `function-fetch check --schema` and the tests that compare documents with it.

/// A setting, for the parser: without its sentence, which no host needs to load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<K> {
    pub(super) name: &'static str,
    pub(super) kind: K,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The setting's name.
    pub name: &'static str,
    /// What its text may be.
    pub kind: Kind,
    /// What it is for, in a sentence or two.
    pub doc: &'static str,
}

/// What a setting's text may be.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A list of targets.
    Targets(Targets),
    /// A path.
    Path(Path),
    /// Any text.
    Text(Text),
    /// True or false.
    Flag(Flag),
    /// A whole number.
    Number(Number),
    /// A whole number, or off.
    NumberOrOff(NumberOrOff),
    /// One of a few words.
    Choice(Choice),
    /// A list of where decisions are kept.
    Caches(Caches),
    /// A list of methods.
    Methods(Methods),
    /// A list of statuses and ranges of them.
    StatusList(StatusList),
    /// A share, a time, or both.
    Difference(Difference),
}

/// A list of addresses, or in JSON of objects; required.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Targets {}

/// A path with an optional query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// None: what it is for is off.
    pub default: Option<&'static str>,
}

/// Any text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Text {
    /// None: there is none.
    pub default: Option<&'static str>,
    /// Whether it must not be shown.
    pub secret: bool,
}

/// True or false.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flag {
    /// Unless it is set.
    pub default: bool,
}

/// A whole number within bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// None: as the sentence says.
    pub default: Option<u32>,
    /// The least that it may be.
    pub least: u32,
    /// The most that it may be.
    pub most: u32,
}

/// A whole number within bounds, or off, which is the default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberOrOff {
    /// The least that it may be.
    pub least: u32,
    /// The most that it may be.
    pub most: u32,
}

/// One of these words, of which the first is the default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The words, in lower case.
    pub words: &'static [&'static str],
}

/// A list of these words, of which the first is the default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caches {
    /// The words, in lower case.
    pub words: &'static [&'static str],
}

/// A list of methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Methods {
    /// Unless any are set.
    pub default: &'static [&'static str],
    /// Which may be listed.
    pub known: &'static [&'static str],
}

/// A list of statuses and ranges of them, from 400 to 599.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatusList {
    /// As it would be written.
    pub default: &'static str,
}

/// A share such as `20%`, a time such as `10ms`, or both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// As it would be written.
    pub default: &'static str,
}

const DAY_MS: u32 = 86_400_000;
const MONTH_S: u32 = 31 * 86_400;
const MAX_TARGETS: u32 = crate::MAX_TARGETS as u32;

macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        $constant:ident = $name:literal: $kind:ident { $($content:tt)* };
    )+) => {
        $(
            pub(super) const $constant: Setting<$kind> = Setting {
                name: $name,
                kind: $kind { $($content)* },
            };
        )+

        /// The name of every setting.
        pub const NAMES: [&str; [$($name),+].len()] = [$($name),+];

        /// Every setting, in the order of the documentation.
        pub static TABLE: [Row; NAMES.len()] = [$(
            Row {
                name: $name,
                kind: Kind::$kind($kind { $($content)* }),
                doc: concat!($($doc),+).trim_ascii(),
            }
        ),+];
    };
}

settings! {
    /// The targets that requests may go to, required: up to 32 http:// or https:// addresses, as a list or a JSON array.
    /// An entry of the array may be an object with url, tier (1 to 9) and weight (1 to 100).
    TARGETS = "FETCH_TARGETS": Targets {};

    /// The path that probes request, below the target's base path: 200 to 499 is healthy.
    HEALTH_PATH = "FETCH_HEALTH_PATH": Path { default: Some("/") };

    /// The time-out for a probe's response head, in milliseconds.
    HEALTH_TIMEOUT = "FETCH_HEALTH_TIMEOUT_MS": Number { default: Some(1500), least: 200, most: 600_000 };

    /// Whether a status of FETCH_RETRY_STATUSES fails over, for the methods of FETCH_RETRY_METHODS.
    RETRY_ON_5XX = "FETCH_RETRY_ON_5XX": Flag { default: true };

    /// The statuses of a target that fails: statuses and ranges from 400 to 599.
    RETRY_STATUSES = "FETCH_RETRY_STATUSES": StatusList { default: "500,502-504,506-599" };

    /// Where decisions are kept: memory (L1), kv (L2), auto (both), none, or a list.
    CACHE_ADAPTER = "FETCH_CACHE_ADAPTER": Caches { words: &["auto", "memory", "kv", "none"] };

    /// The record's key in the store.
    CACHE_KEY = "FETCH_CACHE_KEY": Text { default: Some("proxy:fastest"), secret: false };

    /// How long a decision is fresh, in seconds.
    CACHE_TTL = "FETCH_CACHE_TTL_SECONDS": Number { default: Some(300), least: 10, most: MONTH_S };

    /// How often the store is read for what other instances have found, in seconds; 0 for only before a refresh.
    /// By default 1, and 0 on Workers and ESA.
    CACHE_SYNC = "FETCH_CACHE_SYNC_SECONDS": Number { default: None, least: 0, most: MONTH_S };

    /// The label of Spin's key-value store, or the name of the KV binding. By default `default`, and FASTEST_KV on
    /// Workers.
    CACHE_KV_BINDING = "FETCH_CACHE_KV_BINDING": Text { default: None, secret: false };

    /// On Alibaba Cloud ESA: the EdgeKV namespace; without it memory alone is used.
    ESA_KV_NAMESPACE = "ESA_KV_NAMESPACE": Text { default: None, secret: false };

    /// The most attempts of a request, the first one included.
    MAX_ATTEMPTS = "FETCH_MAX_ATTEMPTS": Number { default: Some(3), least: 1, most: MAX_TARGETS };

    /// The time until a connection is established, in milliseconds.
    CONNECT_TIMEOUT = "FETCH_CONNECT_TIMEOUT_MS": Number { default: Some(3000), least: 1, most: DAY_MS };

    /// The time until an attempt's response head, in milliseconds; 0 for none.
    ATTEMPT_TIMEOUT = "FETCH_ATTEMPT_TIMEOUT_MS": Number { default: Some(30_000), least: 0, most: DAY_MS };

    /// The time until a response head, all attempts together, in milliseconds; 0 for none.
    DEADLINE = "FETCH_DEADLINE_MS": Number { default: Some(60_000), least: 0, most: DAY_MS };

    /// The methods that may be sent again after a target may have received them; none for no method.
    RETRY_METHODS = "FETCH_RETRY_METHODS": Methods {
        default: &["GET", "HEAD", "OPTIONS"],
        known: &["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "POST", "PATCH"],
    };

    /// How much of a request body is kept to be sent again, in bytes.
    REPLAY_BODY = "FETCH_REPLAY_BODY_BYTES": Number { default: Some(65_536), least: 0, most: 16_777_216 };

    /// How long past its TTL a decision is still used while it is refreshed, in seconds. By default one TTL.
    STALE = "FETCH_STALE_SECONDS": Number { default: None, least: 0, most: MONTH_S };

    /// By how much a challenger must be faster than the primary: by the larger of a share and a time.
    SWITCH_MARGIN = "FETCH_SWITCH_MARGIN": Difference { default: "20%,10ms" };

    /// Whether the targets within the margin of the best one share the traffic by their weights.
    SPREAD = "FETCH_SPREAD": Flag { default: false };

    /// How a cold start finds its target: by probes, or by a race of the request itself.
    COLD_START = "FETCH_COLD_START": Choice { words: &["probe", "race"] };

    /// After how long without a response head a request is sent to the next target as well, in milliseconds.
    HEDGE = "FETCH_HEDGE_MS": NumberOrOff { least: 1, most: DAY_MS };

    /// The most probes in flight at once; at most 5 on Workers and 3 on ESA.
    MAX_PROBES = "FETCH_MAX_PROBES": Number { default: Some(6), least: 1, most: MAX_TARGETS };

    /// Whether X-Forwarded-For, -Host and -Proto are set from what the host reports.
    FORWARDED = "FETCH_FORWARDED": Flag { default: true };

    /// Whether what the client sent in X-Forwarded-* is kept: only behind a proxy that you trust.
    TRUST_FORWARDED = "FETCH_TRUST_FORWARDED": Flag { default: false };

    /// Whether successful responses say which target answered, at which attempt, and how long it took.
    EXPLAIN = "FETCH_EXPLAIN": Flag { default: false };

    /// How often an instance tells its counts at most, as a line of JSON for monitoring, in seconds.
    STATS = "FETCH_STATS_SECONDS": NumberOrOff { least: 1, most: 3600 };

    /// The path of the status page, which needs FETCH_STATUS_TOKEN as well; no target gets requests for it.
    STATUS_PATH = "FETCH_STATUS_PATH": Path { default: None };

    /// The bearer token of the status page: at least 16 characters that nobody guesses.
    STATUS_TOKEN = "FETCH_STATUS_TOKEN": Text { default: None, secret: true };
}

impl Kind {
    /// The default, as it would be written; none where there is none, or where the
    /// sentence says it.
    #[must_use]
    pub fn default_text(&self) -> Option<String> {
        let text = match self {
            Self::Targets(_) => return None,
            Self::Path(kind) => kind.default?.to_owned(),
            Self::Text(kind) => kind.default?.to_owned(),
            Self::Flag(kind) => kind.default.to_string(),
            Self::Number(kind) => kind.default?.to_string(),
            Self::NumberOrOff(_) => "off".to_owned(),
            Self::Choice(kind) => kind.words.first()?.to_string(),
            Self::Caches(kind) => kind.words.first()?.to_string(),
            Self::Methods(kind) => kind.default.join(","),
            Self::StatusList(kind) => kind.default.to_owned(),
            Self::Difference(kind) => kind.default.to_owned(),
        };
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Capabilities, Settings, StoreKind};
    use super::*;

    fn read(given: &[(&str, String)]) -> Settings {
        let host = Capabilities {
            store: Some(StoreKind::Spin),
            ..Capabilities::default()
        };
        let targets = [("FETCH_TARGETS", "http://a.example".to_owned())];
        Settings::read(host, |name| {
            let mut given = given.iter().chain(&targets);
            let (_, value) = given.find(|(given, _)| *given == name)?;
            Some(value.clone())
        })
    }

    #[test]
    fn a_default_that_is_written_out_changes_nothing() {
        let unset = read(&[]);
        assert_eq!(unset.problems, []);
        for row in &TABLE {
            if let Some(default) = row.kind.default_text() {
                let written = read(&[(row.name, default)]);
                assert_eq!(written, unset, "{}", row.name);
            }
        }
    }

    #[test]
    fn a_number_beyond_its_bounds_is_a_problem_and_one_within_is_none() {
        let problems = |name, value: u64| {
            let settings = read(&[(name, value.to_string())]);
            settings.problems.len()
        };
        for row in &TABLE {
            let (least, most) = match row.kind {
                Kind::Number(kind) => (kind.least, kind.most),
                Kind::NumberOrOff(kind) => (kind.least, kind.most),
                _ => continue,
            };
            let off = matches!(row.kind, Kind::NumberOrOff(_));
            for within in [least, most] {
                assert_eq!(
                    problems(row.name, within.into()),
                    0,
                    "{} {within}",
                    row.name
                );
            }
            assert_eq!(problems(row.name, u64::from(most) + 1), 1, "{}", row.name);
            if least > u32::from(off) {
                assert_eq!(problems(row.name, u64::from(least) - 1), 1, "{}", row.name);
            }
        }
    }

    #[test]
    fn every_setting_has_a_sentence() {
        for row in &TABLE {
            assert!(row.doc.ends_with('.') && row.doc.len() > 20, "{}", row.name);
            assert!(!row.doc.contains("  "), "{}", row.name);
        }
    }
}
