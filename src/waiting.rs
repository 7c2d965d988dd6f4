//! The requests of this instance that wait for its round of probes.

use std::cell::RefCell;
use wasip3::wit_bindgen::StreamWriter;
use wasip3::wit_stream;

// An instance has one thread; a thread-local is its static without a lock.
thread_local! {
    static WAITING: RefCell<Vec<StreamWriter<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Waits for the next call of [`wake`].
///
/// The requests of an instance are tasks of the component model, and a Rust
/// waker that fires from another task's poll traps there. A component-model
/// stream does not: its reader wakes when the writer is dropped, by whichever
/// task.
pub async fn wait() {
    let (writer, mut reader) = wit_stream::new::<u8>();
    WAITING.with_borrow_mut(|waiting| waiting.push(writer));
    reader.next().await;
}

pub fn wake() {
    drop(WAITING.take());
}
