//! `function-fetch probe --watch`: the table again and again; a terminal shows the last one, a pipe gets lines.

use super::probe::{Probing, table};
use crate::output;
use function_fetch_host::Measurement;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::FormatItem;
use time::macros::format_description;

const RFC_3339: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// To the top left, and what a terminal does before and after: another screen without a cursor, so that what was there
/// before is there again.
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Measures until Ctrl-C, or until nobody reads any more. The exit code is that of the last measurement.
pub async fn run(probing: Probing<'_>, interval: Duration, json: bool) -> anyhow::Result<ExitCode> {
    let on_screen = !json && io::stdout().is_terminal();
    if on_screen {
        output::show(ENTER)?;
    }
    let mut any_healthy = false;
    let watching = async {
        loop {
            let rows = probing.measure_all().await;
            any_healthy = rows.iter().any(|row| row.healthy);
            let text = if on_screen {
                screen(&rows, interval)
            } else if json {
                line_of_json(&rows)?
            } else {
                lines(&rows)
            };
            output::show(&text)?;
            tokio::time::sleep(interval).await;
        }
    };
    let ended: anyhow::Result<()> = tokio::select! {
        ended = watching => ended,
        stopped = tokio::signal::ctrl_c() => stopped.map_err(Into::into),
    };
    if on_screen {
        output::show(LEAVE)?;
    }
    match ended {
        Err(error) if is_broken_pipe(&error) => {}
        ended => ended?,
    }
    Ok(if any_healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// `head` has what it wants.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn now() -> String {
    // It fails only for years of five digits.
    OffsetDateTime::now_utc()
        .format(RFC_3339)
        .unwrap_or_default()
}

fn screen(rows: &[Measurement], interval: Duration) -> String {
    let title = format!(
        "{}, every {} s, Ctrl-C ends\n\n",
        now(),
        interval.as_secs_f64()
    );
    let text = (title + &table(rows)).replace('\n', &format!("{CLEAR_LINE}\n"));
    format!("{HOME}{text}{CLEAR_BELOW}")
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    targets: &'a [Measurement],
}

fn line_of_json(rows: &[Measurement]) -> anyhow::Result<String> {
    let line = Line {
        time: now(),
        targets: rows,
    };
    Ok(serde_json::to_string(&line)? + "\n")
}

/// A line for each target: time, rank, target, health, latency or what is wrong.
fn lines(rows: &[Measurement]) -> String {
    let time = now();
    let mut text = String::new();
    for (row, rank) in rows.iter().zip(1..) {
        let outcome = match (row.healthy, row.latency_ms, &row.error, row.status) {
            (true, Some(latency), _, _) => format!("{rank} {} ok {latency:.1} ms", row.target),
            (_, _, Some(error), _) => format!("- {} failed {error}", row.target),
            (_, _, None, status) => format!("- {} failed {}", row.target, status.unwrap_or(0)),
        };
        writeln!(text, "{time} {outcome}").expect("a string takes whatever is written to it");
    }
    text
}
