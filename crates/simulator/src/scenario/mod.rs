//! What is simulated: places, targets, faults, traffic, the store.

mod catalogue;
mod lying_health;
mod scale;

pub use catalogue::{all, named};

use crate::clock::{MINUTE, Micros, SECOND};
use crate::network::fault::Fault;
use crate::network::geography::CITIES;
use crate::traffic::{Endpoint, SHOP};

/// A world and a day in it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line on what it is about.
    pub about: &'static str,
    /// How long it lasts.
    pub length: Micros,
    /// Edge locations.
    pub locations: usize,
    /// Mean requests per second and location (Poisson).
    pub rate: f64,
    /// The share of POST; the rest is GET.
    pub posts: f64,
    /// What the requests are for.
    pub endpoints: &'static [Endpoint],
    /// Clients that come for a while, where some do.
    pub guests: Option<Guests>,
    /// In the order of `FETCH_TARGETS`.
    pub targets: Vec<TargetModel>,
    /// What the network adds to a base latency.
    pub noise: Noise,
    /// How much round trips differ between locations of one place: the
    /// deviation of their logarithm.
    pub spread: f64,
    /// How far latencies swing over the day: 0.3 is up to 30 %.
    pub diurnal: f64,
    /// The shared store.
    pub store: StoreModel,
    /// How long instances live.
    pub instances: Lifetime,
    /// `FETCH_*` beside the targets.
    pub settings: Vec<(&'static str, &'static str)>,
    /// Series over time are kept in steps of this.
    pub bucket: Micros,
    /// From when to when something is wrong, where figures are kept of each part
    /// of it: see [`crate::metrics::trouble`].
    pub trouble: Option<(Micros, Micros)>,
    /// A location whose probes, switches and notices are told on stderr.
    pub trace: Option<usize>,
}

/// Clients beside the usual ones, at each location. They send GETs.
#[derive(Clone, Copy, Debug)]
pub struct Guests {
    /// Mean requests per second and location (Poisson),
    pub rate: f64,
    /// for these,
    pub endpoints: &'static [Endpoint],
    /// from here
    pub from: Micros,
    /// up to here.
    pub to: Micros,
    /// Whether their requests are in the figures. They are not where the figures
    /// are to tell what others suffer for them.
    pub count: bool,
}

/// A target.
#[derive(Clone, Debug)]
pub struct TargetModel {
    /// How far it is.
    pub distance: Distance,
    /// Where its capacity is limited.
    pub capacity: Option<Capacity>,
    /// What goes wrong with it.
    pub faults: Vec<Fault>,
}

/// How far a target is from a location.
#[derive(Clone, Copy, Debug)]
pub enum Distance {
    /// It stands in this of [`crate::network::geography::CITIES`].
    City(usize),
    /// So many ms there and back, from everywhere.
    RoundTripMs(f64),
}

impl Distance {
    /// In a few words.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::City(index) => CITIES[index].name.to_owned(),
            Self::RoundTripMs(ms) => format!("{ms} ms"),
        }
    }
}

/// A target's capacity, as a share of all requests of all locations: 0.5 means
/// that half of the traffic loads it fully.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// The share.
    pub share: f64,
}

/// What the network adds.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    /// The deviation of the logarithm of each round trip.
    pub sigma: f64,
    /// How many round trips fall into the heavy tail,
    pub tail: f64,
    /// whose Pareto index is this.
    pub tail_index: f64,
}

/// The shared store.
#[derive(Clone, Debug)]
pub struct StoreModel {
    /// One for all locations, instead of one in each.
    pub global: bool,
    /// The median time of a read or a write, ms.
    pub takes_ms: f64,
    /// How long others do not see a write.
    pub lag: Micros,
    /// When it is out.
    pub outages: Vec<(Micros, Micros, StoreFault)>,
}

/// How the store is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// It says so at once.
    Fails,
    /// It says nothing.
    Hangs,
}

/// How long an instance lives.
#[derive(Clone, Copy, Debug)]
pub enum Lifetime {
    /// Like Spin and `wasmtime serve`, by default: 128 requests, 16 at a time,
    /// 1 s idle.
    Short,
    /// Like a Workers isolate or a server process: for good.
    Long,
}

impl Default for Scenario {
    /// Twenty locations, three good targets, an hour, no fault.
    fn default() -> Self {
        Self {
            name: "plain",
            about: "nothing happens",
            length: 60 * MINUTE,
            locations: 20,
            rate: 10.0,
            posts: 0.1,
            endpoints: SHOP,
            guests: None,
            targets: [60.0, 90.0, 40.0].map(TargetModel::at_ms).to_vec(),
            noise: Noise {
                sigma: 0.12,
                tail: 0.01,
                tail_index: 1.5,
            },
            spread: 0.08,
            diurnal: 0.0,
            store: StoreModel {
                global: false,
                takes_ms: 4.0,
                lag: 0,
                outages: Vec::new(),
            },
            instances: Lifetime::Short,
            settings: Vec::new(),
            bucket: 10 * SECOND,
            trouble: None,
            trace: None,
        }
    }
}

impl Scenario {
    /// Whether what one location does can be felt at another, so that all must
    /// be simulated together.
    #[must_use]
    pub fn is_coupled(&self) -> bool {
        self.store.global || self.targets.iter().any(|target| target.capacity.is_some())
    }

    /// The series' number of steps.
    #[must_use]
    pub fn buckets(&self) -> usize {
        self.length.div_ceil(self.bucket) as usize
    }
}

impl TargetModel {
    /// So many ms away from everywhere.
    #[must_use]
    pub fn at_ms(ms: f64) -> Self {
        Self {
            distance: Distance::RoundTripMs(ms),
            capacity: None,
            faults: Vec::new(),
        }
    }

    /// In a city.
    #[must_use]
    pub fn in_city(index: usize) -> Self {
        Self {
            distance: Distance::City(index),
            ..Self::at_ms(0.0)
        }
    }

    /// The same, with a fault.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The same, with a limited capacity.
    #[must_use]
    pub fn limited(self, share: f64) -> Self {
        Self {
            capacity: Some(Capacity { share }),
            ..self
        }
    }
}
