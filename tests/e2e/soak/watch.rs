//! What a process uses: memory and descriptors.

use std::time::{Duration, Instant};

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(500);

#[derive(Clone, Copy)]
pub struct Sample {
    pub rss_kib: u64,
    pub descriptors: u64,
}

/// A process as it is now.
pub fn sample(pid: u32) -> Sample {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let rss_kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0);
    let descriptors =
        std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |entries| entries.count() as u64);
    Sample {
        rss_kib,
        descriptors,
    }
}

/// Samples for so long.
pub async fn watch(pid: u32, time: Duration) -> Vec<Sample> {
    let until = Instant::now() + time;
    let mut samples = Vec::new();
    while Instant::now() < until {
        samples.push(sample(pid));
        tokio::time::sleep(EVERY).await;
    }
    samples
}

/// The median of one thing in the third quarter of the samples, and in the last one.
pub fn second_half(samples: &[Sample], of: impl Fn(&Sample) -> u64) -> (u64, u64) {
    let quarter = samples.len() / 4;
    let median = |samples: &[Sample]| {
        let mut values: Vec<u64> = samples.iter().map(&of).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or(0)
    };
    let third = &samples[2 * quarter..3 * quarter];
    (median(third), median(&samples[3 * quarter..]))
}
