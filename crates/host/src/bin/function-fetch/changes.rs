//! The component's events for a person at a terminal, who gets JSON otherwise.

use function_fetch_host::Event;
use tracing::{info, warn};

/// Shows an event as a line of the log.
pub fn show(event: &Event) {
    match event {
        Event::PrimaryChanged { from, to, reason } => match from {
            Some(from) => info!("traffic goes to {to} instead of {from} ({reason})"),
            None => info!("traffic goes to {to} ({reason})"),
        },
        Event::Ejected {
            target,
            reason,
            for_ms,
        } => {
            let seconds = *for_ms as f64 / 1e3;
            warn!("{target} is ejected for {seconds:.1} s: {reason}");
        }
        Event::Recovered { target } => info!("{target} is healthy again"),
        Event::NoHealthyTarget => {
            warn!("no target is healthy: each request tries them in the order of the list")
        }
        Event::Denied { target, remedy } => warn!("{target} is not allowed: {remedy}"),
        Event::HealthPathCached { target, remedy } => warn!("{target}: {remedy}"),
        Event::StoreFailed { operation } => warn!("the store failed: {operation}"),
        // It was said when the server started.
        Event::BadSetting { .. } => {}
        Event::Stats(stats) => {
            let attempts: u64 = stats.targets.iter().map(|target| target.attempts).sum();
            let seconds = f64::from(stats.for_ms) / 1e3;
            info!(
                "{} requests and {attempts} attempts in {seconds:.1} s",
                stats.requests
            );
        }
        // An event of a newer component.
        other => info!("{other:?}"),
    }
}
