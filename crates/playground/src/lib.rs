//! The simulator as a WebAssembly component: `wit/playground.wit` over
//! [`function_fetch_simulator::session`].
//!
//! Conversion, and what is simulated: the edge locations and their traffic. No
//! call may trap, whatever its arguments.

// The exports of a component, which are generated.
#![allow(unsafe_code)]

mod conditions;
mod simulation;

#[allow(missing_docs, reason = "`wit/playground.wit` has the documentation")]
mod bindings {
    wit_bindgen::generate!({
        path: "wit/playground.wit",
        world: "playground",
        // There is nothing that would have to run before the first call.
        disable_run_ctors_once_workaround: true,
    });
}

pub use bindings::exports::function_fetch::playground::simulation as wit;

use simulation::Simulation;
use std::cell::RefCell;

thread_local! {
    static SIMULATION: RefCell<Option<Simulation>> = const { RefCell::new(None) };
}

/// What the component exports: [`wit::Guest`] is `wit/playground.wit`.
pub struct Playground;

// Export names such as `function-fetch:playground/simulation@0.1.0#start` mean
// nothing to a native linker.
#[cfg(target_family = "wasm")]
bindings::export!(Playground with_types_in bindings);

/// Access to the simulation, where one has started.
fn with<R: Default>(act: impl FnOnce(&mut Simulation) -> R) -> R {
    SIMULATION.with_borrow_mut(|known| known.as_mut().map(act).unwrap_or_default())
}

impl wit::Guest for Playground {
    fn policies() -> Vec<String> {
        simulation::policies()
    }

    fn start(
        seed: u32,
        policies: Vec<String>,
        targets: Vec<wit::Condition>,
        instances: wit::Lifetime,
    ) -> wit::Drawn {
        // The old one goes first: two would need twice the memory.
        SIMULATION.set(None);
        let simulation = Simulation::new(seed, &policies, &targets, instances);
        let drawn = simulation.drawn();
        SIMULATION.set(Some(simulation));
        drawn
    }

    fn advance(to_ms: f64) {
        with(|simulation| simulation.advance(to_ms));
    }

    fn change(target: u32, condition: wit::Condition) {
        with(|simulation| simulation.change(target as usize, condition));
    }

    fn lately(policy: u32, span_ms: f64) -> wit::Sample {
        with(|simulation| simulation.sample(policy as usize, span_ms)).unwrap_or(wit::Sample {
            requests: 0,
            failed: 0,
            p50_ms: None,
            p99_ms: None,
            sent: Vec::new(),
            probes: Vec::new(),
            waiting: 0,
        })
    }

    fn take_told(policy: u32) -> Vec<wit::Told> {
        with(|simulation| simulation.take_told(policy as usize))
    }
}
