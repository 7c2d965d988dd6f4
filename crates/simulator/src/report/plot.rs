//! Results as SVG plots over time.

use crate::clock::MINUTE;
use crate::metrics::{Bucket, Metrics};
use crate::policy::Kind;
use crate::report::{Origin, Results};
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

const WIDTH: u32 = 960;
const HEIGHT: u32 = 420;
const PANEL: u32 = 170;

/// Whose traffic is drawn by target: ours, and one of each other kind.
const SHARES: [&str; 6] = [
    "ours",
    "ours-spread",
    "cache-for-a-ttl",
    "url-test",
    "p2c-peak-ewma",
    "oracle",
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws a scenario's plots into a folder.
///
/// # Errors
///
/// When a file cannot be written.
pub fn draw(results: &Results, origin: &Origin, folder: &Path) -> Result<()> {
    let file = |what: &str| folder.join(format!("{}-{what}.svg", results.scenario.name));
    let rate = |count: fn(&Bucket) -> u64| {
        move |bucket: &Bucket| 100.0 * count(bucket) as f64 / bucket.requests.max(1) as f64
    };
    let logarithmic = true;
    lines(
        results,
        origin,
        &file("latency"),
        "mean latency, ms",
        logarithmic,
        Bucket::mean_ms,
    )?;
    let failed = rate(|bucket| bucket.failed);
    lines(
        results,
        origin,
        &file("errors"),
        "failed requests, %",
        false,
        failed,
    )?;
    let probes = rate(|bucket| bucket.probes);
    lines(
        results,
        origin,
        &file("probes"),
        "probes, % of requests",
        false,
        probes,
    )?;
    shares(results, origin, &file("share"))
}

/// A line for each policy.
fn lines(
    results: &Results,
    origin: &Origin,
    file: &Path,
    what: &str,
    logarithmic: bool,
    value: impl Fn(&Bucket) -> f64,
) -> Result<()> {
    let series: Vec<Vec<(f64, f64)>> = results
        .metrics
        .iter()
        .map(|metrics| points(results, metrics, &value))
        .collect();
    let values = || series.iter().flatten().map(|(_, value)| *value);
    let top = values().fold(0.0, f64::max).max(1e-3) * 1.1;
    let least = values().fold(f64::MAX, f64::min).max(1.0) * 0.8;
    let root = SVGBackend::new(file, (WIDTH, HEIGHT)).into_drawing_area();
    root.fill(&WHITE).map_err(broken)?;
    let name = results.scenario.name;
    let caption = format!("{name}: {what} — {}", origin.command_for(name));
    let end = minutes(results, results.scenario.buckets());
    let mut chart = ChartBuilder::on(&root);
    chart
        .caption(caption, ("sans-serif", 13))
        .margin(8)
        .x_label_area_size(32)
        .y_label_area_size(56);
    // The two kinds of axis are different types: the same is done with both.
    macro_rules! draw {
        ($range:expr) => {{
            let mut chart = chart.build_cartesian_2d(0.0..end, $range).map_err(broken)?;
            chart
                .configure_mesh()
                .light_line_style(WHITE)
                .x_desc("minutes")
                .draw()
                .map_err(broken)?;
            for (index, (kind, points)) in results.kinds.iter().zip(&series).enumerate() {
                let style = style(*kind, index);
                chart
                    .draw_series(LineSeries::new(points.iter().copied(), style))
                    .map_err(broken)?
                    .label(kind.name())
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .background_style(WHITE.mix(0.8))
                .border_style(BLACK.mix(0.3))
                .label_font(("sans-serif", 11))
                .draw()
                .map_err(broken)?;
        }};
    }
    if logarithmic {
        draw!((least..top).log_scale());
    } else {
        draw!(0.0..top);
    }
    root.present().map_err(broken)
}

/// A panel for each of some policies, with a line for each target.
fn shares(results: &Results, origin: &Origin, file: &Path) -> Result<()> {
    let shown: Vec<(&str, &Metrics)> = results
        .kinds
        .iter()
        .zip(&results.metrics)
        .map(|(kind, metrics)| (kind.name(), metrics))
        .filter(|(name, _)| SHARES.contains(name))
        .collect();
    let height = PANEL * shown.len().max(1) as u32;
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE).map_err(broken)?;
    let panels = root.split_evenly((shown.len().max(1), 1));
    for (panel, (name, metrics)) in panels.iter().zip(shown) {
        let scenario = results.scenario.name;
        let command = origin.command_for(scenario);
        let caption = format!("{scenario}: share of each target, %, {name} — {command}");
        share(results, metrics, &caption, panel)?;
    }
    root.present().map_err(broken)
}

fn share(results: &Results, metrics: &Metrics, caption: &str, panel: &Area<'_>) -> Result<()> {
    let end = minutes(results, results.scenario.buckets());
    let mut chart = ChartBuilder::on(panel)
        .caption(caption, ("sans-serif", 12))
        .margin(6)
        .x_label_area_size(20)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..end, 0.0..100.0)
        .map_err(broken)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .y_labels(5)
        .draw()
        .map_err(broken)?;
    let targets = &results.scenario.targets;
    for (target, model) in targets.iter().enumerate() {
        let points = points(results, metrics, |bucket| 100.0 * bucket.share(target));
        let style = colour(target).stroke_width(1);
        chart
            .draw_series(LineSeries::new(points, style))
            .map_err(broken)?
            .label(model.distance.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], style));
    }
    // More would hide the lines.
    if targets.len() <= 4 {
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.7))
            .label_font(("sans-serif", 10))
            .draw()
            .map_err(broken)?;
    }
    Ok(())
}

fn points(results: &Results, metrics: &Metrics, value: impl Fn(&Bucket) -> f64) -> Vec<(f64, f64)> {
    metrics
        .buckets
        .iter()
        .enumerate()
        .filter(|(_, bucket)| bucket.requests > 0)
        .map(|(index, bucket)| (minutes(results, index), value(bucket)))
        .collect()
}

fn minutes(results: &Results, bucket: usize) -> f64 {
    bucket as f64 * results.scenario.bucket as f64 / MINUTE as f64
}

/// Ours stands out; the oracle is the ground it stands on.
fn style(kind: Kind, index: usize) -> ShapeStyle {
    match kind.name() {
        "ours" => RED.stroke_width(2),
        "oracle" => BLACK.stroke_width(1),
        _ => colour(index).stroke_width(1),
    }
}

/// Colours that most people tell apart: those of Okabe and Ito (2008), and then
/// others.
fn colour(index: usize) -> RGBColor {
    const COLOURS: [(u8, u8, u8); 12] = [
        (213, 94, 0),
        (0, 114, 178),
        (0, 158, 115),
        (204, 121, 167),
        (230, 159, 0),
        (86, 180, 233),
        (120, 94, 240),
        (150, 140, 20),
        (110, 110, 110),
        (130, 80, 40),
        (0, 90, 80),
        (160, 0, 60),
    ];
    let (red, green, blue) = COLOURS[index % COLOURS.len()];
    RGBColor(red, green, blue)
}

/// Errors of plotters borrow what they are about.
fn broken(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}
