//! Results as tables, JSON and plots.

pub mod figures;
pub mod plot;
pub mod summary;
pub mod table;
pub mod trouble;

use crate::metrics::Metrics;
use crate::policy::Kind;
use crate::scenario::Scenario;
use serde::Serialize;

/// A scenario's results under some policies, of one seed.
pub struct Results {
    /// The scenario as it was run, reductions included.
    pub scenario: Scenario,
    /// What was reduced, in words, if anything was.
    pub reduction: Option<String>,
    /// The policies, in order,
    pub kinds: Vec<Kind>,
    /// and what each one's run counted.
    pub metrics: Vec<Metrics>,
}

/// What a run's files say of where they come from.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// The seed of everything; the first one of several.
    pub seed: u64,
    /// How many seeds there are.
    pub seeds: u64,
    /// The command that makes them again.
    pub command: String,
    /// Its options without scenarios and policies, which do not meet.
    pub options: String,
}

impl Origin {
    /// The command that makes one scenario's results again.
    #[must_use]
    pub fn command_for(&self, scenario: &str) -> String {
        format!(
            "cargo xtask simulate --scenario {scenario} {}",
            self.options
        )
    }
}

impl Results {
    /// What a policy's run counted, when it was run.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<&Metrics> {
        let place = self.kinds.iter().position(|known| *known == kind)?;
        Some(&self.metrics[place])
    }
}
