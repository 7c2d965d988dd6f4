//! What clients meet before, in and after a time of trouble, and how a policy
//! chooses meanwhile.

use super::{Answer, histogram};
use crate::clock::{MINUTE, Micros, SECOND};
use crate::traffic::Ask;
use hdrhistogram::Histogram;

/// The parts that a time of trouble is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is wrong yet.
    Before,
    /// The first ten seconds.
    FirstSeconds,
    /// The rest of the first minute.
    FirstMinute,
    /// What comes then.
    Later,
    /// It is over.
    After,
}

/// How many phases there are.
const PHASES: usize = 5;

/// How many first choices in a row make a target the primary of a location.
/// Trials are few and at random: five of them, one after the other, do not
/// happen, and a policy that has changed its mind needs half a second to show
/// it.
const IN_A_ROW: u32 = 5;

/// The requests of one phase, by their arrival.
#[derive(Clone, Debug)]
pub struct Counts {
    /// GETs.
    pub gets: u64,
    /// GETs whose client saw an error.
    pub failed_gets: u64,
    /// POSTs.
    pub posts: u64,
    /// Likewise for these.
    pub failed_posts: u64,
    /// The latencies of GETs, µs.
    pub get_latency: Histogram<u64>,
}

/// All counts of a time of trouble.
#[derive(Clone, Debug)]
pub struct Trouble {
    from: Micros,
    to: Micros,
    phases: Vec<Counts>,
    /// Requests, by where they were sent first.
    pub first_choices: u64,
    /// Those that were not sent to the location's primary; all, where requests go
    /// in turns and there is none.
    pub trials: u64,
    /// Changes of a location's primary
    pub switches: u64,
    /// to a target that is not the best there.
    pub wrong_switches: u64,
    /// How often a policy ejected a target while something was wrong,
    pub ejections: u64,
    /// and before and after.
    pub other_ejections: u64,
}

impl Trouble {
    /// Nothing counted yet.
    #[must_use]
    pub fn new((from, to): (Micros, Micros)) -> Self {
        let counts = Counts {
            gets: 0,
            failed_gets: 0,
            posts: 0,
            failed_posts: 0,
            get_latency: histogram(),
        };
        Self {
            from,
            to,
            phases: vec![counts; PHASES],
            first_choices: 0,
            trials: 0,
            switches: 0,
            wrong_switches: 0,
            ejections: 0,
            other_ejections: 0,
        }
    }

    /// The requests of a phase.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> &Counts {
        &self.phases[phase as usize]
    }

    /// Adds what other locations counted.
    pub fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.phases.iter_mut().zip(&other.phases) {
            ours.merge(theirs);
        }
        self.first_choices += other.first_choices;
        self.trials += other.trials;
        self.switches += other.switches;
        self.wrong_switches += other.wrong_switches;
        self.ejections += other.ejections;
        self.other_ejections += other.other_ejections;
    }

    /// A request has its answer.
    pub(super) fn request(&mut self, ask: &Ask, from: Micros, took: Micros, answer: &Answer) {
        let phase = self.at(from);
        let counts = &mut self.phases[phase as usize];
        let failed = u64::from(answer.is_error());
        if ask.post {
            counts.posts += 1;
            counts.failed_posts += failed;
        } else {
            counts.gets += 1;
            counts.failed_gets += failed;
            counts.get_latency.saturating_record(took);
        }
    }

    /// A policy ejects a target.
    pub(super) fn ejection(&mut self, now: Micros) {
        if (self.from..self.to).contains(&now) {
            self.ejections += 1;
        } else {
            self.other_ejections += 1;
        }
    }

    fn at(&self, now: Micros) -> Phase {
        if now < self.from {
            Phase::Before
        } else if now >= self.to {
            Phase::After
        } else if now < self.from + 10 * SECOND {
            Phase::FirstSeconds
        } else if now < self.from + MINUTE {
            Phase::FirstMinute
        } else {
            Phase::Later
        }
    }
}

impl Counts {
    /// Adds another's.
    pub fn merge(&mut self, other: &Self) {
        self.gets += other.gets;
        self.failed_gets += other.failed_gets;
        self.posts += other.posts;
        self.failed_posts += other.failed_posts;
        self.get_latency
            .add(&other.get_latency)
            .expect("equal bounds");
    }
}

/// The target that a location's requests go to, as its choices show it: a
/// policy need not have the notion.
#[derive(Clone, Debug, Default)]
pub(super) struct Primary {
    /// The latest request that was sent anywhere.
    latest: u64,
    target: Option<usize>,
    /// Another one that was chosen last, and how often in a row.
    other: (usize, u32),
}

impl Primary {
    /// A request goes to a target: unless it is a retry, or a straggler, it is
    /// counted, and so is what it tells.
    pub(super) fn chosen(
        &mut self,
        trouble: &mut Trouble,
        number: u64,
        target: usize,
        is_wrong: impl FnOnce() -> bool,
    ) {
        if number <= self.latest {
            return;
        }
        self.latest = number;
        trouble.first_choices += 1;
        if self.target == Some(target) {
            self.other = (target, 0);
            return;
        }
        let (other, count) = self.other;
        self.other = (target, if other == target { count + 1 } else { 1 });
        trouble.trials += 1;
        if self.other.1 < IN_A_ROW {
            return;
        }
        trouble.trials -= u64::from(IN_A_ROW);
        if self.target.replace(target).is_some() {
            trouble.switches += 1;
            trouble.wrong_switches += u64::from(is_wrong());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First choices of one location, one after the other; 2 is the best.
    fn choose(targets: &[usize]) -> Trouble {
        let mut trouble = Trouble::new((0, SECOND));
        let mut primary = Primary::default();
        for (number, target) in (1..).zip(targets) {
            primary.chosen(&mut trouble, number, *target, || *target != 2);
        }
        trouble
    }

    #[test]
    fn what_goes_elsewhere_now_and_then_is_a_trial() {
        let counted = choose(&[2, 2, 2, 2, 2, 0, 2, 2, 0, 0, 1, 2, 2]);
        assert_eq!(counted.first_choices, 13);
        assert_eq!((counted.trials, counted.switches), (4, 0));
    }

    #[test]
    fn five_in_a_row_are_a_switch_and_no_trial() {
        let away = choose(&[2, 2, 2, 2, 2, 0, 2, 0, 0, 0, 0, 0, 0]);
        assert_eq!((away.trials, away.switches, away.wrong_switches), (1, 1, 1));
        let back = choose(&[0, 0, 0, 0, 0, 2, 2, 2, 2, 2]);
        assert_eq!((back.trials, back.switches, back.wrong_switches), (0, 1, 0));
    }

    #[test]
    fn retries_and_stragglers_are_no_choices() {
        let mut trouble = Trouble::new((0, SECOND));
        let mut primary = Primary::default();
        for (number, target) in [(1, 0), (1, 1), (3, 0), (2, 1)] {
            primary.chosen(&mut trouble, number, target, || true);
        }
        assert_eq!(trouble.first_choices, 2);
    }

    #[test]
    fn ejections_of_well_targets_are_told_apart() {
        let mut trouble = Trouble::new((MINUTE, 3 * MINUTE));
        for second in [59, 60, 179, 180, 240] {
            trouble.ejection(second * SECOND);
        }
        assert_eq!((trouble.ejections, trouble.other_ejections), (2, 3));
    }

    #[test]
    fn requests_belong_to_the_phase_of_their_arrival() {
        let trouble = Trouble::new((MINUTE, 3 * MINUTE));
        let phases = [59, 60, 69, 70, 119, 120, 179, 180].map(|second| trouble.at(second * SECOND));
        let wanted = [
            Phase::Before,
            Phase::FirstSeconds,
            Phase::FirstSeconds,
            Phase::FirstMinute,
            Phase::FirstMinute,
            Phase::Later,
            Phase::Later,
            Phase::After,
        ];
        assert_eq!(phases, wanted);
    }
}
