//! wrk: HTTP/1.1 on so many kept connections, each with one request at a time.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::{Error, Load, output};
use crate::bench::Bench;

const NAME: &str = "wrk";

/// What is sent.
pub struct Requests<'a> {
    /// Where.
    pub url: &'a str,
    /// On how many connections.
    pub connections: u32,
    /// wrk's script, which changes the request.
    pub script: Option<&'a PathBuf>,
}

/// Puts the load on.
pub async fn run(
    bench: &Bench,
    requests: &Requests<'_>,
    duration: Duration,
) -> Result<Load, Error> {
    let program = bench.programs.wrk.as_ref();
    let program = program.map_err(|why| Error::Output(NAME, why.clone()))?;
    let mut command = Command::new(program);
    // One thread: it can make more load than a proxy on the same machine can take.
    command
        .args(["-t1", "--latency", "-c"])
        .arg(requests.connections.to_string())
        .arg(format!("-d{}s", duration.as_secs()));
    if let Some(script) = requests.script {
        command.arg("-s").arg(script);
    }
    command.arg(requests.url);
    let text = output(bench, NAME, command, duration).await?;
    let load = parse(&text).ok_or(Error::Output(NAME, text))?;
    if load.requests == 0 {
        return Err(Error::Silent(NAME));
    }
    Ok(load)
}

fn parse(text: &str) -> Option<Load> {
    let lines = || text.lines().map(str::trim);
    let value = |name: &str| {
        lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    let requests = lines()
        .find_map(|line| line.split_once(" requests in "))
        .and_then(|(requests, _)| requests.parse().ok())?;
    let bad_statuses: u64 = match value("Non-2xx or 3xx responses:") {
        Some(count) => count.parse().ok()?,
        None => 0,
    };
    // `connect 0, read 3, write 0, timeout 0`
    let broken: u64 = value("Socket errors:")
        .unwrap_or_default()
        .split(',')
        .filter_map(|kind| kind.trim().rsplit_once(' ')?.1.parse::<u64>().ok())
        .sum();
    Some(Load {
        requests,
        rate: value("Requests/sec:")?.parse().ok()?,
        p50_ms: milliseconds(value("50%")?)?,
        p99_ms: milliseconds(value("99%")?)?,
        failed: bad_statuses + broken,
    })
}

/// `812.00us`, `3.61ms`, `1.20s`, `1.00m`.
fn milliseconds(text: &str) -> Option<f64> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let in_ms = match unit {
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "m" => 60e3,
        "h" => 3_600e3,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * in_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "Running 2s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.60ms    1.02ms  20.11ms   90.00%
    Req/Sec    17.90k     1.10k   19.00k    80.00%
  Latency Distribution
     50%    3.55ms
     75%    4.00ms
     90%  812.00us
     99%    1.20s
  35801 requests in 2.00s, 5.05MB read
Requests/sec:  17900.12
Transfer/sec:      2.52MB
";

    #[test]
    fn reads_a_good_run() {
        let expected = Load {
            requests: 35_801,
            rate: 17_900.12,
            p50_ms: 3.55,
            p99_ms: 1_200.0,
            failed: 0,
        };
        assert_eq!(parse(GOOD), Some(expected));
    }

    #[test]
    fn counts_bad_statuses_and_broken_connections() {
        let text = GOOD.replace(
            "Requests/sec:",
            "  Socket errors: connect 1, read 2, write 0, timeout 4\n  Non-2xx or 3xx responses: 100\nRequests/sec:",
        );
        assert_eq!(parse(&text).map(|load| load.failed), Some(107));
    }

    #[test]
    fn anything_else_is_no_result() {
        assert_eq!(
            parse("unable to connect to 127.0.0.1:1 Connection refused"),
            None
        );
        assert_eq!(parse(&GOOD.replace("99%", "98%")), None);
    }

    #[test]
    fn latencies_have_units() {
        assert_eq!(milliseconds("500.00us"), Some(0.5));
        assert_eq!(milliseconds("1.00m"), Some(60_000.0));
        assert_eq!(milliseconds("1.00"), None);
        assert_eq!(milliseconds("1.00 parsecs"), None);
    }
}
