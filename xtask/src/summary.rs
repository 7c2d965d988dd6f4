//! What a run of the tests showed, as a table: by suite, and the end-to-end tests by host as well.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::tally::Tally;

/// The rows of the table.
#[derive(Default)]
pub struct Summary {
    suites: Vec<(&'static str, Tally)>,
    hosts: BTreeMap<String, Tally>,
}

impl Summary {
    /// A suite is over.
    pub fn add(&mut self, suite: &'static str, tally: Tally) {
        self.suites.push((suite, tally));
    }

    /// Counts a line such as `test embedded::post_is_never_sent_twice ... ok`, whose name begins with its host.
    pub fn read(&mut self, line: &str) {
        let Some((name, outcome)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... "))
        else {
            return;
        };
        let Some((host, _)) = name.trim().split_once("::") else {
            return;
        };
        let tally = self.hosts.entry(host.to_owned()).or_default();
        match outcome.split_whitespace().next().unwrap_or_default() {
            "ok" => tally.passed += 1,
            "ignored" => tally.skipped += 1,
            _ => tally.failed += 1,
        }
    }

    /// In Markdown.
    pub fn table(&self, title: &str) -> String {
        let mut text =
            format!("{title}\n\n| | passed | failed | skipped |\n| :-- | --: | --: | --: |\n");
        let suites = self.suites.iter().map(|(name, tally)| (*name, tally));
        let hosts = self
            .hosts
            .iter()
            .map(|(name, tally)| (name.as_str(), tally));
        let mut total = Tally::default();
        for (_, tally) in &self.suites {
            total.passed += tally.passed;
            total.failed += tally.failed;
            total.skipped += tally.skipped;
        }
        let rows = suites
            .map(|(name, tally)| (name.to_owned(), *tally))
            .chain([("**all**".to_owned(), total)])
            .chain(hosts.map(|(name, tally)| (format!("end to end on `{name}`"), *tally)));
        for (name, tally) in rows {
            let Tally {
                passed,
                failed,
                skipped,
                ..
            } = tally;
            // Writing to a string does not fail.
            let _ = writeln!(text, "| {name} | {passed} | {failed} | {skipped} |");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_by_suite_and_by_host() {
        let mut summary = Summary::default();
        for line in [
            "running 4 tests",
            "test embedded::one ... ok",
            "test embedded::two     ... FAILED",
            "test node::cases::three ... ok",
            "test spin_up::one ... ignored",
            "test result: ok. 3 passed",
        ] {
            summary.read(line);
        }
        let tally = Tally {
            passed: 2,
            failed: 1,
            skipped: 1,
            ..Tally::default()
        };
        summary.add("end to end", tally);
        let table = summary.table("A run");
        for row in [
            "A run\n\n|",
            "| end to end | 2 | 1 | 1 |",
            "| **all** | 2 | 1 | 1 |",
            "| end to end on `embedded` | 1 | 1 | 0 |",
            "| end to end on `node` | 1 | 0 | 0 |",
            "| end to end on `spin_up` | 0 | 0 | 1 |",
        ] {
            assert!(table.contains(row), "{row} in {table}");
        }
    }
}
