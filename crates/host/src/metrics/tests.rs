//! What is added up, and the names that documents, dashboard and alerts use.

use super::*;
use crate::client_limits::ClientLimits;
use crate::event::Event;
use crate::server::{Load, places};
use std::collections::BTreeSet;

/// A line as the component writes it.
fn line(primary: &str, healthy: bool) -> String {
    let target = |name: &str, healthy: bool| {
        format!(
            r#"{{"target":"{name}","healthy":{healthy},"attempts":3,"retries":1,"hedges":0,"ejections":1,"failed_probes":2,
               "probes":{{"counts":[1],"sum_ms":2.5}},
               "answers":[{{"method":"GET","status":200,"times":{{"counts":[0,2],"sum_ms":14.0}}}},
                          {{"method":"GET","status":503,"times":{{"counts":[1],"sum_ms":1.0}}}},
                          {{"method":"POST","error":"connection_refused","times":{{"counts":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"sum_ms":11000.0}}}}]}}"#
        )
    };
    let text = format!(
        r#"{{"source":"function-fetch","event":"stats","for_ms":1000,"requests":4,
            "targets":[{},{}],
            "store":{{"reads":1,"failed_reads":2,"writes":3,"failed_writes":4}},
            "primary":"{primary}","measured_at":1000000000000.0}}"#,
        target("http://a.example:81/x", true),
        target("https://b.example", healthy),
    );
    text.replace('\n', " ")
}

fn metrics(lines: &[String]) -> Metrics {
    let metrics = Metrics::default();
    for line in lines {
        match Event::from_line(line) {
            Some(Event::Stats(stats)) => metrics.add(&stats),
            other => panic!("{other:?} of {line}"),
        }
    }
    let limits = ClientLimits::default();
    metrics.watch(Load::new(Vec::new(), places(&limits), &limits));
    metrics
}

fn has(text: &str, line: &str) {
    assert!(text.lines().any(|one| one == line), "{line}\n in \n{text}");
}

#[test]
fn counts_are_added_up_and_states_are_the_last_ones() {
    let a = "http://a.example:81/x";
    let text = metrics(&[line(a, true), line("https://b.example", false)]).text();
    has(&text, "function_fetch_requests_total 8");
    has(
        &text,
        &format!("function_fetch_attempts_total{{target=\"{a}\"}} 6"),
    );
    has(
        &text,
        "function_fetch_retries_total{target=\"https://b.example\"} 2",
    );
    has(
        &text,
        "function_fetch_store_operations_total{operation=\"read\",result=\"failed\"} 4",
    );
    has(
        &text,
        "function_fetch_target_healthy{target=\"https://b.example\"} 0",
    );
    has(
        &text,
        &format!("function_fetch_primary{{target=\"{a}\"}} 0"),
    );
    has(
        &text,
        "function_fetch_primary{target=\"https://b.example\"} 1",
    );
    has(&text, "function_fetch_connections 0");
    let labels = |rest: &str| {
        format!(
            "{{target=\"{a}\",server_address=\"a.example\",server_port=\"81\",url_scheme=\"http\",{rest}}}"
        )
    };
    let duration = "function_fetch_request_duration_seconds";
    let good = "http_request_method=\"GET\",http_response_status_code=\"200\"";
    has(&text, &format!("{duration}_count{} 4", labels(good)));
    has(&text, &format!("{duration}_sum{} 0.028", labels(good)));
    has(
        &text,
        &format!(
            "{duration}_bucket{} 0",
            labels(&format!("{good},le=\"0.005\""))
        ),
    );
    has(
        &text,
        &format!(
            "{duration}_bucket{} 4",
            labels(&format!("{good},le=\"0.01\""))
        ),
    );
    let bad = "http_request_method=\"GET\",http_response_status_code=\"503\",error_type=\"503\"";
    has(&text, &format!("{duration}_count{} 2", labels(bad)));
    let lost = "http_request_method=\"POST\",error_type=\"connection_refused\"";
    has(
        &text,
        &format!(
            "{duration}_bucket{} 0",
            labels(&format!("{lost},le=\"10\""))
        ),
    );
    has(
        &text,
        &format!(
            "{duration}_bucket{} 2",
            labels(&format!("{lost},le=\"+Inf\""))
        ),
    );
    has(
        &text,
        "function_fetch_probe_duration_seconds_count{target=\"https://b.example\"} 2",
    );
}

#[test]
fn hosts_and_ports_are_those_of_the_address() {
    for (authority, https, host, port) in [
        ("a.example", false, "a.example", "80"),
        ("a.example", true, "a.example", "443"),
        ("a.example:81", true, "a.example", "81"),
        ("[::1]", false, "::1", "80"),
        ("[::1]:82", false, "::1", "82"),
    ] {
        let wanted = (host.to_owned(), port.to_owned());
        assert_eq!(host_and_port(authority, https), wanted, "{authority}");
    }
}

/// The names of all series that there can be.
fn series() -> BTreeSet<String> {
    let text = metrics(&[line("https://b.example", true)]).text();
    let name = |line: &str| line.split(['{', ' ']).next().unwrap_or_default().to_owned();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(name)
        .collect()
}

/// Every word of a text that begins like a metric of ours.
fn names(text: &str) -> BTreeSet<String> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with("function_fetch_"))
        .map(str::to_owned)
        .collect()
}

fn repository(path: &str) -> String {
    let file = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn dashboard_and_alerts_name_only_metrics_that_exist() {
    let series = series();
    for file in [
        "deploy/grafana/dashboard.json",
        "deploy/grafana/alerts.yaml",
    ] {
        let used = names(&repository(file));
        assert!(used.len() > 4, "{file}: {used:?}");
        for name in used {
            assert!(
                series.contains(&name),
                "{file}: {name} is not in {series:?}"
            );
        }
    }
    let dashboard = repository("deploy/grafana/dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(
        dashboard["panels"]
            .as_array()
            .is_some_and(|panels| panels.len() > 5)
    );
}

#[test]
fn the_pages_name_every_metric() {
    let families: BTreeSet<String> = metrics(&[line("https://b.example", true)])
        .text()
        .lines()
        .filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split(' ').next()?.to_owned()))
        .collect();
    assert!(families.len() > 12, "{families:?}");
    for page in ["docs/operations.md", "docs/operations_zh-CN.md"] {
        let text = repository(page);
        for family in &families {
            // A row may have several, the later ones without the prefix.
            let short = family.strip_prefix("function_fetch").unwrap();
            assert!(
                text.contains(family.as_str()) || text.contains(&format!("`{short}`")),
                "{page} lacks {family}"
            );
        }
    }
}

/// What `promtool check metrics` would complain of; it runs in the end-to-end tests where it is installed.
#[test]
fn the_text_is_as_prometheus_wants_it() {
    let text = metrics(&[line("https://b.example", true)]).text();
    let mut kinds = std::collections::BTreeMap::new();
    let mut helped = BTreeSet::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name)) => {
                let help = words.next().unwrap_or_default();
                assert!(!help.is_empty() && helped.insert(name), "{line}");
            }
            (Some("#"), Some("TYPE"), Some(name)) => {
                let kind = words.next().unwrap_or_default();
                assert!(kinds.insert(name, kind).is_none(), "twice: {line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                for part in name.split('_') {
                    let abbreviated =
                        ["s", "ms", "sec", "secs", "milliseconds", "counter", "gauge"];
                    assert!(!abbreviated.contains(&part), "{line}");
                }
            }
            (Some(sample), Some(value), None) => {
                let name = sample.split('{').next().unwrap_or_default();
                let base = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end));
                let known = kinds.contains_key(name)
                    || base.is_some_and(|base| kinds.get(base) == Some(&"histogram"));
                assert!(known && helped.contains(base.unwrap_or(name)), "{line}");
                assert!(value.parse::<f64>().is_ok(), "{line}");
            }
            _ => panic!("{line}"),
        }
    }
    assert_eq!(kinds.len(), helped.len());
}
