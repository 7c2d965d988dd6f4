//! What has happened lately, as one who watches a session sees it: each event
//! when it happens, where the series of [`super::Metrics`] count a request when
//! it arrives.

use crate::clock::Micros;
use function_fetch_engine::Notice;
use std::collections::VecDeque;

/// Events of the last while. What is older is forgotten, so memory stays flat.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    keep: Micros,
    targets: usize,
    /// Requests sent to targets, and when.
    sent: VecDeque<(Micros, usize)>,
    /// Likewise of probes.
    probed: VecDeque<(Micros, usize)>,
    ended: VecDeque<(Micros, End)>,
    told: VecDeque<Told>,
    waiting: u64,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
struct End {
    took: Micros,
    failed: bool,
}

/// What an engine told its operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// When.
    pub at: Micros,
    /// At which location.
    pub location: usize,
    /// What.
    pub notice: Notice,
}

/// What happened within a span of time, at all locations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Requests that ended in it.
    pub requests: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Half of them took no longer than this, until the head or the failure;
    /// none where no request ended.
    pub p50: Option<Micros>,
    /// 99 % of them took no longer than this.
    pub p99: Option<Micros>,
    /// Requests sent in it, to each target: first attempts, retries and hedges.
    pub sent: Vec<u32>,
    /// Probes sent in it, to each target.
    pub probes: Vec<u32>,
    /// Requests that wait for their answer now.
    pub waiting: u64,
}

impl Recent {
    /// Nothing has happened. What happens is kept for so long.
    pub(super) fn new(targets: usize, keep: Micros) -> Self {
        Self {
            keep,
            targets,
            sent: VecDeque::new(),
            probed: VecDeque::new(),
            ended: VecDeque::new(),
            told: VecDeque::new(),
            waiting: 0,
        }
    }

    pub(super) fn arrived(&mut self) {
        self.waiting += 1;
    }

    pub(super) fn sent(&mut self, now: Micros, target: usize) {
        push(&mut self.sent, self.keep, now, target);
    }

    pub(super) fn probed(&mut self, now: Micros, target: usize) {
        push(&mut self.probed, self.keep, now, target);
    }

    pub(super) fn ended(&mut self, now: Micros, took: Micros, failed: bool) {
        self.waiting = self.waiting.saturating_sub(1);
        push(&mut self.ended, self.keep, now, End { took, failed });
    }

    pub(super) fn told(&mut self, told: Told) {
        let since = told.at.saturating_sub(self.keep);
        self.told.push_back(told);
        while self.told.front().is_some_and(|told| told.at <= since) {
            self.told.pop_front();
        }
    }

    pub(super) fn take_told(&mut self) -> Vec<Told> {
        self.told.drain(..).collect()
    }

    /// What happened after `since`, or since the start.
    pub(super) fn after(&self, since: Option<Micros>) -> Sample {
        let ends: Vec<End> = after(&self.ended, since).collect();
        let mut took: Vec<Micros> = ends.iter().map(|end| end.took).collect();
        Sample {
            requests: ends.len() as u64,
            failed: ends.iter().filter(|end| end.failed).count() as u64,
            p50: quantile(&mut took, 0.5),
            p99: quantile(&mut took, 0.99),
            sent: self.by_target(&self.sent, since),
            probes: self.by_target(&self.probed, since),
            waiting: self.waiting,
        }
    }

    fn by_target(&self, events: &VecDeque<(Micros, usize)>, since: Option<Micros>) -> Vec<u32> {
        let mut counts = vec![0; self.targets];
        for target in after(events, since) {
            counts[target] += 1;
        }
        counts
    }
}

fn push<T>(events: &mut VecDeque<(Micros, T)>, keep: Micros, now: Micros, event: T) {
    events.push_back((now, event));
    let since = now.saturating_sub(keep);
    while events.front().is_some_and(|(at, _)| *at <= since) {
        events.pop_front();
    }
}

fn after<T: Copy>(
    events: &VecDeque<(Micros, T)>,
    since: Option<Micros>,
) -> impl Iterator<Item = T> {
    let first = since.map_or(0, |since| events.partition_point(|(at, _)| *at <= since));
    events.range(first..).map(|(_, event)| *event)
}

/// The smallest value that is not below this share of them: the nearest rank.
fn quantile(values: &mut [Micros], share: f64) -> Option<Micros> {
    let rank = (share * values.len() as f64).ceil() as usize;
    let index = rank.checked_sub(1)?;
    let (_, value, _) = values.select_nth_unstable(index);
    Some(*value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    const KEEP: Micros = 10 * SECOND;

    #[test]
    fn a_sample_has_what_happened_within_its_span() {
        let mut recent = Recent::new(3, KEEP);
        for second in 1..=9 {
            recent.arrived();
            recent.sent(second * SECOND, (second % 2) as usize);
            recent.ended(second * SECOND, second, second == 9);
        }
        recent.arrived();
        recent.probed(8 * SECOND, 2);
        let sample = recent.after(Some(5 * SECOND));
        let wanted = Sample {
            requests: 4,
            failed: 1,
            p50: Some(7),
            p99: Some(9),
            sent: vec![2, 2, 0],
            probes: vec![0, 0, 1],
            waiting: 1,
        };
        assert_eq!(sample, wanted);
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut recent = Recent::new(1, KEEP);
        for second in 0..1_000 {
            recent.sent(second * SECOND, 0);
            recent.ended(second * SECOND, 1, false);
            recent.told(Told {
                at: second * SECOND,
                location: 0,
                notice: Notice::NoHealthyTarget,
            });
        }
        assert_eq!(recent.sent.len(), 10);
        assert_eq!(recent.take_told().len(), 10);
        assert!(recent.take_told().is_empty(), "each is told once");
        assert_eq!(recent.after(None).requests, 10);
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let mut values: Vec<Micros> = (1..=200).rev().collect();
        assert_eq!(quantile(&mut values, 0.5), Some(100));
        assert_eq!(quantile(&mut values, 0.99), Some(198));
        assert_eq!(quantile(&mut [7], 0.99), Some(7));
        assert_eq!(quantile(&mut [], 0.5), None);
    }
}
