//! The bars of the page: how long a target's probes take, beside the others', and how
//! long its last ones took.

use function_fetch_engine::status::{Micros, Probe, Target};

/// How many probes have room, and how wide and high the drawing is.
const PLACES: usize = 20;
const STEP: u32 = 5;
const HEIGHT: u32 = 24;

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
    pub(crate) failed: usize,
    pub(crate) range: Option<(Micros, Micros)>,
}

impl Recent {
    pub(crate) fn of(probes: &[Probe]) -> Self {
        let probes = &probes[probes.len().saturating_sub(PLACES)..];
        let healthy = || probes.iter().filter(|probe| probe.is_healthy());
        let times = || healthy().map(|probe| probe.took_us);
        let range = times().min().zip(times().max());
        let longest = range.map_or(Micros(0), |(_, longest)| longest);
        let first = PLACES - probes.len();
        let bars = probes.iter().enumerate().map(|(index, probe)| {
            // A failed one is as high as can be, whenever it failed.
            let height = if probe.is_healthy() {
                share(probe.took_us, longest, HEIGHT).max(LEAST)
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
            failed: probes.len() - healthy().count(),
            range,
        }
    }
}

/// How long a target's latency is drawn, in percent of the longest one's.
pub(crate) fn length(target: &Target, targets: &[Target]) -> Option<u32> {
    let longest = targets.iter().filter_map(|one| one.latency_us).max()?;
    Some(share(target.latency_us?, longest, 100).max(LEAST))
}

fn share(Micros(part): Micros, Micros(whole): Micros, of: u32) -> u32 {
    let share = u64::from(part) * u64::from(of) / u64::from(whole).max(1);
    u32::try_from(share).unwrap_or(of).min(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_fetch_engine::status::Moment;

    fn probe(us: u32, status: u16) -> Probe {
        Probe {
            at: Moment(0),
            took_us: Micros(us),
            status: Some(status),
            error: None,
        }
    }

    #[test]
    fn bars_are_as_high_as_their_probes_were_long_and_the_latest_is_last() {
        let recent = Recent::of(&[probe(10_000, 200), probe(40_000, 204), probe(1_000, 503)]);
        let drawn: Vec<_> = recent
            .bars
            .iter()
            .map(|bar| (bar.x, bar.y, bar.height, bar.healthy))
            .collect();
        assert_eq!(
            drawn,
            [(85, 18, 6, true), (90, 0, 24, true), (95, 0, 24, false)]
        );
        assert_eq!(recent.failed, 1);
        assert_eq!(recent.range, Some((Micros(10_000), Micros(40_000))));
    }

    #[test]
    fn any_number_of_probes_and_any_times_stay_within_the_drawing() {
        for times in [
            vec![],
            vec![0; 3],
            vec![u32::MAX, 1, 0, u32::MAX],
            vec![5; 40],
        ] {
            let probes: Vec<_> = times.iter().map(|us| probe(*us, 200)).collect();
            for bar in Recent::of(&probes).bars {
                assert!(bar.x + STEP <= PLACES as u32 * STEP && bar.y + bar.height == HEIGHT);
            }
        }
    }
}
