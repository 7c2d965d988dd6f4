//! Who comes first: the order of the targets, and when the primary changes.

use crate::health::Health;
use crate::request::TargetSet;
use crate::settings::Margin;
use crate::sort::sort;
use crate::target::Preference;
use crate::time::{Millis, Timestamp};

/// A first probe pays for the handshake that a pooled connection has behind it:
/// with TLS 1.3 three round trips instead of one, each with its own jitter. A
/// challenger so many times slower may still be the faster one, which a second
/// probe shows.
const HANDSHAKE: f64 = 4.0;

/// How many challengers are compared with the primary at first.
const CHALLENGERS: usize = 3;

/// How many times a healthy primary is compared with a challenger before it is
/// replaced: the medians decide, so one lost packet does not.
pub(crate) const COMPARISONS: usize = 3;

/// The targets by rank: fit ones, then those whose answers are overdue, then
/// half-open and ejected ones; in each of these classes by tier, and in each tier by
/// latency with the unmeasured ones last; among equals, the settings' order.
pub(crate) fn order(targets: &[Health], now: Timestamp) -> Vec<usize> {
    let mut order: Vec<usize> = (0..targets.len()).collect();
    sort(&mut order, &|one, other| {
        let (place, latency) = key(&targets[one], now);
        let (other_place, other_latency) = key(&targets[other], now);
        place
            .cmp(&other_place)
            .then(latency.total_cmp(&other_latency))
    });
    order
}

fn key(target: &Health, now: Timestamp) -> ((u8, u8), Millis) {
    let class = match () {
        () if target.is_half_open() => 2,
        () if target.is_ejected() => 3,
        () if target.is_suspect(now) => 1,
        () => 0,
    };
    let latency = target
        .latency
        .map_or(Millis(f64::MAX), |known| known.mean());
    ((class, target.preference.tier), latency)
}

/// The targets by tier, in each in the settings' order: where nothing is known.
pub(crate) fn by_tier(targets: &[Health]) -> Vec<usize> {
    let mut order = Vec::with_capacity(targets.len());
    for tier in 1..=Preference::LAST_TIER {
        let is_in = |index: &usize| targets[*index].preference.tier == tier;
        order.extend((0..targets.len()).filter(is_in));
    }
    order
}

/// Whether a healthy target is of a better tier than another, which then has
/// nothing to serve: no comparison is needed.
pub(crate) fn outranks(targets: &[Health], one: usize, other: usize) -> bool {
    let [one, other] = [one, other].map(|index| &targets[index]);
    one.preference.tier < other.preference.tier && one.latency.is_some() && !one.is_ejected()
}

/// The fit targets of a target's tier: its latency is compared with theirs alone.
pub(crate) fn rivals(targets: &[Health], target: usize) -> TargetSet {
    let tier = targets[target].preference.tier;
    (0..targets.len())
        .filter(|index| targets[*index].preference.tier == tier && !targets[*index].is_ejected())
        .collect()
}

/// The first by rank.
pub(crate) fn best(targets: &[Health], now: Timestamp) -> usize {
    order(targets, now)[0]
}

/// The targets among which `FETCH_SPREAD` shares the traffic: those of the
/// primary's tier that are as fast, give or take the margin.
pub(crate) fn peers(targets: &[Health], primary: usize, margin: Margin) -> Vec<usize> {
    let rivals = rivals(targets, primary);
    let is_peer = |index: &usize| {
        *index == primary
            || rivals.contains(*index) && is_near(&targets[*index], &targets[primary], margin)
    };
    (0..targets.len()).filter(is_peer).collect()
}

/// Whether a target is as fast as the primary, give or take the margin.
pub(crate) fn is_near(target: &Health, primary: &Health, margin: Margin) -> bool {
    is_near_but_for(1.0, target, primary, margin)
}

/// The same, if not for the handshake that its probes pay for while no request keeps
/// a connection.
pub(crate) fn may_be_near(target: &Health, primary: &Health, margin: Margin) -> bool {
    is_near_but_for(HANDSHAKE, target, primary, margin)
}

fn is_near_but_for(handshake: f64, target: &Health, primary: &Health, margin: Margin) -> bool {
    target
        .latency
        .zip(primary.latency)
        .is_some_and(|(target, primary)| {
            let primary = primary.mean();
            target.mean() / handshake <= primary + lead(primary, margin)
        })
}

/// One of the peers, each as likely as it weighs. `share` is random, from 0 up
/// to, not including, 1.
pub(crate) fn pick(targets: &[Health], peers: &[usize], share: f64) -> Option<usize> {
    let weight = |peer: &usize| f64::from(targets[*peer].preference.weight);
    let mut left = share * peers.iter().map(weight).sum::<f64>();
    peers.iter().copied().find(|peer| {
        left -= weight(peer);
        left < 0.0
    })
}

/// How much faster than `latency` a challenger must be.
pub(crate) fn lead(latency: Millis, margin: Margin) -> Millis {
    margin.least.max(latency * margin.percent / 100.0)
}

/// A healthy answer to a probe.
#[derive(Clone, Copy, Debug)]
struct Sample {
    target: usize,
    took: Millis,
}

/// The healthy answers of one round of probes, and of the comparisons that follow
/// it: the primary and its challengers again, on connections that stand by now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    comparisons: usize,
    first: Vec<Sample>,
    later: Vec<Sample>,
}

/// What is known of a healthy primary that is compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incumbent {
    pub(crate) target: usize,
    /// Its latency before the round.
    pub(crate) latency: Option<Millis>,
    /// Those that may take its place: of its tier, and fit. Probes may find a target
    /// well that live requests do not.
    pub(crate) rivals: TargetSet,
    /// The target that it stands in for, which lost its place by failing.
    pub(crate) stands_in_for: Option<usize>,
}

impl Incumbent {
    fn may_lose_to(&self, challenger: usize) -> bool {
        challenger != self.target && self.rivals.contains(challenger)
    }
}

/// What the samples show of a healthy primary.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Keep,
    /// These targets are to be compared once more.
    CompareAgain(Vec<usize>),
    Switch(usize),
}

impl Samples {
    /// Which comparison runs; 0 in the round itself.
    pub(crate) fn comparison(&self) -> usize {
        self.comparisons
    }

    pub(crate) fn compare_again(&mut self) {
        self.comparisons += 1;
    }

    pub(crate) fn add(&mut self, target: usize, took: Millis) {
        let sample = Sample { target, took };
        if self.comparisons == 0 {
            self.first.push(sample);
        } else {
            self.later.push(sample);
        }
    }

    /// The median of a target's answers in the comparisons, when it has given one
    /// in each.
    pub(crate) fn median(&self, target: usize) -> Option<Millis> {
        let answers = fastest_first(&self.later, |sample| sample.target == target);
        if answers.len() < self.comparisons {
            return None;
        }
        let middle = answers.len() / 2;
        if answers.len().is_multiple_of(2) {
            Some((answers[middle - 1].took + answers[middle].took) / 2.0)
        } else {
            Some(answers[middle].took)
        }
    }

    /// What they show of a healthy primary. Like with like: a challenger must
    /// beat what the primary has shown in the same comparisons, past the margin;
    /// while there are comparisons left, half of it makes it worth another.
    pub(crate) fn judge(&self, primary: Incumbent, margin: Margin, spread: bool) -> Outcome {
        let own = if self.comparisons == 0 {
            let probed = self.first.iter().find(|one| one.target == primary.target);
            probed.map(|sample| sample.took).or(primary.latency)
        } else {
            self.median(primary.target)
        };
        let Some(own) = own else {
            return Outcome::Keep;
        };
        let lead = lead(own, margin);
        let must_beat = |challenger: usize| {
            if Some(challenger) == primary.stands_in_for {
                // Who lost its place by failing need only be as good to have it
                // back.
                own + lead
            } else if self.comparisons < COMPARISONS {
                own - lead / 2.0
            } else {
                own - lead
            }
        };
        if self.comparisons == 0 {
            // To share the traffic it is enough to be as good.
            let worth_comparing = |challenger| {
                if spread {
                    own + lead
                } else {
                    must_beat(challenger)
                }
            };
            let mut targets = self.challengers(primary, worth_comparing);
            if targets.is_empty() {
                return Outcome::Keep;
            }
            targets.insert(0, primary.target);
            return Outcome::CompareAgain(targets);
        }
        match self.fastest(primary, must_beat) {
            None => Outcome::Keep,
            Some(challenger) if self.comparisons == COMPARISONS => Outcome::Switch(challenger),
            Some(challenger) => Outcome::CompareAgain(vec![primary.target, challenger]),
        }
    }

    /// After a round of first probes: whom a healthy primary must be compared
    /// with, fastest first. Those are all that would be faster than they must be,
    /// if not for their handshake.
    fn challengers(&self, primary: Incumbent, must_beat: impl Fn(usize) -> Millis) -> Vec<usize> {
        let fast = fastest_first(&self.first, |sample| {
            primary.may_lose_to(sample.target) && sample.took / HANDSHAKE < must_beat(sample.target)
        });
        fast.iter()
            .take(CHALLENGERS)
            .map(|sample| sample.target)
            .collect()
    }

    /// Of the challengers that beat what they must, the fastest.
    fn fastest(&self, primary: Incumbent, must_beat: impl Fn(usize) -> Millis) -> Option<usize> {
        let mut winner: Option<Sample> = None;
        let known = self.later.iter().map(|sample| sample.target).max()?;
        for target in (0..=known).filter(|target| primary.may_lose_to(*target)) {
            if let Some(took) = self.median(target)
                && took < must_beat(target)
                && winner.is_none_or(|best| took < best.took)
            {
                winner = Some(Sample { target, took });
            }
        }
        winner.map(|winner| winner.target)
    }
}

/// Those of the samples that are wanted, the fastest first.
fn fastest_first(samples: &[Sample], wanted: impl Fn(&Sample) -> bool) -> Vec<Sample> {
    let mut places: Vec<usize> = (0..samples.len())
        .filter(|place| wanted(&samples[*place]))
        .collect();
    sort(&mut places, &|one, other| {
        samples[one].took.total_cmp(&samples[other].took)
    });
    places.into_iter().map(|place| samples[place]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Found;

    const MARGIN: Margin = Margin {
        percent: 20.0,
        least: Millis(10.0),
    };

    const START: Timestamp = Timestamp(0.0);

    fn targets(latencies: &[Option<f64>]) -> Vec<Health> {
        latencies
            .iter()
            .map(|ms| {
                let mut health = Health::default();
                if let Some(ms) = ms {
                    health.probe_passed(Millis(*ms), START, Millis(1.0));
                }
                health
            })
            .collect()
    }

    fn round(answers: &[(usize, f64)]) -> Samples {
        let mut samples = Samples::default();
        for (target, ms) in answers {
            samples.add(*target, Millis(*ms));
        }
        samples
    }

    fn incumbent(target: usize) -> Incumbent {
        Incumbent {
            target,
            latency: None,
            rivals: TargetSet(u32::MAX),
            stands_in_for: None,
        }
    }

    #[test]
    fn measured_then_unmeasured_then_overdue_then_half_open_then_ejected() {
        let mut targets = targets(&[
            None,
            Some(60.0),
            Some(1.0),
            Some(5.0),
            None,
            Some(2.0),
            Some(90.0),
        ]);
        targets[2].eject(Found::Outage, 0.5, START);
        targets[5].request_sent(START);
        targets[5].request_sent(START);
        targets[6].eject(Found::ByRequests, 0.5, START);
        targets[6].probe_passed(Millis(90.0), START, Millis(1.0));
        assert_eq!(order(&targets, Timestamp(5_000.0)), [3, 1, 0, 4, 5, 6, 2]);
    }

    #[test]
    fn in_each_class_the_tier_comes_before_the_latency() {
        let mut targets = targets(&[Some(1.0), Some(60.0), None, Some(1.0), Some(90.0), None]);
        for (target, tier) in targets.iter_mut().zip([2, 1, 1, 2, 1, 2]) {
            target.preference.tier = tier;
        }
        assert_eq!(order(&targets, START), [1, 4, 2, 0, 3, 5]);
        for ejected in [0, 1] {
            targets[ejected].eject(Found::Outage, 0.5, START);
        }
        assert_eq!(order(&targets, START), [4, 2, 3, 5, 1, 0]);
        for _ in 0..2 {
            targets[4].request_sent(START);
        }
        assert_eq!(order(&targets, Timestamp(500.0)), [2, 3, 5, 4, 1, 0]);
    }

    #[test]
    fn only_a_measured_and_healthy_target_of_a_better_tier_outranks() {
        let mut targets = targets(&[Some(1.0), Some(60.0), None]);
        targets[0].preference.tier = 2;
        assert!(outranks(&targets, 1, 0) && !outranks(&targets, 0, 1));
        assert!(!outranks(&targets, 2, 0), "nobody knows if it is there");
        targets[1].eject(Found::Outage, 0.5, START);
        assert!(!outranks(&targets, 1, 0));
    }

    #[test]
    fn a_challenger_is_one_that_would_win_without_its_handshake() {
        let samples = round(&[(0, 60.0), (1, 100.0), (2, 200.0), (3, 30.0)]);
        assert_eq!(samples.challengers(incumbent(0), |_| Millis(48.0)), [3, 1]);
        assert_eq!(
            samples.challengers(incumbent(0), |_| Millis(51.0)),
            [3, 1, 2]
        );
        let as_fast = samples.challengers(incumbent(0), |_| Millis(50.0));
        assert_eq!(as_fast, [3, 1], "as fast is not faster");
        let none = samples.challengers(incumbent(3), |_| Millis(5.0));
        assert!(none.is_empty(), "{none:?}");
        let alone = Incumbent {
            rivals: TargetSet(0b101),
            ..incumbent(0)
        };
        assert_eq!(samples.challengers(alone, |_| Millis(51.0)), [2]);
    }

    #[test]
    fn a_challenger_must_win_each_comparison_and_past_the_margin_in_the_end() {
        let mut samples = round(&[(0, 60.0), (1, 100.0)]);
        for comparison in 1..=COMPARISONS {
            let outcome = samples.judge(incumbent(0), MARGIN, false);
            assert_eq!(outcome, Outcome::CompareAgain(vec![0, 1]), "{comparison}");
            samples.compare_again();
            samples.add(0, Millis(60.0));
            samples.add(1, Millis(40.0));
        }
        let outcome = samples.judge(incumbent(0), MARGIN, false);
        assert_eq!(outcome, Outcome::Switch(1));
    }

    /// After all comparisons, in each of which the targets took so long.
    fn compared(answers: &[(usize, f64)]) -> Samples {
        let mut samples = round(answers);
        for _ in 0..COMPARISONS {
            samples.compare_again();
            for (target, ms) in answers {
                samples.add(*target, Millis(*ms));
            }
        }
        samples
    }

    #[test]
    fn a_challenger_wins_by_more_than_the_margin_and_of_equals_the_first() {
        let outcome =
            |answers: &[(usize, f64)]| compared(answers).judge(incumbent(0), MARGIN, false);
        assert_eq!(outcome(&[(0, 100.0), (1, 80.0)]), Outcome::Keep);
        assert_eq!(outcome(&[(0, 100.0), (1, 79.0)]), Outcome::Switch(1));
        let equals = [(0, 100.0), (1, 50.0), (2, 50.0)];
        assert_eq!(outcome(&equals), Outcome::Switch(1));
        let faster = [(0, 100.0), (1, 50.0), (2, 40.0)];
        assert_eq!(outcome(&faster), Outcome::Switch(2));
    }

    #[test]
    fn a_median_is_of_every_comparison_and_of_two_the_middle() {
        let mut samples = Samples::default();
        for (ms, median) in [(10.0, 10.0), (40.0, 25.0), (1_000.0, 40.0)] {
            samples.compare_again();
            samples.add(0, Millis(ms));
            assert_eq!(samples.median(0), Some(Millis(median)));
        }
        samples.add(1, Millis(5.0));
        assert_eq!(samples.median(1), None, "one answer of three");
    }

    #[test]
    fn a_challenger_that_is_hardly_faster_changes_nothing() {
        let mut samples = round(&[(0, 60.0), (1, 100.0)]);
        samples.compare_again();
        samples.add(0, Millis(60.0));
        samples.add(1, Millis(55.0));
        assert_eq!(samples.judge(incumbent(0), MARGIN, false), Outcome::Keep);
    }

    #[test]
    fn who_lost_its_place_by_failing_need_only_be_as_good() {
        let mut samples = round(&[(0, 60.0), (1, 100.0)]);
        let stand_in = Incumbent {
            stands_in_for: Some(1),
            ..incumbent(0)
        };
        for _ in 0..COMPARISONS {
            samples.compare_again();
            samples.add(0, Millis(60.0));
            samples.add(1, Millis(70.0));
        }
        assert_eq!(samples.judge(stand_in, MARGIN, false), Outcome::Switch(1));
        assert_eq!(samples.judge(incumbent(0), MARGIN, false), Outcome::Keep);
    }

    #[test]
    fn peers_are_within_the_margin_of_the_primary() {
        let mut targets = targets(&[Some(100.0), Some(119.0), Some(121.0), Some(90.0), None]);
        assert_eq!(peers(&targets, 0, MARGIN), [0, 1, 3]);
        targets[1].eject(Found::Outage, 0.5, START);
        assert_eq!(peers(&targets, 0, MARGIN), [0, 3]);
        targets[3].preference.tier = 2;
        assert_eq!(peers(&targets, 0, MARGIN), [0]);
    }

    #[test]
    fn a_peer_is_picked_as_often_as_it_weighs() {
        let mut targets = targets(&[None, None, None, None]);
        for (target, weight) in targets.iter_mut().zip([1, 100, 3, 1]) {
            target.preference.weight = weight;
        }
        let picked = |share| pick(&targets, &[0, 2, 3], share).unwrap();
        let shares = [0.0, 0.19, 0.21, 0.5, 0.79, 0.81, 0.999_999];
        assert_eq!(shares.map(picked), [0, 0, 2, 2, 2, 3, 3]);
    }
}
