//! What the run showed.

use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

/// How the report is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Markdown,
    Json,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "markdown" => Ok(Self::Markdown),
            "json" => Ok(Self::Json),
            _ => Err("text, markdown or json"),
        }
    }
}

/// A number that is held against a limit.
pub struct Check {
    what: &'static str,
    value: u64,
    limit: u64,
    at_least: bool,
}

impl Check {
    /// At most the limit.
    pub fn of(what: &'static str, value: u64, limit: u64) -> Self {
        Self {
            what,
            value,
            limit,
            at_least: false,
        }
    }

    /// At least the limit: else the run shows nothing.
    pub fn at_least(what: &'static str, value: u64, limit: u64) -> Self {
        Self {
            what,
            value,
            limit,
            at_least: true,
        }
    }

    fn is_good(&self) -> bool {
        if self.at_least {
            self.value >= self.limit
        } else {
            self.value <= self.limit
        }
    }
}

/// All of one host.
pub struct Report {
    pub host: &'static str,
    pub seconds: u64,
    pub requests_per_second: f64,
    pub calm: Duration,
    pub abused: Duration,
    pub rss: (u64, u64),
    pub descriptors: (u64, u64),
    pub checks: Vec<Check>,
    /// As [`crate::verdict::Verdicts::json`] has them.
    pub verdicts: Value,
}

impl Report {
    pub fn is_good(&self) -> bool {
        self.checks.iter().all(Check::is_good)
    }

    fn json(&self) -> Value {
        let checks = self.checks.iter().map(|check| {
            json!({
                "check": check.what,
                "value": check.value,
                "limit": check.limit,
                "at_least": check.at_least,
                "good": check.is_good(),
            })
        });
        json!({
            "host": self.host,
            "seconds": self.seconds,
            "good": self.is_good(),
            "requests_per_second_at_saturation": self.requests_per_second,
            "p99_ms": {"calm": self.calm.as_secs_f64() * 1e3, "beside_slow_clients": self.abused.as_secs_f64() * 1e3},
            "rss_kib": {"third_quarter": self.rss.0, "last_quarter": self.rss.1},
            "descriptors": {"third_quarter": self.descriptors.0, "last_quarter": self.descriptors.1},
            "checks": checks.collect::<Vec<_>>(),
            "requests": self.verdicts,
        })
    }

    fn table(&self, format: Format) -> String {
        let mut text = String::new();
        let markdown = format == Format::Markdown;
        let title = format!(
            "{}: {} s, {:.0} requests/s at saturation",
            self.host, self.seconds, self.requests_per_second
        );
        // Writing to a string does not fail.
        let _ = if markdown {
            writeln!(
                text,
                "### {title}\n\n| | measured | limit | |\n| :-- | --: | --: | :-- |"
            )
        } else {
            writeln!(text, "{title}")
        };
        for check in &self.checks {
            let sign = if check.at_least { "≥" } else { "≤" };
            let good = if check.is_good() { "ok" } else { "FAILED" };
            let Check {
                what, value, limit, ..
            } = check;
            let _ = if markdown {
                writeln!(text, "| {what} | {value} | {sign} {limit} | {good} |")
            } else {
                writeln!(text, "  {what:<50} {value:>10}  {sign} {limit:<10} {good}")
            };
        }
        for name in ["good", "excused"] {
            let counts = self.verdicts[name].as_object().into_iter().flatten();
            let counts: Vec<_> = counts
                .map(|(kind, count)| format!("{kind} {count}"))
                .collect();
            if !counts.is_empty() {
                let blank = if markdown { "\n" } else { "  " };
                let _ = writeln!(text, "{blank}{name}: {}", counts.join("; "));
            }
        }
        let violations = self.verdicts["first_violations"].as_array();
        for violation in violations.into_iter().flatten() {
            let violation = violation.as_str().unwrap_or_default();
            let _ = writeln!(text, "  violation: {violation}");
        }
        text
    }
}

/// The reports of all hosts.
pub fn render(reports: &[Report], format: Format) -> String {
    match format {
        Format::Json => json!(reports.iter().map(Report::json).collect::<Vec<_>>()).to_string(),
        _ => {
            let tables: Vec<_> = reports.iter().map(|report| report.table(format)).collect();
            tables.join("\n")
        }
    }
}
