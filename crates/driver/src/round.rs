//! A round of probes, as the engine planned it.

use crate::platform::Platform;
use crate::serve::{ask, within};
use crate::store;
use function_fetch_engine::{Failure, Millis, ProbeOutcome, Round, STORE_TIMEOUT};
use futures::stream::{self, StreamExt};

/// Probes each target, reports each answer as it comes, and wakes the requests
/// that wait for the first healthy one.
pub(crate) async fn run<P: Platform>(platform: P, round: Round) {
    let mut next = Some(round);
    while let Some(round) = next {
        next = run_one(&platform, round).await;
    }
    platform.round_progressed();
    store::write_due(&platform);
}

/// Returns the round that follows, if any: a comparison.
async fn run_one<P: Platform>(platform: &P, round: Round) -> Option<Round> {
    if round.read_store {
        platform.idle().await;
        if let Ok(value) = store::read(platform, STORE_TIMEOUT).await
            && ask(platform, |engine, now| {
                engine.round_read_store(value.as_ref(), now)
            })
        {
            return None;
        }
    }
    let mut outcomes = stream::iter(round.targets)
        .map(async |target| (target, probe(platform, target, round.timeout).await))
        .buffer_unordered(round.concurrency);
    while let Some((target, outcome)) = outcomes.next().await {
        let ready = ask(platform, |engine, now| {
            engine.probed(round.id, target, outcome, now);
            engine.round_is_ready(now)
        });
        if ready {
            platform.round_progressed();
        }
    }
    ask(platform, |engine, now| engine.finish_round(round.id, now))
}

async fn probe<P: Platform>(platform: &P, target: usize, timeout: Millis) -> ProbeOutcome {
    let (target, path) = platform.engine(|engine| {
        let settings = engine.settings();
        let target = settings.targets[target].clone();
        let path = target.path_for(&settings.health_path);
        (target, path)
    });
    let started = platform.monotonic();
    let head = within(platform, timeout, platform.probe(&target, &path))
        .await
        .unwrap_or(Err(Failure::AttemptTimeout));
    ProbeOutcome {
        result: head.map(|head| head.status),
        took: platform.monotonic() - started,
        cached: head.is_ok_and(|head| head.cached),
    }
}
