//! What is drawn once for a scenario and a seed, and shared by all policies.

use crate::network::geography::{CITIES, Place, Region};
use crate::random::{Purpose, Stream};
use crate::scenario::{Distance, Scenario};
use std::f64::consts::TAU;

/// A scenario, with its dice thrown.
#[derive(Debug)]
pub struct World {
    /// The scenario.
    pub scenario: Scenario,
    /// The seed of everything.
    pub seed: u64,
    /// Each location's region.
    pub regions: Vec<Region>,
    /// Location by location, each target's median round trip, ms.
    round_trips: Vec<f64>,
    /// Likewise: when in the day the link is slowest, and how much.
    swings: Vec<(f64, f64)>,
}

impl World {
    /// Throws the dice.
    #[must_use]
    pub fn new(scenario: Scenario, seed: u64) -> Self {
        let mut regions = Vec::new();
        let mut round_trips = Vec::new();
        let mut swings = Vec::new();
        for location in 0..scenario.locations {
            // A stream for each: with more locations the first ones stay.
            let mut stream = Stream::new(seed, Purpose::World, location as u64);
            let place = CITIES[stream.index(CITIES.len())].near(&mut stream);
            regions.push(place.region);
            for target in &scenario.targets {
                let (median, phase) = link(&place, target.distance);
                round_trips.push(median * stream.lognormal(scenario.spread));
                let shift = phase + 0.25 * (stream.uniform() - 0.5);
                swings.push((shift, scenario.diurnal * (0.3 + 0.7 * stream.uniform())));
            }
        }
        Self {
            scenario,
            seed,
            regions,
            round_trips,
            swings,
        }
    }

    /// A link's median round trip at its quietest, ms.
    #[must_use]
    pub fn round_trip_ms(&self, location: usize, target: usize) -> f64 {
        self.round_trips[location * self.scenario.targets.len() + target]
    }

    /// By how much a link is slower at this time of the day, from 0 to 1.
    #[must_use]
    pub fn diurnal(&self, location: usize, target: usize, time_of_day: f64) -> f64 {
        let (phase, swing) = self.swings[location * self.scenario.targets.len() + target];
        1.0 + swing * (1.0 + (TAU * (time_of_day + phase)).sin()) / 2.0
    }
}

fn link(from: &Place, to: Distance) -> (f64, f64) {
    match to {
        Distance::RoundTripMs(ms) => (ms, from.day_phase()),
        Distance::City(index) => (
            from.round_trip_ms(&CITIES[index]),
            CITIES[index].day_phase(),
        ),
    }
}
