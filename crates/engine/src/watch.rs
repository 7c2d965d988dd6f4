//! What is remembered for the status page alone, where there is one: the last
//! probes and answers of each target, why it was ejected, and the last notices.
//! All of it is bounded.

use crate::health::{LastFailure, Verdict};
use crate::notice::Notice;
use crate::record::Ejection;
use crate::round::ProbeOutcome;
use crate::time::{Millis, Timestamp};
use std::collections::VecDeque;

/// The most probes and answers of a target, and the most notices.
const MOST_PROBES: usize = 20;
const MOST_ANSWERS: usize = 20;
const MOST_EVENTS: usize = 30;

/// How far a moment may be off that has been in the store, where it is whole.
const ROUNDED: Millis = Millis(1.0);

#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// When the first request came.
    pub(crate) since: Option<Timestamp>,
    pub(crate) requests: u32,
    pub(crate) events: VecDeque<(Timestamp, Notice)>,
    targets: Vec<Watched>,
}

/// One target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    pub(crate) probes: VecDeque<Probed>,
    /// How its last requests ended; none for a good answer.
    answers: VecDeque<Option<LastFailure>>,
    ejected: Option<Ejected>,
}

/// A probe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probed {
    pub(crate) at: Timestamp,
    pub(crate) outcome: ProbeOutcome,
}

/// An ejection by this instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ejected {
    pub(crate) verdict: Verdict,
    /// Of the last requests, so many had failed.
    pub(crate) failed: u32,
    pub(crate) of: u32,
    ends: Timestamp,
}

impl Watch {
    pub(crate) fn new(targets: usize) -> Self {
        Self {
            targets: vec![Watched::default(); targets],
            ..Self::default()
        }
    }

    pub(crate) fn begun(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
        self.requests = self.requests.saturating_add(1);
    }

    pub(crate) fn told(&mut self, notices: &[Notice], now: Timestamp) {
        for notice in notices {
            keep(&mut self.events, MOST_EVENTS, (now, notice.clone()));
        }
    }

    pub(crate) fn probed(&mut self, target: usize, outcome: ProbeOutcome, at: Timestamp) {
        keep(
            &mut self.targets[target].probes,
            MOST_PROBES,
            Probed { at, outcome },
        );
    }

    /// A request ended, and how it failed if it did.
    pub(crate) fn answered(&mut self, target: usize, failure: Option<LastFailure>) {
        keep(&mut self.targets[target].answers, MOST_ANSWERS, failure);
    }

    pub(crate) fn ejected(&mut self, target: usize, verdict: Verdict, ends: Timestamp) {
        let watched = &mut self.targets[target];
        let failed = watched.answers.iter().filter(|one| one.is_some()).count();
        watched.ejected = Some(Ejected {
            verdict,
            failed: failed as u32,
            of: watched.answers.len() as u32,
            ends,
        });
        // What it was ejected for is not held against it again.
        watched.answers.clear();
    }

    pub(crate) fn of(&self, target: usize) -> &Watched {
        &self.targets[target]
    }
}

impl Watched {
    /// What this instance knows of an ejection: nothing, where another one found it.
    pub(crate) fn cause(&self, ejection: Ejection) -> Option<Ejected> {
        self.ejected.filter(|ours| {
            let apart = ours.ends - ejection.ends;
            (Millis(-ROUNDED.0)..=ROUNDED).contains(&apart)
        })
    }
}

fn keep<T>(list: &mut VecDeque<T>, most: usize, item: T) {
    if list.len() == most {
        list.pop_front();
    }
    list.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use crate::health::{Found, Reason};

    const NOW: Timestamp = Timestamp(1e12);

    fn by_requests(status: u16) -> Verdict {
        Verdict {
            reason: Reason::Request(LastFailure::Status(status)),
            found: Found::ByRequests,
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_latest() {
        let mut watch = Watch::new(1);
        for ms in 0..1_000 {
            let now = NOW + Millis::from(ms);
            let outcome = ProbeOutcome {
                result: Err(Failure::DnsError),
                took: Millis::from(ms),
                cached: false,
            };
            watch.probed(0, outcome, now);
            watch.told(&[Notice::NoHealthyTarget], now);
            watch.answered(0, None);
        }
        assert_eq!(watch.events.len(), MOST_EVENTS);
        let probes = &watch.of(0).probes;
        assert_eq!(probes.len(), MOST_PROBES);
        assert_eq!(probes[MOST_PROBES - 1].outcome.took, Millis(999.0));
        assert_eq!(watch.events[MOST_EVENTS - 1].0, NOW + Millis(999.0));
        assert_eq!(watch.of(0).answers.len(), MOST_ANSWERS);
    }

    #[test]
    fn an_ejection_counts_the_answers_since_the_one_before() {
        let mut watch = Watch::new(2);
        for failure in [None, Some(LastFailure::Status(500)), None] {
            watch.answered(1, failure);
        }
        watch.ejected(1, by_requests(500), NOW);
        let length = Millis(10_000.0);
        let ejection = |ends| Ejection { ends, length };
        let ours = watch.of(1).cause(ejection(NOW)).expect("it is ours");
        assert_eq!((ours.failed, ours.of), (1, 3));
        watch.answered(1, Some(LastFailure::Overdue));
        watch.ejected(1, by_requests(502), NOW + length);
        let again = watch.of(1).cause(ejection(NOW + length)).expect("ours");
        assert_eq!((again.failed, again.of), (1, 1));
    }

    #[test]
    fn another_instances_ejection_has_no_cause_here_and_a_rounded_moment_is_ours() {
        let mut watch = Watch::new(1);
        let ends = NOW + Millis(0.4);
        watch.ejected(0, by_requests(500), ends);
        let cause = |ends| {
            let length = Millis(1_000.0);
            watch.of(0).cause(Ejection { ends, length }).is_some()
        };
        assert!(
            cause(ends) && cause(NOW),
            "the store has whole milliseconds"
        );
        assert!(!cause(NOW + Millis(5_000.0)) && !cause(NOW - Millis(5_000.0)));
    }
}
