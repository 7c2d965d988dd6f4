//! The one engine of this instance.
//!
//! A component-model resource would say it more plainly, and cost a handle
//! table and two more modules in JavaScript. A host that needs several
//! configurations instantiates several times.

use function_fetch_engine::{Capabilities, Engine, Settings};
use std::cell::RefCell;

thread_local! {
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// Puts an engine in the place of the one before.
pub fn fill(engine: Engine) {
    ENGINE.set(Some(engine));
}

/// Access to the engine. There is nothing to call out to, so no call finds it
/// borrowed. Before there is one, it is that of a configuration without
/// targets.
pub fn engine<R>(with: impl FnOnce(&mut Engine) -> R) -> R {
    ENGINE.with_borrow_mut(|slot| with(slot.get_or_insert_with(unconfigured)))
}

fn unconfigured() -> Engine {
    Engine::new(Settings::of(Capabilities::default(), &[]), 0)
}
