//! h2load: HTTP/2 by prior knowledge, on so many connections with several requests at a time each.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::{Error, Load, output};
use crate::bench::Bench;

const NAME: &str = "h2load";

/// What is sent.
pub struct Requests<'a> {
    /// Where.
    pub url: &'a str,
    /// On how many connections,
    pub connections: u32,
    /// and on each how many requests at a time.
    pub streams: u32,
}

/// Puts the load on.
pub async fn run(
    bench: &Bench,
    requests: &Requests<'_>,
    duration: Duration,
) -> Result<Load, Error> {
    let program = bench.programs.h2load.as_ref();
    let program = program.map_err(|why| Error::Output(NAME, why.clone()))?;
    // Its summary has no percentiles, but its log has every request.
    let log = bench.folder.join("h2load.log");
    // It appends.
    let _ = fs::remove_file(&log);
    let mut command = Command::new(program);
    command
        .args(["--threads=1", "--clients"])
        .arg(requests.connections.to_string())
        .arg("--max-concurrent-streams")
        .arg(requests.streams.to_string())
        .arg(format!("--duration={}", duration.as_secs()))
        .arg("--log-file")
        .arg(&log)
        .arg(requests.url);
    let text = output(bench, NAME, command, duration).await?;
    let summary = parse(&text).ok_or(Error::Output(NAME, text))?;
    if summary.succeeded == 0 {
        return Err(Error::Silent(NAME));
    }
    let times = fs::read_to_string(&log).map_err(|error| Error::Run(NAME, error))?;
    let (p50_ms, p99_ms) = percentiles(&times).ok_or(Error::Silent(NAME))?;
    Ok(Load {
        requests: summary.succeeded,
        rate: summary.rate,
        p50_ms,
        p99_ms,
        failed: summary.failed,
    })
}

#[derive(Debug, PartialEq)]
struct Summary {
    rate: f64,
    succeeded: u64,
    failed: u64,
}

fn parse(text: &str) -> Option<Summary> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    // `5.00s, 12345.60 req/s, 1.23MB/s`
    let (rate, _) = value("finished in ")?.split_once(" req/s")?;
    let rate = rate.rsplit(' ').next()?.parse().ok()?;
    // `61728 total, 61792 started, 61728 done, 61728 succeeded, 0 failed, 0 errored, 0 timeout`
    let requests = value("requests: ")?;
    let count = |kind: &str| -> Option<u64> {
        let part = requests
            .split(", ")
            .find_map(|part| part.strip_suffix(kind))?;
        part.trim().parse().ok()
    };
    Some(Summary {
        rate,
        succeeded: count("succeeded")?,
        failed: count("failed")? + count("errored")? + count("timeout")?,
    })
}

/// The median and the 99th percentile of h2load's log, ms: a line for each request with the time of its start, its
/// status, and how long it took in µs.
fn percentiles(log: &str) -> Option<(f64, f64)> {
    let mut times: Vec<u64> = log
        .lines()
        .filter_map(|line| line.split('\t').nth(2)?.trim().parse().ok())
        .collect();
    times.sort_unstable();
    let at = |share: f64| {
        let place = (times.len() as f64 * share) as usize;
        Some(*times.get(place)? as f64 / 1e3)
    };
    Some((at(0.5)?, at(0.99)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "starting benchmark...
Warm-up phase is over for thread #0.
finished in 5.00s, 12345.60 req/s, 1.23MB/s
requests: 61728 total, 61792 started, 61728 done, 61720 succeeded, 8 failed, 0 errored, 2 timeout
status codes: 61720 2xx, 0 3xx, 0 4xx, 8 5xx
";

    #[test]
    fn reads_a_run() {
        let expected = Summary {
            rate: 12_345.6,
            succeeded: 61_720,
            failed: 10,
        };
        assert_eq!(parse(GOOD), Some(expected));
        assert_eq!(parse("[ERROR] Invalid --duration"), None);
    }

    #[test]
    fn percentiles_come_from_the_log() {
        let log: String = (1..=100)
            .rev()
            .map(|ms| format!("1700000000\t200\t{}\n", ms * 1000))
            .collect();
        assert_eq!(percentiles(&log), Some((51.0, 100.0)));
        assert_eq!(percentiles("1700000000\t200\t"), None);
    }
}
