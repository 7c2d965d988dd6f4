//! What can happen to an engine, and under which settings.

/// How many targets there are.
pub const TARGETS: usize = 5;

/// The settings that rules depend on.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub race: bool,
    pub hedge: bool,
    pub spread: bool,
    pub store: bool,
    /// Whether the targets are in three tiers.
    pub tiers: bool,
    /// Whether targets are probed and ranked.
    pub ranks: bool,
    /// Whether the host has an expensive call into the engine.
    pub sampled_reports: bool,
    /// From 1 to [`TARGETS`].
    pub max_attempts: u8,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Move {
    Begin {
        method: u8,
        has_body: bool,
        may_meet_closed_connection: bool,
        /// Whether the store answers it.
        reads_store: bool,
    },
    Answer {
        open: usize,
        status: u16,
        replay: u8,
    },
    Fail {
        open: usize,
        failure: usize,
        replay: u8,
    },
    /// For how long each target was waited for, ms.
    Timer {
        open: usize,
        waited: [u32; TARGETS],
        replay: u8,
    },
    Leave {
        open: usize,
    },
    Wait {
        ms: u32,
    },
    /// The wall clock is set back.
    StepBack {
        ms: u32,
    },
    Probe {
        healthy: bool,
        ms: u16,
    },
    AbandonRound,
    Write,
}
