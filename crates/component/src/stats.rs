//! Counts for monitoring, as lines of JSON beside the notices.

use crate::memory;
use function_fetch_engine::Timestamp;
use function_fetch_engine::stats::Stats;
use serde::Serialize;
use std::io::Write;

#[derive(Serialize)]
struct Line<'a> {
    source: &'static str,
    event: &'static str,
    #[serde(flatten)]
    stats: &'a Stats,
}

/// The counts as one line of JSON.
#[must_use]
pub fn line(stats: &Stats) -> String {
    let line = Line {
        source: "function-fetch",
        event: "stats",
        stats,
    };
    // Its names are text, and writing to memory does not fail.
    serde_json::to_string(&line).unwrap_or_default()
}

/// Writes the counts to stderr if it is time to, or with `all`, since the instance
/// goes, whatever there is. Says whether there is more to tell later.
pub fn tell(all: bool, now: Timestamp) -> bool {
    let (stats, more) = memory::engine(|engine| {
        let stats = engine.take_stats(all, now);
        (stats, engine.has_stats())
    });
    if let Some(stats) = stats {
        // In one write, as for a notice.
        let line = line(&stats) + "\n";
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    more
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_fetch_engine::stats::{Answers, StoreStats, TargetStats, Times};
    use function_fetch_engine::{Millis, Timestamp};

    /// The same as in `adapters/test/engine/stats.test.ts`.
    #[test]
    fn counts_are_one_line_of_json() {
        let answers = |status, error, counts: &[u32], sum_ms| Answers {
            method: "GET",
            status,
            error,
            times: Times {
                counts: counts.to_vec(),
                sum_ms: Millis(sum_ms),
            },
        };
        let stats = Stats {
            for_ms: 10_000,
            requests: 3,
            targets: vec![TargetStats {
                target: "http://a".to_owned(),
                healthy: true,
                attempts: 3,
                retries: 1,
                hedges: 0,
                ejections: 0,
                failed_probes: 1,
                probes: Times {
                    counts: vec![1],
                    sum_ms: Millis(2.5),
                },
                answers: vec![
                    answers(Some(200), None, &[0, 2], 14.0),
                    answers(None, Some("connection_refused"), &[1], 0.5),
                ],
            }],
            store: StoreStats {
                reads: 1,
                ..StoreStats::default()
            },
            primary: Some("http://a".to_owned()),
            measured_at: Some(Timestamp(1_790_000_000_000.0)),
        };
        let wanted = concat!(
            r#"{"source":"function-fetch","event":"stats","for_ms":10000,"requests":3,"#,
            r#""targets":[{"target":"http://a","healthy":true,"attempts":3,"retries":1,"hedges":0,"ejections":0,"failed_probes":1,"#,
            r#""probes":{"counts":[1],"sum_ms":2.5},"#,
            r#""answers":[{"method":"GET","status":200,"times":{"counts":[0,2],"sum_ms":14.0}},"#,
            r#"{"method":"GET","error":"connection_refused","times":{"counts":[1],"sum_ms":0.5}}]}],"#,
            r#""store":{"reads":1,"failed_reads":0,"writes":0,"failed_writes":0},"#,
            r#""primary":"http://a","measured_at":1790000000000.0}"#,
        );
        assert_eq!(line(&stats), wanted);
    }
}
