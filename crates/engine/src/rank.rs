//! Who comes first: the order of the targets, and when the primary changes.

use crate::health::Health;
use crate::settings::Margin;

/// The targets by rank: measured and healthy by latency, then unmeasured ones,
/// then ejected ones; within a class, and among equals, the settings' order.
pub(crate) fn order(health: &[Health]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..health.len()).collect();
    order.sort_by(|a, b| {
        key(&health[*a])
            .partial_cmp(&key(&health[*b]))
            .expect("no NaN")
    });
    order
}

fn key(health: &Health) -> (u8, f64) {
    match health.latency {
        _ if health.is_ejected() => (2, health.latency.map_or(f64::MAX, |known| known.ms)),
        Some(latency) => (0, latency.ms),
        None => (1, 0.0),
    }
}

/// The primary after new measurements. The current one stays unless it is
/// ejected, was never measured, or is beaten past the margin by a measured,
/// healthy one.
pub(crate) fn primary(health: &[Health], current: Option<usize>, margin: Margin) -> usize {
    let best = order(health)[0];
    let Some(current) = current.filter(|index| !health[*index].is_ejected()) else {
        return best;
    };
    let (Some(now), Some(challenger)) = (health[current].latency, health[best].latency) else {
        return best;
    };
    if health[best].is_ejected() {
        return current;
    }
    let lead = margin.ms.max(now.ms * margin.percent / 100.0);
    if challenger.ms + lead < now.ms {
        best
    } else {
        current
    }
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
                    health.probe_passed(*ms);
                }
                health
            })
            .collect()
    }

    #[test]
    fn measured_then_unmeasured_then_ejected() {
        let mut health = targets(&[None, Some(60.0), Some(1.0), Some(5.0), None]);
        health[2].eject(0.0, 0.5, 0.0);
        assert_eq!(order(&health), [3, 1, 0, 4, 2]);
    }

    #[test]
    fn does_not_flap_within_the_margin() {
        for (current, challenger, wanted) in [
            (50.0, 41.0, 0),   // 9 ms: below 10 ms
            (50.0, 39.0, 1),   // 11 ms: past both
            (200.0, 170.0, 0), // 15 %
            (200.0, 150.0, 1), // 25 %
        ] {
            let health = targets(&[Some(current), Some(challenger)]);
            assert_eq!(
                primary(&health, Some(0), MARGIN),
                wanted,
                "{current} against {challenger}"
            );
        }
    }

    #[test]
    fn an_ejected_or_unmeasured_primary_gives_way() {
        let mut health = targets(&[Some(5.0), Some(60.0)]);
        health[0].eject(0.0, 0.5, 0.0);
        assert_eq!(primary(&health, Some(0), MARGIN), 1);
        assert_eq!(primary(&targets(&[None, Some(9.0)]), Some(0), MARGIN), 1);
        assert_eq!(primary(&targets(&[None, Some(9.0)]), None, MARGIN), 1);
    }
}
