//! A simulation that is driven step by step, and whose targets change while it
//! runs: what a page shows and a person plays with, where [`Scenario`]s alone
//! are played from end to end.
//!
//! Every policy has the same locations, targets and requests. How far one step
//! goes changes nothing: what happens depends on the scenario, the seed, and
//! when what was changed.

use crate::cell::Cell;
use crate::clock::Micros;
use crate::metrics::{Metrics, Recorder, Sample, Told};
use crate::network::geography::Region;
use crate::network::{Condition, World};
use crate::policy::{Kind, Policy, Site, Visitor};
use crate::scenario::Scenario;
use std::sync::Arc;

/// Policies at work, side by side.
pub struct Session {
    world: Arc<World>,
    runs: Vec<Run>,
    now: Micros,
}

struct Run {
    cell: Cell,
    recorder: Recorder,
}

impl Session {
    /// A scenario at its beginning, under each policy. What happens is kept for
    /// `keep`, for [`Self::sample`].
    #[must_use]
    pub fn new(scenario: Scenario, kinds: &[Kind], seed: u64, keep: Micros) -> Self {
        let world = Arc::new(World::new(scenario, seed));
        let start = |kind: &Kind| {
            kind.visit(Start {
                world: &world,
                keep,
            })
        };
        Self {
            runs: kinds.iter().map(start).collect(),
            world,
            now: 0,
        }
    }

    /// The time since the start.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.now
    }

    /// Each location's region.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.world.regions
    }

    /// Goes on to a time. One that has passed changes nothing.
    pub fn advance(&mut self, to: Micros) {
        if to <= self.now {
            return;
        }
        for run in &self.runs {
            run.cell.executor().run_until(to);
        }
        self.now = to;
    }

    /// From now on a target is like this. What is under way to it meets faults
    /// that begin, and went out as far as the target was then. A target that is
    /// not there changes nothing.
    pub fn change(&mut self, target: usize, condition: &Condition) {
        for run in &self.runs {
            run.cell.network().change(target, condition.clone());
        }
    }

    /// What happened under a policy in the last `span`, or in as much of it as is
    /// kept; `None` where there is no such policy.
    #[must_use]
    pub fn sample(&self, policy: usize, span: Micros) -> Option<Sample> {
        let run = self.runs.get(policy)?;
        run.recorder.sample(self.now.checked_sub(span))
    }

    /// What the engines of a policy have told since this was asked last, or in as
    /// much of that time as is kept.
    #[must_use]
    pub fn take_told(&mut self, policy: usize) -> Vec<Told> {
        let run = self.runs.get(policy);
        run.map_or_else(Vec::new, |run| run.recorder.take_told())
    }

    /// All that was counted under a policy, as a batch run counts it; `None`
    /// where there is no such policy.
    #[must_use]
    pub fn metrics(&self, policy: usize) -> Option<Metrics> {
        Some(self.runs.get(policy)?.recorder.metrics())
    }
}

struct Start<'a> {
    world: &'a Arc<World>,
    keep: Micros,
}

impl Visitor for Start<'_> {
    type Output = Run;

    fn visit<P: Policy>(self, make: impl Fn(Site) -> P) -> Run {
        let count = self.world.scenario.locations;
        let recorder = Recorder::watching(&self.world.scenario, count, self.keep);
        let cell = Cell::start(self.world, &recorder, 0, count, make);
        Run { cell, recorder }
    }
}
