//! Waiting for what happens soon, without a fixed delay.

use std::time::{Duration, Instant};

/// The time limit for things that take milliseconds on an idle machine and longer on a busy
/// one.
pub const SOON: Duration = Duration::from_secs(10);

/// Milliseconds, shorter.
pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Waits until `check` yields something. `what` completes the sentence "… did not happen".
pub async fn eventually<T>(what: &str, check: impl FnMut() -> Option<T>) -> T {
    within(SOON, what, check).await
}

/// The same, for things that take longer.
pub async fn within<T>(limit: Duration, what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(
            started.elapsed() < limit,
            "within {limit:?} this did not happen: {what}"
        );
        tokio::time::sleep(ms(10)).await;
    }
}
