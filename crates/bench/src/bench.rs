//! What every part of a run shares.

use std::path::PathBuf;

use crate::artifacts::Artifacts;
use crate::pinning::Pinning;
use crate::plan::Plan;
use crate::programs::Programs;
use crate::progress::Progress;

/// What every part of a run shares.
pub struct Bench {
    /// How often and how long.
    pub plan: Plan,
    /// What was built of this repository.
    pub artifacts: Artifacts,
    /// The other proxies and the load generators.
    pub programs: Programs,
    /// Which cores each side has.
    pub pinning: Pinning,
    /// What the user sees meanwhile.
    pub progress: Progress,
    /// For configurations, logs and stores; removed at the end.
    pub folder: PathBuf,
    /// For what is kept.
    pub out: PathBuf,
}
