//! Who comes first: the order of the targets, and when the primary changes.

use crate::health::Health;
use crate::settings::Margin;

/// A first probe pays for the handshake that a pooled connection has behind it:
/// with TLS 1.3 three round trips instead of one, each with its own jitter. A challenger so many times
/// slower may still be the faster one, which a second probe shows.
const HANDSHAKE: f64 = 4.0;

/// The targets by rank: measured and healthy by latency, then unmeasured ones,
/// then those whose answers are overdue, then ejected ones; within a class, and
/// among equals, the settings' order.
pub(crate) fn order(health: &[Health], now: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..health.len()).collect();
    order.sort_by(|one, other| {
        let (class, ms) = key(&health[*one], now);
        let (other_class, other_ms) = key(&health[*other], now);
        class.cmp(&other_class).then(ms.total_cmp(&other_ms))
    });
    order
}

fn key(health: &Health, now: f64) -> (u8, f64) {
    let class = match health.latency {
        _ if health.is_ejected() => 3,
        _ if health.is_suspect(now) => 2,
        Some(_) => 0,
        None => 1,
    };
    (class, health.latency.map_or(f64::MAX, |known| known.ms()))
}

/// How much faster than `ms` a challenger must be, in ms.
pub(crate) fn lead(ms: f64, margin: Margin) -> f64 {
    margin.ms.max(ms * margin.percent / 100.0)
}

/// The best target that is measured and healthy, else simply the first by rank.
pub(crate) fn best(health: &[Health], now: f64) -> usize {
    order(health, now)[0]
}

/// Of the answers of a round of first probes, in ms: whom a healthy primary must
/// be measured against once more, fastest first. Those are all that would be
/// faster than they must be, if not for their handshake; at most `most`.
pub(crate) fn challengers(
    answers: &[(usize, f64)],
    primary: usize,
    must_beat_ms: impl Fn(usize) -> f64,
    most: usize,
) -> Vec<usize> {
    let mut fast: Vec<(usize, f64)> = answers
        .iter()
        .copied()
        .filter(|(index, ms)| *index != primary && ms / HANDSHAKE < must_beat_ms(*index))
        .collect();
    fast.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    fast.into_iter()
        .take(most)
        .map(|(index, _)| index)
        .collect()
}

/// The targets among which `FETCH_SPREAD` shares the traffic: those as fast as
/// the primary, give or take the margin.
pub(crate) fn peers(health: &[Health], primary: usize, margin: Margin) -> Vec<usize> {
    let Some(known) = health[primary].latency else {
        return vec![primary];
    };
    let most = known.ms() + lead(known.ms(), margin);
    (0..health.len())
        .filter(|index| {
            let peer = &health[*index];
            let near = peer.latency.is_some_and(|latency| latency.ms() <= most);
            *index == primary || (near && !peer.is_ejected())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARGIN: Margin = Margin {
        percent: 20.0,
        ms: 10.0,
    };

    fn targets(latencies: &[Option<f64>]) -> Vec<Health> {
        latencies
            .iter()
            .map(|ms| {
                let mut health = Health::default();
                if let Some(ms) = ms {
                    health.probe_passed(*ms, 0.0, 1.0);
                }
                health
            })
            .collect()
    }

    #[test]
    fn measured_then_unmeasured_then_overdue_then_ejected() {
        let mut health = targets(&[None, Some(60.0), Some(1.0), Some(5.0), None, Some(2.0)]);
        health[2].eject(0.0, 0.5, 0.0);
        health[5].request_sent(0.0);
        health[5].request_sent(0.0);
        assert_eq!(order(&health, 5_000.0), [3, 1, 0, 4, 5, 2]);
    }

    #[test]
    fn a_challenger_is_one_that_would_win_without_its_handshake() {
        let answers = [(0, 60.0), (1, 100.0), (2, 200.0), (3, 30.0)];
        assert_eq!(challengers(&answers, 0, |_| 48.0, 3), [3, 1]);
        assert_eq!(challengers(&answers, 0, |_| 51.0, 3), [3, 1, 2]);
        assert_eq!(challengers(&answers, 0, |_| 48.0, 1), [3]);
        assert!(challengers(&answers, 3, |_| 15.0, 3).is_empty());
    }

    #[test]
    fn peers_are_within_the_margin_of_the_primary() {
        let mut health = targets(&[Some(100.0), Some(119.0), Some(121.0), Some(90.0), None]);
        assert_eq!(peers(&health, 0, MARGIN), [0, 1, 3]);
        health[1].eject(0.0, 0.5, 0.0);
        assert_eq!(peers(&health, 0, MARGIN), [0, 3]);
    }
}
