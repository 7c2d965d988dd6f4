//! The settings: every `FETCH_*` name of the user's document and beyond.
//!
//! [`Settings::read`] never fails. What cannot be used falls back to its
//! default and is named in [`Settings::problems`]; without a single usable
//! target the reason is in [`Settings::no_targets`], and every request is
//! answered with it.

mod in_force;
mod list;
mod parse;
mod statuses;
mod table;
mod targets;

use crate::target::Target;
use crate::time::Millis;
pub use in_force::{InForce, Value};
use parse::{Reader, place};
use serde::Serialize;
pub use statuses::Statuses;
pub use table::{Kind, NAMES, Row, TABLE};
pub use targets::{Rejected, TargetsError};

/// The store that a host offers for the shared decision (L2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreKind {
    /// Spin's key-value store, and hosts that serve its interface.
    Spin,
    /// Cloudflare Workers KV.
    WorkersKv,
    /// Alibaba Cloud ESA EdgeKV.
    EdgeKv,
    /// A store option on Node.js.
    Custom,
}

/// What the host can do. The default can do nothing special.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The store, where there is one.
    pub store: Option<StoreKind>,
    /// The most probes that it can have in flight while a request is, too.
    pub max_probes: Option<u32>,
    /// Whether a call into the engine is expensive, as from JavaScript: then only
    /// some of the good answers need be reported.
    pub sampled_reports: bool,
}

/// How a challenger must beat the primary: by the larger of the two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margin {
    /// A share of the primary's latency, in percent.
    pub percent: f64,
    /// At least so much.
    pub least: Millis,
}

/// How a cold start finds its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColdStart {
    /// The request waits for the first healthy probe.
    Probe,
    /// The request itself is raced to the targets.
    Race,
}

/// A setting that could not be used as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting's name.
    pub setting: &'static str,
    /// What is wrong with it, what is used instead, and what to write.
    pub reason: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.setting, self.reason)
    }
}

/// All settings, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `FETCH_TARGETS`: where requests may go, in the order given.
    pub targets: Vec<Target>,
    /// Why `targets` is empty, when it is.
    pub no_targets: Option<TargetsError>,
    /// `FETCH_HEALTH_PATH`.
    pub health_path: String,
    /// `FETCH_HEALTH_TIMEOUT_MS`.
    pub health_timeout: Millis,
    /// `FETCH_RETRY_ON_5XX`: whether a failure status is worth another attempt.
    pub retry_on_5xx: bool,
    /// `FETCH_RETRY_STATUSES`.
    pub retry_statuses: Statuses,
    /// Whether decisions are kept in the instance's memory (L1).
    pub cache_memory: bool,
    /// Whether decisions are kept in the store (L2), and which kind it is.
    pub cache_store: Option<StoreKind>,
    /// `FETCH_CACHE_KEY`, as the store takes it.
    pub cache_key: String,
    /// `FETCH_CACHE_TTL_SECONDS`.
    pub cache_ttl: Millis,
    /// `FETCH_CACHE_SYNC_SECONDS`: how often the store is asked what other
    /// instances have found; 0 = only before a refresh.
    pub cache_sync: Millis,
    /// `FETCH_CACHE_KV_BINDING`, or `ESA_KV_NAMESPACE` for EdgeKV: the store's
    /// name.
    pub store_name: String,
    /// `FETCH_MAX_ATTEMPTS`.
    pub max_attempts: u32,
    /// `FETCH_CONNECT_TIMEOUT_MS`.
    pub connect_timeout: Millis,
    /// `FETCH_ATTEMPT_TIMEOUT_MS`.
    pub attempt_timeout: Option<Millis>,
    /// `FETCH_DEADLINE_MS`.
    pub deadline: Option<Millis>,
    /// `FETCH_RETRY_METHODS`, in upper case.
    pub retry_methods: Vec<&'static str>,
    /// `FETCH_REPLAY_BODY_BYTES`.
    pub replay_body_bytes: u32,
    /// `FETCH_STALE_SECONDS`.
    pub stale: Millis,
    /// `FETCH_SWITCH_MARGIN`.
    pub switch_margin: Margin,
    /// The same, as it is written.
    pub switch_margin_text: String,
    /// `FETCH_SPREAD`.
    pub spread: bool,
    /// `FETCH_COLD_START`.
    pub cold_start: ColdStart,
    /// `FETCH_HEDGE_MS`.
    pub hedge: Option<Millis>,
    /// `FETCH_MAX_PROBES`.
    pub max_probes: u32,
    /// `FETCH_FORWARDED`.
    pub forwarded: bool,
    /// `FETCH_TRUST_FORWARDED`.
    pub trust_forwarded: bool,
    /// `FETCH_EXPLAIN`.
    pub explain: bool,
    /// `FETCH_STATS_SECONDS`: how often counts are told at most.
    pub stats: Option<Millis>,
    /// `FETCH_STATUS_PATH`.
    pub status_path: Option<String>,
    /// `FETCH_STATUS_TOKEN`.
    pub status_token: Option<String>,
    /// Of the host: [`Capabilities::sampled_reports`].
    pub sampled_reports: bool,
    /// What could not be used, and why.
    pub problems: Vec<Problem>,
}

impl Settings {
    /// Reads every setting through `lookup`, which knows the host's variables
    /// by the names in [`NAMES`].
    #[must_use]
    pub fn read(host: Capabilities, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let given: Vec<(String, String)> = NAMES
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), lookup(name)?)))
            .collect();
        Self::of(host, &given)
    }

    /// Reads every setting from a list of names and values; names that are not
    /// in [`NAMES`] do not matter.
    #[must_use]
    pub fn of(host: Capabilities, given: &[(String, String)]) -> Self {
        let from = &mut Reader::new(given);
        let (targets, no_targets) = targets::read(from);
        let (cache_memory, cache_store) = cache(from, host);
        let ttl_s = from.number(table::CACHE_TTL);
        let (switch_margin, switch_margin_text) = from.margin(table::SWITCH_MARGIN);
        let (status_path, status_token) = status_page(from);
        Self {
            targets,
            no_targets,
            health_path: from.path(table::HEALTH_PATH).unwrap_or_else(|| "/".into()),
            health_timeout: from.number(table::HEALTH_TIMEOUT).into(),
            retry_on_5xx: from.flag(table::RETRY_ON_5XX),
            retry_statuses: from.statuses(table::RETRY_STATUSES),
            cache_memory,
            cache_store,
            cache_key: crate::store_key::encode(
                host.store.unwrap_or(StoreKind::Custom),
                from.text_or_default(table::CACHE_KEY).unwrap_or_default(),
            ),
            cache_ttl: Millis::from_seconds(ttl_s),
            cache_sync: sync(from, host),
            store_name: store_name(from, host),
            max_attempts: from.number(table::MAX_ATTEMPTS),
            connect_timeout: from.number(table::CONNECT_TIMEOUT).into(),
            attempt_timeout: unless_zero(from.number(table::ATTEMPT_TIMEOUT)),
            deadline: unless_zero(from.number(table::DEADLINE)),
            retry_methods: from.methods(table::RETRY_METHODS),
            replay_body_bytes: from.number(table::REPLAY_BODY),
            stale: Millis::from_seconds(from.number_or(table::STALE, ttl_s)),
            switch_margin,
            switch_margin_text,
            spread: from.flag(table::SPREAD),
            cold_start: match from.choice(table::COLD_START) {
                0 => ColdStart::Probe,
                _ => ColdStart::Race,
            },
            hedge: unless_zero(from.number_or_off(table::HEDGE)),
            max_probes: from
                .number(table::MAX_PROBES)
                .min(host.max_probes.unwrap_or(u32::MAX).max(1)),
            forwarded: from.flag(table::FORWARDED),
            trust_forwarded: from.flag(table::TRUST_FORWARDED),
            explain: from.flag(table::EXPLAIN),
            stats: Some(from.number_or_off(table::STATS))
                .filter(|seconds| *seconds > 0)
                .map(Millis::from_seconds),
            status_path,
            status_token,
            sampled_reports: host.sampled_reports,
            problems: std::mem::take(&mut from.problems),
        }
    }

    /// Whether a request for this path, perhaps with a query, is the status page's.
    #[must_use]
    pub fn is_status_path(&self, path: &str) -> bool {
        self.status_path.as_deref().is_some_and(|status| {
            path.strip_prefix(status)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
        })
    }

    /// Whether there is a status page that somebody may see.
    #[must_use]
    pub fn has_status_page(&self) -> bool {
        self.status_path.is_some() && self.status_token.is_some()
    }

    /// Whether targets are probed and ranked: there are some to choose from, and
    /// anywhere to remember the choice. Else the order of the targets is the
    /// order of the attempts.
    #[must_use]
    pub fn ranking_enabled(&self) -> bool {
        self.targets.len() > 1 && (self.cache_memory || self.cache_store.is_some())
    }

    /// For how long what was measured is used: while it is fresh, and while it is
    /// stale and still served.
    #[must_use]
    pub fn longest_use(&self) -> Millis {
        self.cache_ttl + self.stale
    }

    /// Whether any target has a base path, which no request may leave: then none
    /// may whichever target it goes to, so that it fares alike on all.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.targets
            .iter()
            .any(|target| !target.base_path().is_empty())
    }

    /// Whether a request with this method may be sent again after it may have
    /// reached a target.
    #[must_use]
    pub fn may_retry(&self, method: &str) -> bool {
        self.retry_methods.contains(&method)
    }

    /// Whether an answer with this status says that its target has failed, be it
    /// worth another attempt or not (`FETCH_RETRY_ON_5XX`).
    #[must_use]
    pub fn is_failure_status(&self, status: u16) -> bool {
        self.retry_statuses.contains(status)
    }

    /// From which status on the engine must hear of every answer.
    #[must_use]
    pub fn report_from_status(&self) -> u16 {
        self.retry_statuses.lowest_of_note()
    }
}

/// What `FETCH_CACHE_ADAPTER` may say, apart from `auto`: neither, and one of the two.
const NEITHER: [&str; 3] = ["none", "off", "disabled"];
const MEMORY: [&str; 3] = ["memory", "mem", "inmemory"];
const STORE: [&str; 2] = ["kv", "cloudflare_kv"];

/// Where decisions are kept: (memory, store).
fn cache(from: &mut Reader<'_>, host: Capabilities) -> (bool, Option<StoreKind>) {
    let name = table::CACHE_ADAPTER.name;
    let (mut memory, mut store, mut none) = (false, false, false);
    for word in &from.list(name) {
        if place(&NEITHER, word).is_some() {
            none = true;
        } else if place(&MEMORY, word).is_some() {
            memory = true;
        } else if place(&STORE, word).is_some() {
            store = true;
        } else if word.eq_ignore_ascii_case("auto") {
            (memory, store) = (true, true);
        } else {
            let known = table::CACHE_ADAPTER.kind.words;
            from.refuse(name, word, " is not one of ", known, "; left out");
        }
    }
    if none {
        return (false, None);
    }
    if !memory && !store {
        (memory, store) = (true, true);
    }
    if store && !memory && host.store.is_none() {
        let reason = "this host has no key-value store; memory is used instead";
        from.problem(name, reason.to_owned());
        memory = true;
    }
    (memory, host.store.filter(|_| store))
}

fn sync(from: &mut Reader<'_>, host: Capabilities) -> Millis {
    let usual = match host.store {
        // Each read is billed, and a write takes up to a minute to be seen elsewhere.
        Some(StoreKind::WorkersKv | StoreKind::EdgeKv) => 0,
        _ => 1,
    };
    Millis::from_seconds(from.number_or(table::CACHE_SYNC, usual))
}

/// A token that is shorter can be guessed.
const LEAST_TOKEN: usize = 16;

/// The path of the status page and its token.
fn status_page(from: &mut Reader<'_>) -> (Option<String>, Option<String>) {
    let token = from.text_or_default(table::STATUS_TOKEN).map(str::to_owned);
    let path = from.path(table::STATUS_PATH).filter(|path| {
        let is_plain = is_plain_path(path);
        if !is_plain {
            let wrong = " is not a path that every host takes alike: write letters, digits and                          -._~!$&'()*+,=:@/ alone, no dot segments and no // in front; there is no                          status page";
            from.refuse(table::STATUS_PATH.name, path, wrong, &[], "");
        }
        is_plain
    });
    let is_off = from.text(table::STATUS_PATH.name).is_none();
    let problem = match &token {
        None if path.is_some() => "is not set, so nobody may see the status page; set one",
        Some(_) if is_off => "does nothing without FETCH_STATUS_PATH; set both or neither",
        Some(token) if token.len() < LEAST_TOKEN => {
            "has fewer than 16 characters and may be guessed; it is used, but set a longer one"
        }
        _ => return (path, token),
    };
    from.problem(table::STATUS_TOKEN.name, problem.to_owned());
    (path, token)
}

/// Whether no host and no browser changes the path on its way, and it may stand in the
/// `Path` of a cookie.
fn is_plain_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@/".contains(&byte);
    path.bytes().all(is_plain)
        && !path.starts_with("//")
        && !path.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn unless_zero(ms: u32) -> Option<Millis> {
    (ms > 0).then(|| ms.into())
}

fn store_name(from: &Reader<'_>, host: Capabilities) -> String {
    let (setting, default) = match host.store {
        Some(StoreKind::EdgeKv) => (table::ESA_KV_NAMESPACE, ""),
        Some(StoreKind::WorkersKv) => (table::CACHE_KV_BINDING, "FASTEST_KV"),
        _ => (table::CACHE_KV_BINDING, "default"),
    };
    from.text(setting.name).unwrap_or(default).to_owned()
}

#[cfg(test)]
mod tests;
