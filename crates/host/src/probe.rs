//! Measures a target as the proxy does.

use crate::Outbound;
use function_fetch_component::probe;
use function_fetch_engine::{Preference, Target};
use http::Request;
use http_body_util::{BodyExt, Empty, Limited};
use serde::Serialize;
use std::time::{Duration, Instant};
use wasmtime_wasi_http::{RequestOptions, WasiBody};

/// How much of a body is read so that its connection can be reused; a connection with more to come is closed.
const BODY_LIMIT: usize = 1 << 20;

/// The result for a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measurement {
    /// The target, as the settings name it.
    pub target: String,
    /// Its tier: a target of a later one serves when those before it have nothing fit.
    pub tier: u8,
    /// Its weight, for `FETCH_SPREAD`.
    pub weight: u8,
    /// Whether every sample got 200 to 499 in time.
    pub healthy: bool,
    /// The status of the last sample with a response.
    pub status: Option<u16>,
    /// Why the last sample got no response.
    pub error: Option<String>,
    /// Milliseconds until the response head, on the kept connection: the median of all samples but the first, or the
    /// first where it is the only one.
    pub latency_ms: Option<f64>,
    /// Milliseconds until the response head of the first sample, which opened the connection.
    pub first_ms: Option<f64>,
}

/// Measures `target` by `samples` probes, one after the other, each a GET of `health_path` within `timeout`. Stops at
/// the first one that fails. `progress` is called after each.
pub async fn measure(
    outbound: &Outbound,
    target: &Target,
    health_path: &str,
    timeout: Duration,
    samples: usize,
    mut progress: impl FnMut(),
) -> Measurement {
    let scheme = if target.is_https() { "https" } else { "http" };
    let url = format!(
        "{scheme}://{}{}",
        target.authority(),
        target.path_for(health_path)
    );
    let mut latencies = Vec::with_capacity(samples);
    let (mut status, mut error) = (None, None);
    for _ in 0..samples {
        match sample(outbound, &url, timeout).await {
            Ok((code, latency)) => {
                status = Some(code);
                latencies.push(latency.as_secs_f64() * 1000.0);
            }
            Err(reason) => error = Some(reason),
        }
        progress();
        if error.is_some() || status.is_some_and(|code| !is_healthy(code)) {
            break;
        }
    }
    let first_ms = latencies.first().copied();
    let Preference { tier, weight } = target.preference();
    Measurement {
        target: target.to_string(),
        tier,
        weight,
        healthy: error.is_none() && status.is_some_and(is_healthy),
        status,
        error,
        latency_ms: median(latencies.get(1..).unwrap_or_default()).or(first_ms),
        first_ms,
    }
}

fn is_healthy(status: u16) -> bool {
    (200..500).contains(&status)
}

/// One probe. Returns the status and the time until the response head.
async fn sample(
    outbound: &Outbound,
    url: &str,
    timeout: Duration,
) -> Result<(u16, Duration), String> {
    let body: WasiBody = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = probe::fields()
        .into_iter()
        .fold(Request::get(url), |request, (name, value)| {
            request.header(name, value)
        })
        .body(body)
        .map_err(|error| error.to_string())?;
    let started = Instant::now();
    let pending = outbound.send(request, RequestOptions::default());
    let response = match tokio::time::timeout(timeout, pending).await {
        Ok(outcome) => outcome.map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("no response within {} ms", timeout.as_millis())),
    };
    let measured = (response.status().as_u16(), started.elapsed());
    // Whether the rest of it arrives does not affect the measurement.
    let _ = tokio::time::timeout(
        timeout,
        Limited::new(response.into_body(), BODY_LIMIT).collect(),
    )
    .await;
    Ok(measured)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    Some(if sorted.len().is_multiple_of(2) {
        (sorted[sorted.len() / 2 - 1] + upper) / 2.0
    } else {
        upper
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_or_between_the_two() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&[4.0, 2.0]), Some(3.0));
    }
}
