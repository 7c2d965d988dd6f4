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
    /// The latest moment that the host has told.
    now: Timestamp,
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

    pub(crate) fn at(&mut self, now: Timestamp) {
        self.now = now;
    }

    pub(crate) fn begun(&mut self, now: Timestamp) {
        self.at(now);
        self.since.get_or_insert(now);
        self.requests = self.requests.saturating_add(1);
    }

    pub(crate) fn told(&mut self, notices: &[Notice]) {
        for notice in notices {
            keep(&mut self.events, MOST_EVENTS, (self.now, notice.clone()));
        }
    }

    pub(crate) fn probed(&mut self, target: usize, outcome: ProbeOutcome, now: Timestamp) {
        let at = now;
        self.at(now);
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

    /// A good answer will not be reported.
    pub(crate) fn unreported(&mut self, target: usize) {
        self.answered(target, None);
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
