//! `function-fetch probe`.

use super::{check, watch};
use crate::cli::ProbeArgs;
use crate::{environment, output};
use anyhow::Context;
use function_fetch_engine::settings::TargetsError;
use function_fetch_engine::{Preference, Settings};
use function_fetch_host::{Measurement, Outbound, OutboundHttpConfig, measure, one_line};
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

pub fn run(args: ProbeArgs) -> anyhow::Result<ExitCode> {
    let mut given = environment::shared(environment::utf8(), args.environment);
    if !args.targets.is_empty() {
        given.insert(
            "FETCH_TARGETS".to_owned(),
            serde_json::to_string(&args.targets)?,
        );
    }
    let settings = check::read(&given);
    for problem in &settings.problems {
        eprintln!("warning: {problem}");
    }
    match &settings.no_targets {
        Some(TargetsError::Missing) => {
            anyhow::bail!("no targets; give them as arguments, or in FETCH_TARGETS")
        }
        Some(error) => anyhow::bail!("{}", one_line(&error.to_string())),
        None => {}
    }
    let outbound = Outbound::new(&OutboundHttpConfig::default(), &args.ca_files)
        .map_err(|error| anyhow::anyhow!("--ca-file: {error}; give a PEM file of certificates"))?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    let probing = Probing {
        outbound: &outbound,
        settings: &settings,
        samples: args.samples,
        bar: !args.watch,
    };
    if args.watch {
        return runtime.block_on(watch::run(probing, args.interval, args.json));
    }
    let measurements = runtime.block_on(probing.measure_all());
    runtime.shutdown_background();

    if args.json {
        output::print(&(serde_json::to_string_pretty(&measurements)? + "\n"))?;
    } else {
        output::print(&table(&measurements))?;
    }
    let any_healthy = measurements.iter().any(|measurement| measurement.healthy);
    Ok(if any_healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// How all targets are measured.
pub struct Probing<'a> {
    outbound: &'a Outbound,
    settings: &'a Settings,
    samples: usize,
    /// Whether a terminal shows how far it is.
    bar: bool,
}

impl Probing<'_> {
    /// All targets, with as many probes at once as the proxy has, the best one first.
    pub async fn measure_all(&self) -> Vec<Measurement> {
        let settings = self.settings;
        let bar = if self.bar {
            ProgressBar::new((settings.targets.len() * self.samples) as u64)
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} probes");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let timeout = Duration::from_secs_f64(settings.health_timeout.0 / 1e3);
        let mut measurements: Vec<_> = futures::stream::iter(&settings.targets)
            .map(|target| {
                measure(
                    self.outbound,
                    target,
                    &settings.health_path,
                    timeout,
                    self.samples,
                    || bar.inc(1),
                )
            })
            .buffered(settings.max_probes as usize)
            .collect()
            .await;
        bar.finish_and_clear();
        measurements.sort_by(|one, other| {
            let (place, latency) = rank(one);
            let (other_place, other_latency) = rank(other);
            place
                .cmp(&other_place)
                .then(latency.total_cmp(&other_latency))
        });
        measurements
    }
}

/// Healthy ones first, of these by tier, then by latency. Ties keep the order of the settings.
fn rank(measurement: &Measurement) -> ((bool, u8), f64) {
    (
        (!measurement.healthy, measurement.tier),
        measurement.latency_ms.unwrap_or(f64::INFINITY),
    )
}

/// The target, with what the settings say of it.
fn name(measurement: &Measurement) -> String {
    let (tier, weight) = (measurement.tier, measurement.weight);
    format!(
        "{}{}",
        measurement.target,
        Preference { tier, weight }.note()
    )
}

pub fn table(measurements: &[Measurement]) -> String {
    let width = measurements
        .iter()
        .map(|row| name(row).len())
        .max()
        .unwrap_or(0)
        .max("TARGET".len());
    let mut text = format!(
        "     {:width$}  HEALTH    LATENCY      FIRST  STATUS\n",
        "TARGET"
    );
    for (row, rank) in measurements.iter().zip(1..) {
        let rank = if row.healthy {
            rank.to_string()
        } else {
            "-".to_owned()
        };
        let health = if row.healthy { "ok" } else { "failed" };
        let outcome = match (&row.error, row.status) {
            (Some(error), _) => error.clone(),
            (None, Some(status)) => status.to_string(),
            (None, None) => String::new(),
        };
        let (latency, first) = (milliseconds(row.latency_ms), milliseconds(row.first_ms));
        writeln!(
            text,
            "{rank:>3}  {:width$}  {health:6}  {latency:>9}  {first:>9}  {outcome}",
            name(row)
        )
        .expect("a string takes whatever is written to it");
    }
    text
}

fn milliseconds(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_ranks_the_healthy_and_explains_the_rest() {
        let rows = [
            Measurement {
                target: "http://fast.example".to_owned(),
                tier: 1,
                weight: 1,
                healthy: true,
                status: Some(200),
                error: None,
                latency_ms: Some(5.04),
                first_ms: Some(9.0),
            },
            Measurement {
                target: "http://dead".to_owned(),
                tier: 2,
                weight: 3,
                healthy: false,
                status: None,
                error: Some("connection refused".to_owned()),
                latency_ms: None,
                first_ms: None,
            },
        ];
        let expected = [
            "     TARGET                          HEALTH    LATENCY      FIRST  STATUS",
            "  1  http://fast.example             ok         5.0 ms     9.0 ms  200",
            "  -  http://dead (tier 2, weight 3)  failed          -          -  connection refused",
        ];
        assert_eq!(table(&rows).lines().collect::<Vec<_>>(), expected);
    }
}
