//! A run as Markdown.

use crate::machine::Run;
use crate::proxy::Proxy;
use crate::results::{Metric, Results, Spread};
use crate::verdict::{Outcome, judge};

/// The targets first, then every figure, then what is missing.
pub fn markdown(run: &Run, results: &Results) -> String {
    let mut text = heading(run);
    text += &targets(results);
    for case in results.cases() {
        text += &case_table(case, results);
    }
    for quote in &results.quotes {
        text += &format!("## `{}`\n\n```text\n{}\n```\n\n", quote.title, quote.text);
    }
    if !results.not_run.is_empty() {
        text += "## Not run\n\n| part | what | why |\n| --- | --- | --- |\n";
        for missing in &results.not_run {
            let reason = missing.reason.replace('|', "\\|").replace('\n', " ");
            text += &format!("| {} | {} | {reason} |\n", missing.case, missing.subject);
        }
        text += "\n";
    }
    text
}

fn heading(run: &Run) -> String {
    format!(
        "# Benchmarks

`{}` on commit {}; {}, Linux {}; {}; load average at the start {}; {}.

Medians of {} rounds of {} s, with the least and the most; all take turns within a round, and ratios are of the same
round. CPU is of the proxy's own processes, by `/proc`; that of *direct* is the upstream's. RSS is the peak of the
processes, summed up.

",
        run.command,
        run.commit,
        run.cpu,
        run.kernel,
        run.pinning,
        run.load_average,
        run.versions.join(", "),
        run.rounds,
        run.seconds,
    )
}

fn targets(results: &Results) -> String {
    let mut text =
        "## Targets\n\n| figure | target | measured | verdict |\n| --- | --- | --- | --- |\n"
            .to_owned();
    for verdict in judge(results) {
        let measured = match verdict.measured {
            None => "–".to_owned(),
            Some(spread) => {
                // Ratios need two decimals, bytes none.
                let decimals = if spread.max < 1_000.0 { 2 } else { 0 };
                format!("{} {}", number(spread, decimals), verdict.unit)
            }
        };
        let outcome = match verdict.outcome {
            Outcome::Met => "met",
            Outcome::NotMet => "**not met**",
            Outcome::NotRun => "not run",
        };
        text += &format!(
            "| {} | {} | {} | {outcome} |\n",
            verdict.figure,
            verdict.target,
            measured.trim_end()
        );
    }
    text + "\n"
}

/// A row for each subject, a column for each figure that any of them has.
fn case_table(case: &str, results: &Results) -> String {
    let mut metrics: Vec<Metric> = results
        .series
        .iter()
        .filter(|series| series.case == case)
        .map(|series| series.metric)
        .collect();
    metrics.sort_unstable();
    metrics.dedup();
    // A column of zeros says nothing.
    metrics.retain(|metric| *metric != Metric::Failed || any_failed(case, results));
    let caddy = Proxy::Caddy.name();
    let compares = results.spread(case, caddy, Metric::Rate).is_some();

    let mut header: Vec<&str> = vec![case];
    header.extend(metrics.iter().map(|metric| metric.label()));
    if compares {
        header.push("requests/s vs Caddy");
    }
    let mut text = format!("## {case}\n\n{}", row(header.iter()));
    text += &row(header.iter().map(|_| "---"));
    for subject in results.subjects(case) {
        let mut cells = vec![subject.to_owned()];
        for metric in &metrics {
            let spread = results.spread(case, subject, *metric);
            cells.push(spread.map_or("–".to_owned(), |spread| number(spread, metric.decimals())));
        }
        if compares {
            let ratio = results.ratio(case, Metric::Rate, subject, caddy);
            cells.push(ratio.map_or("–".to_owned(), |ratio| number(ratio, 2)));
        }
        text += &row(cells.iter());
    }
    text + "\n"
}

fn any_failed(case: &str, results: &Results) -> bool {
    results.series.iter().any(|series| {
        series.case == case
            && series.metric == Metric::Failed
            && series.samples.iter().any(|failed| *failed > 0.0)
    })
}

fn row(cells: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut text = "|".to_owned();
    for cell in cells {
        text += &format!(" {} |", cell.as_ref());
    }
    text + "\n"
}

/// `median (min–max)`, or one number where all are the same.
fn number(spread: Spread, decimals: usize) -> String {
    let show = |value: f64| format!("{value:.decimals$}");
    let (median, min, max) = (show(spread.median), show(spread.min), show(spread.max));
    if min == max {
        median
    } else {
        format!("{median} ({min}–{max})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_spread_and_the_ratio() {
        let mut results = Results::default();
        for (subject, samples) in [("ours", [150.0, 300.0]), ("Caddy", [100.0, 200.0])] {
            for sample in samples {
                results.add("small", subject, Metric::Rate, sample);
                results.add("small", subject, Metric::Failed, 0.0);
            }
        }
        assert_eq!(
            case_table("small", &results),
            "## small

| small | requests/s | requests/s vs Caddy |
| --- | --- | --- |
| ours | 225 (150–300) | 1.50 |
| Caddy | 150 (100–200) | 1.00 |

"
        );
        results.add("small", "ours", Metric::Failed, 1.0);
        assert!(case_table("small", &results).contains("| failed |"));
    }
}
