//! The bars of the page: how long a target's probes take, beside the others', and how
//! long its last ones took.

use function_fetch_engine::status::{Probe, Span, Target};

/// How many probes have room, and how wide and high the drawing is.
const PLACES: usize = 20;
const STEP: u32 = 5;
pub(crate) const WIDTH: u32 = PLACES as u32 * STEP;
pub(crate) const HEIGHT: u32 = 24;

/// Low enough to be told from nothing.
const LEAST: u32 = 2;

/// The bar of one probe.
pub(crate) struct Bar {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) height: u32,
    pub(crate) healthy: bool,
}

/// What the last probes of a target show: the bars, the shortest and the longest
/// healthy one, and how many failed.
pub(crate) struct Recent {
    pub(crate) bars: Vec<Bar>,
    pub(crate) count: usize,
    pub(crate) failed: usize,
    pub(crate) range: Option<(Span, Span)>,
}

impl Recent {
    pub(crate) fn of(probes: &[Probe]) -> Self {
        let probes = &probes[probes.len().saturating_sub(PLACES)..];
        let healthy = || probes.iter().filter(|probe| probe.is_healthy());
        let times = || healthy().map(|probe| probe.ms.0);
        let longest = times().fold(0.0, f64::max);
        let shortest = times().fold(f64::INFINITY, f64::min);
        let first = PLACES - probes.len();
        let bars = probes.iter().enumerate().map(|(index, probe)| {
            // A failed one is as high as can be, whenever it failed.
            let height = if probe.is_healthy() {
                share(probe.ms.0, longest, HEIGHT).max(LEAST)
            } else {
                HEIGHT
            };
            Bar {
                x: (first + index) as u32 * STEP,
                y: HEIGHT - height,
                height,
                healthy: probe.is_healthy(),
            }
        });
        Self {
            bars: bars.collect(),
            count: probes.len(),
            failed: probes.len() - healthy().count(),
            range: (longest > 0.0).then_some((Span(shortest), Span(longest))),
        }
    }
}

/// How long a target's latency is drawn, in percent of the longest one's.
pub(crate) fn length(target: &Target, targets: &[Target]) -> Option<u32> {
    let latencies = targets.iter().filter_map(|one| one.latency_ms);
    let longest = latencies.map(|one| one.0).fold(0.0, f64::max);
    let latency = target.latency_ms?;
    Some(share(latency.0, longest, 100).max(LEAST))
}

fn share(part: f64, whole: f64, of: u32) -> u32 {
    // A cast saturates, and makes 0 of what is no number.
    let share = (part / whole * f64::from(of)) as u32;
    share.min(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_fetch_engine::status::Moment;

    fn probe(ms: f64, status: u16) -> Probe {
        Probe {
            at: Moment(0),
            ms: Span(ms),
            status: Some(status),
            error: None,
        }
    }

    #[test]
    fn bars_are_as_high_as_their_probes_were_long_and_the_latest_is_last() {
        let recent = Recent::of(&[probe(10.0, 200), probe(40.0, 204), probe(1.0, 503)]);
        let drawn: Vec<_> = recent
            .bars
            .iter()
            .map(|bar| (bar.x, bar.y, bar.height, bar.healthy))
            .collect();
        assert_eq!(
            drawn,
            [(85, 18, 6, true), (90, 0, 24, true), (95, 0, 24, false)]
        );
        assert_eq!((recent.count, recent.failed), (3, 1));
        assert_eq!(recent.range, Some((Span(10.0), Span(40.0))));
    }

    #[test]
    fn any_number_of_probes_and_any_times_stay_within_the_drawing() {
        for times in [
            vec![],
            vec![0.0; 3],
            vec![f64::NAN, f64::INFINITY, -1.0, 1e300],
            vec![5.0; 40],
        ] {
            let probes: Vec<_> = times.iter().map(|ms| probe(*ms, 200)).collect();
            for bar in Recent::of(&probes).bars {
                assert!(bar.x + STEP <= WIDTH && bar.y + bar.height == HEIGHT);
            }
        }
    }
}
