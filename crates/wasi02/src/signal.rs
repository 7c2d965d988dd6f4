//! What tasks of an instance tell each other.

use crate::executor;
use futures::channel::oneshot;
use futures::future::select;
use std::cell::{Cell, RefCell};
use std::pin::pin;

thread_local! {
    static ROUND: RefCell<Vec<oneshot::Sender<()>>> = const { RefCell::new(Vec::new()) };
    static RESPONSE: RefCell<Vec<oneshot::Sender<()>>> = const { RefCell::new(Vec::new()) };
    static ANSWERED: Cell<bool> = const { Cell::new(false) };
}

/// How long work that blocks is put off at most. A response that is not over by
/// then is a long stream, or its target is slow: neither is the longer for it.
const LEISURE_NS: u64 = 250_000_000;

/// Resolves when [`round_progressed`] is called next.
pub async fn round_progress() {
    let (sender, receiver) = oneshot::channel();
    ROUND.with_borrow_mut(|waiting| {
        waiting.retain(|waiting| !waiting.is_canceled());
        waiting.push(sender);
    });
    // It is dropped, not sent.
    let _ = receiver.await;
}

/// Wakes all that wait in [`round_progress`].
pub fn round_progressed() {
    drop(ROUND.take());
}

/// Says whether the client still waits for its response, or for some of it.
pub fn answered(answered: bool) {
    ANSWERED.set(answered);
    if answered {
        drop(RESPONSE.take());
    }
}

/// Resolves when the client has its response, and after [`LEISURE_NS`] anyway.
pub async fn idle() {
    if ANSWERED.get() {
        return;
    }
    let (sender, receiver) = oneshot::channel();
    RESPONSE.with_borrow_mut(|waiting| waiting.push(sender));
    select(receiver, pin!(executor::sleep(LEISURE_NS))).await;
}
