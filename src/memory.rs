//! The L1: one engine for all requests of this instance, and the requests that
//! wait for its round of probes.

use function_fetch_engine::Engine;
use std::cell::RefCell;
use wasip3::wit_bindgen::StreamWriter;
use wasip3::wit_stream;

// An instance has one thread; a thread-local is its static without a lock.
thread_local! {
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
    static WAITING: RefCell<Vec<StreamWriter<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Puts an engine there, unless another request of the instance has.
pub fn fill(engine: impl FnOnce() -> Engine) {
    ENGINE.with_borrow_mut(|slot| {
        slot.get_or_insert_with(engine);
    });
}

pub fn is_filled() -> bool {
    ENGINE.with_borrow(Option::is_some)
}

/// Access to the engine. The borrow ends with the call, so it never lives
/// across an `.await`, where another request would find it taken.
pub fn engine<R>(with: impl FnOnce(&mut Engine) -> R) -> R {
    ENGINE.with_borrow_mut(|slot| with(slot.as_mut().expect("filled before the first request")))
}

/// Waits for the next call of [`wake`].
///
/// The requests of an instance are tasks of the component model, and a Rust
/// waker that fires from another task's poll traps there. A component-model
/// stream does not: its reader wakes when the writer is dropped, whichever
/// task drops it.
pub async fn wait() {
    let (writer, mut reader) = wit_stream::new::<u8>();
    WAITING.with_borrow_mut(|waiting| waiting.push(writer));
    reader.next().await;
}

pub fn wake() {
    drop(WAITING.take());
}
