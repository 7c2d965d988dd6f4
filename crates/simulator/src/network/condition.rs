//! What a target is like at the moment: what a scenario says of it, until a
//! session changes it.

use crate::network::fault::Fault;
use crate::scenario::TargetModel;

/// How far a target is, and what goes wrong with it.
#[derive(Clone, Debug)]
pub struct Condition {
    /// How many times as far away as the scenario says.
    pub stretch: f64,
    /// What goes wrong with it, and when.
    pub faults: Vec<Fault>,
}

impl Condition {
    /// As the scenario has it.
    #[must_use]
    pub fn of(target: &TargetModel) -> Self {
        Self {
            stretch: 1.0,
            faults: target.faults.clone(),
        }
    }
}
