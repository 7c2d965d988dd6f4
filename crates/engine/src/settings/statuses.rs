//! `FETCH_RETRY_STATUSES`: which answers say that their target has failed.

use std::fmt;
use std::ops::RangeInclusive;

/// What may be listed: an answer below 400 is never a failure.
const ALLOWED: RangeInclusive<u16> = 400..=599;

/// From here on an answer is the target's error, by its class (RFC 9110 §15.6).
const SERVER_ERRORS: u16 = 500;

/// A set of statuses.
#[derive(Clone, PartialEq, Eq)]
pub struct Statuses([bool; 200]);

impl Default for Statuses {
    /// The 5xx without those that any target would answer: 501 (Not Implemented)
    /// and 505 (HTTP Version Not Supported).
    fn default() -> Self {
        let mut statuses = Self::none();
        for range in [500..=500, 502..=504, 506..=599] {
            statuses.insert(range);
        }
        statuses
    }
}

impl fmt::Debug for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// As it would be written: statuses and ranges.
impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        let mut next = *ALLOWED.start();
        while let Some(first) = (next..=*ALLOWED.end()).find(|status| self.contains(*status)) {
            let run = (first..=*ALLOWED.end()).take_while(|status| self.contains(*status));
            let last = run.last().unwrap_or(first);
            write!(f, "{comma}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
            comma = ",";
            next = last + 1;
        }
        Ok(())
    }
}

impl Statuses {
    pub(super) fn none() -> Self {
        Self([false; 200])
    }

    /// Whether the status is one of them.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        ALLOWED.contains(&status) && self.0[usize::from(status - ALLOWED.start())]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Adds a range that [`parse`] has allowed.
    pub(super) fn insert(&mut self, range: RangeInclusive<u16>) {
        for status in range {
            self.0[usize::from(status - ALLOWED.start())] = true;
        }
    }

    fn iter(&self) -> impl Iterator<Item = u16> {
        ALLOWED.filter(|status| self.contains(*status))
    }

    /// From which status on an answer may be one of them, or a server's error
    /// that is not.
    pub(crate) fn lowest_of_note(&self) -> u16 {
        self.iter()
            .next()
            .map_or(SERVER_ERRORS, |lowest| lowest.min(SERVER_ERRORS))
    }
}

/// One entry of the list: `429`, or `502-504`.
pub(super) fn parse(word: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let range = status(first)?..=status(last)?;
    (!range.is_empty()).then_some(range)
}

fn status(text: &str) -> Option<u16> {
    // `parse` would take a sign.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let status = text.parse().ok().filter(|_| is_number)?;
    ALLOWED.contains(&status).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_every_5xx_but_501_and_505() {
        let statuses = Statuses::default();
        for status in 0..=1000 {
            let wanted = (500..600).contains(&status) && !matches!(status, 501 | 505);
            assert_eq!(statuses.contains(status), wanted, "{status}");
        }
    }

    #[test]
    fn an_entry_is_a_status_or_a_range_from_400_to_599() {
        assert_eq!(parse("429"), Some(429..=429));
        assert_eq!(parse("502-504"), Some(502..=504));
        for wrong in [
            "",
            "-",
            "5xx",
            "200",
            "399",
            "600",
            "301-503",
            "504-502",
            "+500",
            "500-",
            "70000",
            "500-502-504",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_a_host_must_report_begins_with_the_server_errors_at_the_latest() {
        let lowest = |statuses: &[u16]| {
            let mut set = Statuses::none();
            for status in statuses {
                set.insert(*status..=*status);
            }
            set.lowest_of_note()
        };
        assert_eq!(Statuses::default().lowest_of_note(), 500);
        assert_eq!(lowest(&[503]), 500);
        assert_eq!(lowest(&[503, 429]), 429);
    }
}
