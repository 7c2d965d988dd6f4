//! Signals between the tasks of an instance.

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

/// The longest delay of blocking work. A response that is not complete by then
/// is a long stream, or its target is slow: neither gets noticeably longer.
const MAX_DELAY_NS: u64 = 250_000_000;

/// Resolves at the next call of [`round_progressed`].
pub async fn round_progress() {
    let (sender, receiver) = oneshot::channel();
    ROUND.with_borrow_mut(|waiting| {
        waiting.retain(|waiting| !waiting.is_canceled());
        waiting.push(sender);
    });
    // The sender is dropped, not used.
    let _ = receiver.await;
}

/// Wakes all that wait in [`round_progress`].
pub fn round_progressed() {
    drop(ROUND.take());
}

/// Notes whether the client still waits for its response, or for some of it.
pub fn answered(answered: bool) {
    ANSWERED.set(answered);
    if answered {
        drop(RESPONSE.take());
    }
}

/// Resolves when the client has its response, and after [`MAX_DELAY_NS`] anyway.
pub async fn idle() {
    if ANSWERED.get() {
        return;
    }
    let (sender, receiver) = oneshot::channel();
    RESPONSE.with_borrow_mut(|waiting| waiting.push(sender));
    select(receiver, pin!(executor::sleep(MAX_DELAY_NS))).await;
}
