//! The counts for monitoring, from the engine to the host.

use crate::wit;
use function_fetch_engine::stats::{Answers, Stats, StoreStats, TargetStats, Times};

pub fn to_host(stats: Stats) -> wit::Stats {
    let StoreStats {
        reads,
        failed_reads,
        writes,
        failed_writes,
    } = stats.store;
    wit::Stats {
        for_ms: stats.for_ms,
        requests: stats.requests,
        targets: stats.targets.into_iter().map(target).collect(),
        store: wit::StoreStats {
            reads,
            failed_reads,
            writes,
            failed_writes,
        },
        primary: stats.primary,
        measured_at: stats.measured_at.map(|at| at.0),
    }
}

fn target(stats: TargetStats) -> wit::TargetStats {
    wit::TargetStats {
        target: stats.target,
        healthy: stats.healthy,
        attempts: stats.attempts,
        retries: stats.retries,
        hedges: stats.hedges,
        ejections: stats.ejections,
        failed_probes: stats.failed_probes,
        probes: times(stats.probes),
        answers: stats.answers.into_iter().map(answers).collect(),
    }
}

fn answers(answers: Answers) -> wit::Answers {
    wit::Answers {
        method: answers.method.to_owned(),
        status: answers.status,
        error: answers.error.map(str::to_owned),
        times: times(answers.times),
    }
}

fn times(times: Times) -> wit::Times {
    wit::Times {
        counts: times.counts,
        sum: times.sum_ms.0,
    }
}
