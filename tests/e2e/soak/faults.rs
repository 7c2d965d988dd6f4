//! The script of the faults: one target after the other gets into some trouble. One never does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ledger::Ledger;
use crate::target::{Mood, Target};

/// How long a trouble lasts, and the peace after it.
const TROUBLE: Duration = Duration::from_millis(1500);
const PEACE: Duration = Duration::from_millis(500);

const TROUBLES: [Mood; 6] = [
    Mood::Dead,
    Mood::Failing,
    Mood::Slow,
    Mood::Breaking,
    Mood::Hanging,
    Mood::Lying,
];

/// Runs for so long on all targets but the last; how many troubles there were.
pub async fn run(targets: &mut [Target], ledger: &Arc<Ledger>, time: Duration) -> usize {
    let until = Instant::now() + time;
    let mut count = 0;
    let restless = targets.len() - 1;
    while Instant::now() + TROUBLE + PEACE < until {
        let target = &mut targets[count % restless];
        ledger.trouble_begins();
        target.behave(TROUBLES[count % TROUBLES.len()]).await;
        tokio::time::sleep(TROUBLE).await;
        target.behave(Mood::Well).await;
        tokio::time::sleep(PEACE).await;
        ledger.trouble_ends();
        count += 1;
    }
    tokio::time::sleep_until(until.into()).await;
    count
}
