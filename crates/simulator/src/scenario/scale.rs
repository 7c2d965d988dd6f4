//! The same fault met by one process, by nodes that know nothing of each other,
//! by nodes with one store, and by an edge: what `docs/scale.md` compares.

use super::{Lifetime, Scenario, StoreModel, TargetModel};
use crate::clock::{MINUTE, Micros, SECOND};
use crate::network::fault::{Fault, FaultKind};

/// When the best target refuses connections.
const FROM: Micros = 22 * MINUTE + 30 * SECOND;
const TO: Micros = 42 * MINUTE + 30 * SECOND;

/// The steps, from one process to the edge.
pub(super) fn all() -> [Scenario; 4] {
    [
        scale(
            "scale-process",
            "one server process; the best target refuses from minute 22.5 to 42.5",
        ),
        Scenario {
            locations: 4,
            ..scale(
                "scale-apart",
                "four processes that share nothing; the best target refuses",
            )
        },
        Scenario {
            locations: 4,
            store: StoreModel {
                global: true,
                takes_ms: 1.0,
                ..Scenario::default().store
            },
            settings: vec![("FETCH_CACHE_SYNC_SECONDS", "1")],
            ..scale(
                "scale-nodes",
                "four processes with one store near by (Redis), read every second; the best target refuses",
            )
        },
        Scenario {
            locations: 300,
            store: StoreModel {
                global: true,
                takes_ms: 20.0,
                lag: 60 * SECOND,
                outages: Vec::new(),
            },
            ..scale(
                "scale-edge",
                "300 edge locations with one store that shows a write elsewhere after 60 s; the best target refuses",
            )
        },
    ]
}

fn scale(name: &'static str, about: &'static str) -> Scenario {
    Scenario {
        name,
        about,
        locations: 1,
        targets: vec![
            TargetModel::at_ms(60.0),
            TargetModel::at_ms(90.0),
            TargetModel::at_ms(40.0).with(Fault::new(FaultKind::Refuse, FROM, TO)),
        ],
        // The best is the same for all, so that what one finds is of use to the others.
        spread: 0.03,
        instances: Lifetime::Long,
        ..Scenario::default()
    }
}
