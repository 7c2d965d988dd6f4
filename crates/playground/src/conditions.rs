//! What a person makes of a target, as the simulator has it.

use crate::wit;
use function_fetch_simulator::clock::{Micros, SECOND};
use function_fetch_simulator::network::Condition;
use function_fetch_simulator::network::fault::{Fault, FaultKind};
use function_fetch_simulator::network::geography::Region;

/// The nearest that a target can be, ms: the simulator stretches distances, and
/// nothing stretches zero.
const NEAREST_MS: f64 = 1.0;

/// The farthest, ms: beyond the time that a probe may take.
const FARTHEST_MS: f64 = 2_000.0;

/// How many times as long everything takes in a brown-out.
const BROWN_OUT: f64 = 10.0;

/// The share of the requests that `fail-requests` fails.
const FAILING_SHARE: f64 = 0.3;

/// How long a target that flaps is down, and then up.
const FLAP: Micros = 5 * SECOND;

/// A distance that the simulator can do with, whatever was asked for.
pub fn round_trip_ms(condition: &wit::Condition) -> f64 {
    let asked = condition.round_trip_ms;
    if asked.is_nan() {
        return NEAREST_MS;
    }
    asked.clamp(NEAREST_MS, FARTHEST_MS)
}

/// The condition of a target that a scenario has `base_ms` away, and whose fault
/// began at `since`.
pub fn condition(
    asked: &wit::Condition,
    base_ms: f64,
    since: Micros,
    bad_region: Region,
) -> Condition {
    Condition {
        stretch: round_trip_ms(asked) / base_ms,
        faults: fault(asked.fault, since, bad_region).into_iter().collect(),
    }
}

fn fault(fault: wit::Fault, since: Micros, bad_region: Region) -> Option<Fault> {
    let lasting = |kind| Fault::new(kind, since, Micros::MAX);
    Some(match fault {
        wit::Fault::None => return None,
        wit::Fault::Slow => lasting(FaultKind::Slow(BROWN_OUT)),
        wit::Fault::Refuse => lasting(FaultKind::Refuse),
        wit::Fault::Hang => lasting(FaultKind::Hang),
        wit::Fault::StallRequests => lasting(FaultKind::Stall).on_requests(),
        wit::Fault::FailRequests => lasting(FaultKind::Answer(503, FAILING_SHARE)).on_requests(),
        wit::Fault::FailFast => lasting(FaultKind::Status(503, 1.0)),
        wit::Fault::Flap => lasting(FaultKind::Refuse).flapping(FLAP),
        wit::Fault::HangInRegion => lasting(FaultKind::Hang).in_region(bad_region),
    })
}

/// The region, for the page.
pub fn region(region: Region) -> wit::Region {
    match region {
        Region::NorthAmerica => wit::Region::NorthAmerica,
        Region::SouthAmerica => wit::Region::SouthAmerica,
        Region::Europe => wit::Region::Europe,
        Region::Asia => wit::Region::Asia,
        Region::Oceania => wit::Region::Oceania,
        Region::Africa => wit::Region::Africa,
    }
}

/// The region with the most locations; of several the one that comes first.
pub fn largest(regions: &[Region]) -> Region {
    let count = |region: Region| regions.iter().filter(|other| **other == region).count();
    let mut largest = Region::Europe;
    for region in regions {
        if count(*region) > count(largest) {
            largest = *region;
        }
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_distance_becomes_one_that_can_be_simulated() {
        for (asked, wanted) in [
            (40.0, 40.0),
            (0.0, 1.0),
            (-5.0, 1.0),
            (f64::NAN, 1.0),
            (f64::INFINITY, 2_000.0),
        ] {
            let condition = wit::Condition {
                round_trip_ms: asked,
                fault: wit::Fault::None,
            };
            assert_eq!(round_trip_ms(&condition), wanted);
        }
    }

    #[test]
    fn the_largest_region_has_the_most_locations() {
        let regions = [
            Region::Asia,
            Region::Africa,
            Region::Asia,
            Region::Europe,
            Region::Africa,
        ];
        assert_eq!(largest(&regions), Region::Asia);
        assert_eq!(largest(&[Region::Oceania]), Region::Oceania);
    }
}
