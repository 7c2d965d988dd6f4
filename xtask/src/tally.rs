//! Adds up the closing lines of test runners.

use std::fmt;

/// The totals of the suites so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
    /// Files of which Node.js ran no test, in the run whose closing lines have yet to come: it counts them as passed.
    pub idle_files: u64,
}

impl Tally {
    /// Counts a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`, or those of Node.js, `ℹ
    /// pass 3` and so on; ignores any other. What a filter excluded is not counted as skipped.
    pub fn read(&mut self, line: &str) {
        if let Some((_, result)) = line.split_once("test result: ") {
            self.read_libtest(result);
        } else if is_idle_file(line) {
            self.idle_files += 1;
        } else if let Some(count) = line.strip_prefix("ℹ ").or(line.strip_prefix("# ")) {
            self.read_node(count);
        }
    }

    fn read_libtest(&mut self, result: &str) {
        let words: Vec<&str> = result.split_whitespace().collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1].trim_end_matches(';') {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.skipped += count,
                _ => {}
            }
        }
    }

    fn read_node(&mut self, line: &str) {
        let Some((what, Ok(count))) = line
            .split_once(' ')
            .map(|(what, count)| (what, count.parse::<u64>()))
        else {
            return;
        };
        match what {
            "pass" => {
                self.passed += count.saturating_sub(std::mem::take(&mut self.idle_files));
            }
            // A cancelled test timed out, or its parent failed.
            "fail" | "cancelled" => self.failed += count,
            "skipped" | "todo" => self.skipped += count,
            _ => {}
        }
    }

    /// Whether no test ran and none was skipped.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a line such as `✔ test/engine/engine.test.ts (23.5ms)` is about a whole file, which Node.js prints only
/// where the filter has excluded all of its tests.
fn is_idle_file(line: &str) -> bool {
    line.strip_prefix("✔ ")
        .and_then(|line| line.rsplit_once(" ("))
        .is_some_and(|(name, _)| name.ends_with(".test.ts"))
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for line in lines {
            tally.read(line);
        }
        tally
    }

    #[test]
    fn sums_the_closing_lines_and_nothing_else() {
        let tally = tally(&[
            "running 4 tests",
            "test 7 passed ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.00s",
            "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ]);
        assert_eq!(
            tally,
            Tally {
                passed: 8,
                failed: 2,
                skipped: 1,
                ..Tally::default()
            }
        );
        assert_eq!(tally.to_string(), "8 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn reads_a_coloured_line() {
        let tally = tally(&[
            "test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 3 passed; 0 failed; 0 ignored; 0 measured",
        ]);
        assert_eq!(
            tally,
            Tally {
                passed: 3,
                failed: 0,
                skipped: 0,
                ..Tally::default()
            }
        );
    }

    #[test]
    fn reads_the_closing_lines_of_node() {
        let tally = tally(&[
            "✔ fail 7 times (1.2ms)",
            "ℹ tests 11",
            "ℹ suites 2",
            "ℹ pass 5",
            "ℹ fail 1",
            "ℹ cancelled 2",
            "ℹ skipped 1",
            "ℹ todo 2",
            "ℹ duration_ms 51.3",
            "# pass 4",
            "# fail slowly",
        ]);
        assert_eq!(
            tally,
            Tally {
                passed: 9,
                failed: 3,
                skipped: 3,
                ..Tally::default()
            }
        );
    }

    #[test]
    fn a_file_whose_tests_are_all_filtered_out_is_not_a_test() {
        let tally = tally(&[
            "✔ test/engine/engine.test.ts (23.5ms)",
            "✔ a test that is about a file.test.ts file (1ms)",
            "✔ test/esa/file.test.ts (219.7ms)",
            "ℹ pass 4",
            "ℹ pass 2",
        ]);
        assert_eq!(tally.passed, 4);
    }

    #[test]
    fn a_filter_that_matches_nothing_leaves_it_empty() {
        let line = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s";
        assert!(tally(&[line]).is_empty());
    }
}
