//! Adds up the closing lines of test runners.

use std::fmt;

/// What the suites said so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Tally {
    /// Counts a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`; any other is nothing to
    /// it. What a filter left out was not asked for, so it is not counted as skipped.
    pub fn read(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result: ") else {
            return;
        };
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

    /// Whether no test ran and none was skipped.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
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
                skipped: 1
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
                skipped: 0
            }
        );
    }

    #[test]
    fn a_filter_that_matches_nothing_leaves_it_empty() {
        let line = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s";
        assert!(tally(&[line]).is_empty());
    }
}
