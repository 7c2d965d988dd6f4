//! Metrics for monitoring: what the instances tell (`FETCH_STATS_SECONDS`), added up, and what the server sees itself.
//!
//! Instances live for seconds and cannot be scraped, so each tells what came since it last told. A target's health, the
//! primary and the age of the decision are as the last one told them.

mod listener;
mod model;
mod otlp;
mod prometheus;
mod report;

use crate::server::Load;
use function_fetch_engine::Target;
use model::{Attributes, Histogram, Metric, Points};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

pub use listener::serve_metrics;
pub use otlp::{OtlpConfig, export_otlp};
pub use report::{Answers, Stats, StoreStats, TargetStats, Times};

/// The metrics of one server. Give it to [`crate::ServerBuilder::metrics`], and to [`serve_metrics`] or
/// [`export_otlp`].
#[derive(Default)]
pub struct Metrics {
    told: Mutex<Told>,
    load: OnceLock<Load>,
}

/// What instances have told, added up.
#[derive(Default)]
struct Told {
    requests: u64,
    targets: BTreeMap<String, OfTarget>,
    store: StoreStats,
    primary: Option<String>,
    measured_at: Option<f64>,
}

#[derive(Default)]
struct OfTarget {
    healthy: bool,
    attempts: u64,
    retries: u64,
    hedges: u64,
    ejections: u64,
    failed_probes: u64,
    probes: Histogram,
    answers: BTreeMap<Outcome, Histogram>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    method: String,
    status: Option<u16>,
    error: Option<String>,
}

impl Metrics {
    /// Adds what an instance has told.
    pub fn add(&self, stats: &Stats) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.requests += stats.requests;
        told.store.reads += stats.store.reads;
        told.store.failed_reads += stats.store.failed_reads;
        told.store.writes += stats.store.writes;
        told.store.failed_writes += stats.store.failed_writes;
        // An instance that is new does not know yet.
        if stats.primary.is_some() {
            told.primary.clone_from(&stats.primary);
        }
        if let Some(at) = stats.measured_at {
            told.measured_at = Some(told.measured_at.map_or(at, |before| before.max(at)));
        }
        for stats in &stats.targets {
            let target = told.targets.entry(stats.target.clone()).or_default();
            target.healthy = stats.healthy;
            target.attempts += stats.attempts;
            target.retries += stats.retries;
            target.hedges += stats.hedges;
            target.ejections += stats.ejections;
            target.failed_probes += stats.failed_probes;
            target.probes.add(&stats.probes);
            for answers in &stats.answers {
                let outcome = Outcome {
                    method: answers.method.clone(),
                    status: answers.status,
                    error: answers.error.clone(),
                };
                target
                    .answers
                    .entry(outcome)
                    .or_default()
                    .add(&answers.times);
            }
        }
    }

    /// In the text format of Prometheus.
    #[must_use]
    pub fn text(&self) -> String {
        prometheus::text(&self.collect())
    }

    /// The server whose load is among the metrics.
    pub(crate) fn watch(&self, load: Load) {
        // Of two servers with the same metrics it is the first one's.
        let _ = self.load.set(load);
    }

    fn collect(&self) -> Vec<Metric> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut metrics = told.metrics();
        drop(told);
        if let Some(load) = self.load.get() {
            metrics.extend(of_load(load));
        }
        metrics
    }
}

impl Told {
    fn metrics(&self) -> Vec<Metric> {
        let counter = |of: fn(&OfTarget) -> u64| {
            let targets = self.targets.iter();
            Points::Counter(targets.map(|(name, one)| (target(name), of(one))).collect())
        };
        let gauge = |of: &dyn Fn(&str, &OfTarget) -> bool| {
            let targets = self.targets.iter();
            let value = |is: bool| f64::from(u8::from(is));
            Points::Gauge(
                targets
                    .map(|(name, one)| (target(name), value(of(name, one))))
                    .collect(),
            )
        };
        let metric = |name, help, unit, points| Metric {
            name,
            convention: None,
            help,
            unit,
            points,
        };
        let answers = self.targets.iter().flat_map(|(name, one)| {
            let answers = one.answers.iter();
            answers.map(|(outcome, times)| (outcome.attributes(name), times.clone()))
        });
        let store = [
            ("read", "ok", self.store.reads),
            ("read", "failed", self.store.failed_reads),
            ("write", "ok", self.store.writes),
            ("write", "failed", self.store.failed_writes),
        ];
        let mut metrics = vec![
            metric(
                "requests",
                "Requests that came.",
                "{request}",
                Points::Counter(vec![(Vec::new(), self.requests)]),
            ),
            metric(
                "attempts",
                "Requests that were sent to a target, retries and hedges included.",
                "{attempt}",
                counter(|one| one.attempts),
            ),
            metric(
                "retries",
                "Attempts after another one had failed.",
                "{attempt}",
                counter(|one| one.retries),
            ),
            metric(
                "hedges",
                "Attempts beside another one.",
                "{attempt}",
                counter(|one| one.hedges),
            ),
            metric(
                "ejections",
                "How often a target was ejected, by each instance that found it failing.",
                "{ejection}",
                counter(|one| one.ejections),
            ),
            Metric {
                convention: Some("http.client.request.duration"),
                ..metric(
                    "request_duration",
                    "Time from the start of an attempt to its response head, or to its failure.",
                    "s",
                    Points::Histogram(answers.collect()),
                )
            },
            metric(
                "probe_duration",
                "Time to the response head of probes that found their target healthy.",
                "s",
                Points::Histogram(
                    self.targets
                        .iter()
                        .map(|(name, one)| (target(name), one.probes.clone()))
                        .collect(),
                ),
            ),
            metric(
                "probe_failures",
                "Probes that failed.",
                "{probe}",
                counter(|one| one.failed_probes),
            ),
            metric(
                "target_healthy",
                "Whether a target gets its requests: neither ejected nor on trial.",
                "",
                gauge(&|_, one| one.healthy),
            ),
            metric(
                "primary",
                "Whether a target is the primary, which gets the traffic.",
                "",
                gauge(&|name, _| self.primary.as_deref() == Some(name)),
            ),
            metric(
                "store_operations",
                "What was done with the key-value store.",
                "{operation}",
                Points::Counter(
                    store
                        .map(|(operation, result, count)| {
                            (
                                vec![
                                    ("operation", operation.to_owned()),
                                    ("result", result.to_owned()),
                                ],
                                count,
                            )
                        })
                        .into(),
                ),
            ),
        ];
        if let Some(at) = self.measured_at {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let age = (now.as_secs_f64() - at / 1e3).max(0.0);
            metrics.push(metric(
                "decision_age",
                "Time since the targets were measured for the decision that stands.",
                "s",
                Points::Gauge(vec![(Vec::new(), age)]),
            ));
        }
        metrics
    }
}

/// What the server sees itself.
fn of_load(load: &Load) -> Vec<Metric> {
    let gauge = |name, help, unit, value: usize| Metric {
        name,
        convention: None,
        help,
        unit,
        points: Points::Gauge(vec![(Vec::new(), value as f64)]),
    };
    vec![
        gauge(
            "connections",
            "Client connections that are open.",
            "{connection}",
            load.connections(),
        ),
        gauge(
            "instances",
            "Instances of the component that exist.",
            "{instance}",
            load.instances(),
        ),
        gauge(
            "requests_in_flight",
            "Requests that an instance serves, until their response heads.",
            "{request}",
            load.in_flight(),
        ),
        gauge(
            "requests_waiting",
            "Requests that wait for an instance.",
            "{request}",
            load.waiting(),
        ),
    ]
}

fn target(name: &str) -> Attributes {
    vec![("target", name.to_owned())]
}

impl Outcome {
    /// By OpenTelemetry's conventions for HTTP clients, and the target as elsewhere.
    fn attributes(&self, name: &str) -> Attributes {
        let mut attributes = target(name);
        if let Ok(target) = Target::parse(name) {
            let scheme = if target.is_https() { "https" } else { "http" };
            let (address, port) = host_and_port(target.authority(), target.is_https());
            attributes.push(("server.address", address));
            attributes.push(("server.port", port));
            attributes.push(("url.scheme", scheme.to_owned()));
        }
        attributes.push(("http.request.method", self.method.clone()));
        if let Some(status) = self.status {
            attributes.push(("http.response.status_code", status.to_string()));
        }
        // A status that says that the request failed is its error type.
        let failed = self
            .status
            .filter(|status| *status >= 400)
            .map(|status| status.to_string());
        if let Some(error) = self.error.clone().or(failed) {
            attributes.push(("error.type", error));
        }
        attributes
    }
}

fn host_and_port(authority: &str, is_https: bool) -> (String, String) {
    let usual = if is_https { "443" } else { "80" };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, usual),
    };
    (host.trim_matches(['[', ']']).to_owned(), port.to_owned())
}

#[cfg(test)]
mod tests;
