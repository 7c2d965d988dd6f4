//! L1: one engine for all requests of this instance.

use function_fetch_engine::Engine;
use std::cell::RefCell;

// An instance has one thread; a thread-local is its static without a lock.
thread_local! {
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// Stores the engine, unless another request of the instance already has.
pub fn fill(engine: impl FnOnce() -> Engine) {
    ENGINE.with_borrow_mut(|slot| {
        slot.get_or_insert_with(engine);
    });
}

/// Whether there is an engine.
#[must_use]
pub fn is_filled() -> bool {
    ENGINE.with_borrow(Option::is_some)
}

/// Access to the engine, which the first request stored. The borrow ends with
/// the call, so it is never held across an `.await`, where another request
/// would find it taken.
pub fn engine<R>(with: impl FnOnce(&mut Engine) -> R) -> R {
    ENGINE.with_borrow_mut(|slot| with(slot.as_mut().expect("filled before the first request")))
}
