//! What becomes of each row on each host, `expected.json`: by the row's name, by hosts (several, separated by commas; `*`
//! for all others), the line of `Outcome::line`, or several with ` or ` between them where it depends on time. Where a request is not passed on as it was sent, `why` has the
//! platform's reason, by hosts likewise.

use std::collections::BTreeMap;

use function_fetch_cases::repository;
use serde_json::Value;

type ByHosts = BTreeMap<String, String>;

/// What is expected.
pub struct Expected(BTreeMap<String, (ByHosts, ByHosts)>);

impl Expected {
    /// Reads all of it.
    pub fn read() -> Self {
        let file = repository().join("tests/e2e/raw_bytes/expected.json");
        let text = std::fs::read_to_string(file).expect("expected.json");
        let all: Value = serde_json::from_str(&text).expect("expected.json is JSON");
        let by_hosts = |value: &Value| -> ByHosts {
            serde_json::from_value(value.clone()).unwrap_or_default()
        };
        let rows = all.as_object().expect("an object of rows");
        let rows = rows.iter().map(|(name, row)| {
            let why = by_hosts(&row["why"]);
            let mut outcomes = row.clone();
            outcomes.as_object_mut().map(|row| row.remove("why"));
            (name.clone(), (by_hosts(&outcomes), why))
        });
        Self(rows.collect())
    }

    /// The outcome of a row on a host.
    pub fn outcome(&self, row: &str, host: &str) -> Option<&str> {
        let (outcomes, _) = self.0.get(row)?;
        find(outcomes, host).or_else(|| outcomes.get("*").map(String::as_str))
    }

    /// Why a request may be changed there, if it may.
    pub fn why(&self, row: &str, host: &str) -> Option<&str> {
        find(&self.0.get(row)?.1, host)
    }

    /// The names of all rows.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn find<'a>(by_hosts: &'a ByHosts, host: &str) -> Option<&'a str> {
    let listed = |hosts: &str| hosts.split(',').any(|name| name.trim() == host);
    let found = by_hosts.iter().find(|(hosts, _)| listed(hosts));
    found.map(|(_, text)| text.as_str())
}
