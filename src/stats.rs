//! When the counts for monitoring are told: at the end of a request, and while none
//! comes by a task that keeps the instance for that long.

use crate::platform::{now, sleep};
use function_fetch_component::{memory, stats};
use function_fetch_engine::Millis;
use std::cell::Cell;

/// How often that task looks. It cannot be woken by the request that has told them:
/// a waker that fires from another task traps.
const LOOK: Millis = Millis(250.0);

thread_local! {
    static LOOKING: Cell<bool> = const { Cell::new(false) };
}

/// A request is over.
pub fn request_ended() {
    if !memory::engine(|engine| engine.has_stats()) || !stats::tell(false, now()) {
        return;
    }
    if !LOOKING.replace(true) {
        wasip3::spawn(async {
            sleep(LOOK).await;
            while stats::tell(false, now()) {
                sleep(LOOK).await;
            }
            LOOKING.set(false);
        });
    }
}
