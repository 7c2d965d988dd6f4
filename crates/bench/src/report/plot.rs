//! A run as bars: requests per second and CPU per request of every proxy.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::machine::Run;
use crate::proxy::Proxy;
use crate::results::{Metric, Results, Spread};

const WIDTH: i32 = 900;
const ROW: i32 = 20;
const TITLE: i32 = 34;
const LABELS: i32 = 290;
/// Right of a bar, for its number.
const NUMBERS: i32 = 150;

const OURS: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
const OTHERS: RGBColor = RGBColor(0x9a, 0x9a, 0x9a);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws `requests.svg` and `cpu.svg`, where there is anything to draw.
pub fn draw(folder: &Path, run: &Run, results: &Results) -> Result<()> {
    bars(&folder.join("requests.svg"), Metric::Rate, run, results)?;
    bars(&folder.join("cpu.svg"), Metric::Cpu, run, results)
}

/// A panel for each case, a bar for each subject, with a line from the least to the most.
fn bars(file: &Path, metric: Metric, run: &Run, results: &Results) -> Result<()> {
    let panels: Vec<(&str, Vec<(&str, Spread)>)> = results
        .cases()
        .into_iter()
        .map(|case| {
            let spread = |subject| Some((subject, results.spread(case, subject, metric)?));
            let subjects = results.subjects(case).into_iter();
            (case, subjects.filter_map(spread).collect())
        })
        .filter(|(_, bars): &(_, Vec<_>)| !bars.is_empty())
        .collect();
    if panels.is_empty() {
        return Ok(());
    }
    let rows: usize = panels.iter().map(|(_, bars)| bars.len()).sum();
    let height = TITLE * panels.len() as i32 + ROW * rows as i32 + ROW;
    let root = SVGBackend::new(file, (WIDTH as u32, height as u32)).into_drawing_area();
    root.fill(&WHITE).map_err(broken)?;
    let mut y = 0;
    for (case, bars) in panels {
        let title = format!("{case}: {} — {}", metric.label(), run.command);
        write(&root, &title, (8, y + 12), 14)?;
        y += TITLE;
        let top = bars
            .iter()
            .map(|(_, spread)| spread.max)
            .fold(1e-9, f64::max);
        let scale = f64::from(WIDTH - LABELS - NUMBERS) / top;
        for (subject, spread) in bars {
            bar(&root, y, subject, spread, scale, metric)?;
            y += ROW;
        }
    }
    root.present().map_err(broken)
}

fn bar(
    root: &Area,
    y: i32,
    subject: &str,
    spread: Spread,
    scale: f64,
    metric: Metric,
) -> Result<()> {
    let at = |value: f64| LABELS + (value * scale) as i32;
    let is_ours =
        subject == Proxy::FunctionFetch.name() || subject == Proxy::WasmtimeFunctionFetch.name();
    let colour = if is_ours { OURS } else { OTHERS };
    write(root, subject, (8, y), 13)?;
    let corners = [(LABELS, y), (at(spread.median), y + ROW - 5)];
    root.draw(&Rectangle::new(corners, colour.filled()))
        .map_err(broken)?;
    let middle = y + (ROW - 5) / 2;
    let ends = vec![(at(spread.min), middle), (at(spread.max), middle)];
    root.draw(&PathElement::new(ends, BLACK)).map_err(broken)?;
    let number = format!("{:.*}", metric.decimals(), spread.median);
    write(root, &number, (at(spread.max) + 6, y), 13)
}

fn write(root: &Area, text: &str, at: (i32, i32), size: u32) -> Result<()> {
    root.draw(&Text::new(text.to_owned(), at, ("sans-serif", size)))
        .map_err(broken)
}

/// Its errors cannot be sent between threads.
fn broken(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw a plot: {error}")
}
