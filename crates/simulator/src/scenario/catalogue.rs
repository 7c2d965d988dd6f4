//! The scenarios, by name.

use super::{Scenario, TargetModel};

/// Every scenario.
#[must_use]
pub fn all() -> Vec<Scenario> {
    vec![steady()]
}

/// The scenario of that name.
#[must_use]
pub fn named(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

fn steady() -> Scenario {
    Scenario {
        name: "steady",
        about: "two noisy targets within 5 % of each other, a third far behind",
        targets: [40.0, 42.0, 90.0].map(TargetModel::at_ms).to_vec(),
        ..Scenario::default()
    }
}
