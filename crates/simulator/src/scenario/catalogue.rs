//! The scenarios, by name.

use super::{Lifetime, Noise, Scenario, StoreFault, StoreModel, TargetModel};
use crate::clock::{HOUR, MINUTE, Micros, SECOND};
use crate::network::fault::{Fault, FaultKind};
use crate::network::geography::Region;
use crate::random::{Purpose, Stream};

/// Every scenario.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let mut all = vec![
        steady(),
        primary_refuses(),
        primary_hangs(),
        brown_out(),
        fast_fail(),
        flapping(),
        bad_region(),
        herd(),
        store_outage(),
        store_lag(),
        quiet(),
        heavy_tails(),
        day(),
    ];
    all.extend(super::lying_health::all());
    all.extend(super::scale::all());
    all
}

/// The scenario of that name.
#[must_use]
pub fn named(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

/// When the trouble of the short scenarios begins and ends: halfway between two
/// multiples of the default TTL, so that no policy is lucky.
pub(super) const FROM: Micros = 22 * MINUTE + 30 * SECOND;
pub(super) const TO: Micros = 42 * MINUTE + 30 * SECOND;

/// Three targets; the best has a fault. As everywhere here the best is not the
/// first of the list: nobody has measured before writing it down.
pub(super) fn primary_with(fault: Fault) -> Vec<TargetModel> {
    vec![
        TargetModel::at_ms(60.0),
        TargetModel::at_ms(90.0),
        TargetModel::at_ms(40.0).with(fault),
    ]
}

fn steady() -> Scenario {
    Scenario {
        name: "steady",
        about: "nothing happens: two noisy targets within 5 % of each other, a third far behind",
        targets: [90.0, 42.0, 40.0].map(TargetModel::at_ms).to_vec(),
        // The two stay within 5 % at every location.
        spread: 0.0,
        ..Scenario::default()
    }
}

fn primary_refuses() -> Scenario {
    Scenario {
        name: "primary-refuses",
        about: "the best target refuses connections from minute 22.5 to 42.5",
        targets: primary_with(Fault::new(FaultKind::Refuse, FROM, TO)),
        ..Scenario::default()
    }
}

fn primary_hangs() -> Scenario {
    Scenario {
        name: "primary-hangs",
        about: "the best target answers nothing from minute 22.5 to 42.5",
        targets: primary_with(Fault::new(FaultKind::Hang, FROM, TO)),
        ..Scenario::default()
    }
}

fn brown_out() -> Scenario {
    Scenario {
        name: "brown-out",
        about: "the best target takes ten times as long from minute 22.5 to 42.5",
        targets: primary_with(Fault::new(FaultKind::Slow(10.0), FROM, TO)),
        ..Scenario::default()
    }
}

fn fast_fail() -> Scenario {
    Scenario {
        name: "fast-fail",
        about: "the nearest target says 503 within 1 ms, all the time",
        targets: primary_with(Fault::new(FaultKind::Status(503, 1.0), 0, Micros::MAX)),
        ..Scenario::default()
    }
}

fn flapping() -> Scenario {
    let fault = Fault::new(FaultKind::Refuse, 5 * MINUTE, 55 * MINUTE).flapping(5 * SECOND);
    Scenario {
        name: "flapping",
        about: "the best target refuses connections every other 5 s, from minute 5 to 55",
        // So far ahead that no policy is in doubt which one is the best.
        targets: vec![
            TargetModel::at_ms(60.0),
            TargetModel::at_ms(90.0),
            TargetModel::at_ms(20.0).with(fault),
        ],
        ..Scenario::default()
    }
}

fn bad_region() -> Scenario {
    let fault = Fault::new(FaultKind::Hang, FROM, TO).in_region(Region::Europe);
    Scenario {
        name: "bad-region",
        about: "sixteen cities; Frankfurt cannot be reached from Europe from minute 22.5 to 42.5",
        locations: 60,
        targets: cities(|index, target| {
            if index == 1 {
                target.with(fault)
            } else {
                target
            }
        }),
        ..Scenario::default()
    }
}

fn herd() -> Scenario {
    // Four alike carry 70 % of their capacity together.
    let share = 1.0 / (4.0 * 0.7);
    Scenario {
        name: "herd",
        about: "300 locations find the same target fastest; four of limited capacity, 70 % loaded",
        locations: 300,
        targets: [46.0, 50.0, 40.0, 43.0]
            .map(|ms| TargetModel::at_ms(ms).limited(share))
            .to_vec(),
        spread: 0.03,
        ..Scenario::default()
    }
}

fn store_outage() -> Scenario {
    Scenario {
        name: "store-outage",
        about: "the store hangs from minute 30 to 90, and nothing else is wrong",
        length: 2 * HOUR,
        store: StoreModel {
            outages: vec![(30 * MINUTE, 90 * MINUTE, StoreFault::Hangs)],
            ..Scenario::default().store
        },
        ..Scenario::default()
    }
}

fn store_lag() -> Scenario {
    Scenario {
        name: "store-lag",
        about: "one eventually consistent store for all, 60 s late, short instances; the best hangs",
        targets: primary_with(Fault::new(FaultKind::Hang, FROM, TO)),
        store: StoreModel {
            global: true,
            takes_ms: 20.0,
            lag: 60 * SECOND,
            outages: Vec::new(),
        },
        ..Scenario::default()
    }
}

fn quiet() -> Scenario {
    Scenario {
        name: "quiet",
        about: "a request in 20 s: every one starts an instance; the best refuses for 20 minutes",
        length: 2 * HOUR,
        rate: 0.05,
        locations: 60,
        targets: primary_with(Fault::new(FaultKind::Refuse, FROM, TO)),
        bucket: MINUTE,
        ..Scenario::default()
    }
}

fn heavy_tails() -> Scenario {
    Scenario {
        name: "heavy-tails",
        about: "one round trip in twenty falls into a heavy tail; long-lived instances",
        noise: Noise {
            sigma: 0.2,
            tail: 0.05,
            tail_index: 1.2,
        },
        instances: Lifetime::Long,
        ..Scenario::default()
    }
}

fn day() -> Scenario {
    let mut dice = Stream::new(2026, Purpose::World, u64::MAX);
    let length = 24 * HOUR;
    Scenario {
        name: "day",
        about: "300 locations, 16 cities, a day: tides of latency, and an incident at each target",
        length,
        locations: 300,
        targets: cities(|index, target| {
            let from = (dice.uniform() * (length - HOUR) as f64) as Micros;
            let to = from + (5.0 + 25.0 * dice.uniform()) as Micros * MINUTE;
            let kind = match index % 4 {
                0 => FaultKind::Slow(10.0),
                1 => FaultKind::Refuse,
                2 => FaultKind::Hang,
                _ => FaultKind::Status(503, 1.0),
            };
            target.with(Fault::new(kind, from, to))
        }),
        diurnal: 0.3,
        bucket: 5 * MINUTE,
        ..Scenario::default()
    }
}

/// A target in each of the sixteen cities.
fn cities(mut change: impl FnMut(usize, TargetModel) -> TargetModel) -> Vec<TargetModel> {
    (0..16)
        .map(|index| change(index, TargetModel::in_city(index)))
        .collect()
}
