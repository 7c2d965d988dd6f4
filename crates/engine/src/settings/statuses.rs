//! `FETCH_RETRY_STATUSES`: which answers say that their target has failed.

use std::ops::RangeInclusive;

/// What may be listed: an answer below 400 is never a failure.
const ALLOWED: RangeInclusive<u16> = 400..=599;

/// From here on an answer is the target's error, by its class (RFC 9110 §15.6).
const SERVER_ERRORS: u16 = 500;

/// A set of statuses, as ranges in ascending order with a gap before each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

impl Default for Statuses {
    /// The 5xx without those that any target would answer: 501 (Not Implemented)
    /// and 505 (HTTP Version Not Supported).
    fn default() -> Self {
        Self(vec![500..=500, 502..=504, 506..=599])
    }
}

impl Statuses {
    /// Whether the status is one of them.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// From which status on an answer may be one of them, or a server's error
    /// that is not.
    pub(crate) fn lowest_of_note(&self) -> u16 {
        let lowest = self.0.first().map_or(SERVER_ERRORS, |range| *range.start());
        lowest.min(SERVER_ERRORS)
    }

    /// `None` where there is no range.
    pub(super) fn of(mut ranges: Vec<RangeInclusive<u16>>) -> Option<Self> {
        ranges.sort_by_key(|range| *range.start());
        let mut merged: Vec<RangeInclusive<u16>> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if *range.start() <= *last.end() + 1 => {
                    let end = (*last.end()).max(*range.end());
                    *last = *last.start()..=end;
                }
                _ => merged.push(range),
            }
        }
        (!merged.is_empty()).then_some(Self(merged))
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
    use proptest::prelude::*;

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
        let lowest = |ranges| Statuses::of(ranges).unwrap().lowest_of_note();
        assert_eq!(Statuses::default().lowest_of_note(), 500);
        assert_eq!(lowest(vec![503..=503]), 500);
        assert_eq!(lowest(vec![503..=503, 429..=429]), 429);
    }

    proptest! {
        #[test]
        fn a_set_has_what_any_of_its_ranges_has(
            ends in proptest::collection::vec((400..=599u16, 400..=599u16), 1..8)
        ) {
            let ranges: Vec<_> = ends.iter().map(|(a, b)| *a.min(b)..=*a.max(b)).collect();
            let statuses = Statuses::of(ranges.clone()).unwrap();
            for status in 390..=610 {
                let wanted = ranges.iter().any(|range| range.contains(&status));
                prop_assert_eq!(statuses.contains(status), wanted);
            }
            prop_assert!(statuses.0.windows(2).all(|pair| pair[0].end() + 1 < *pair[1].start()));
        }
    }
}
