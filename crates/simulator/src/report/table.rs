//! Results as Markdown and JSON.

use crate::clock::{HOUR, SECOND};
use crate::policy::{Kind, Variant};
use crate::report::summary::Summary;
use crate::report::trouble::TroubleFigures;
use crate::report::{Origin, Results, figures};
use serde_json::{Value, json};
use std::fmt::Write;

/// All results, of each scenario those of all seeds, as one Markdown page.
#[must_use]
pub fn markdown(all: &[Vec<Results>], origin: &Origin) -> String {
    let seeds = match origin.seeds {
        1 => format!("seed {}", origin.seed),
        count => format!(
            "seeds {} to {}",
            origin.seed,
            origin.seed.wrapping_add(count - 1)
        ),
    };
    let mut page = format!(
        "# Simulation\n\nMade by `{}` ({seeds}). The same command gives the same figures.\n",
        origin.command
    );
    if origin.seeds > 1 {
        page.push_str("Each figure is the median of the seeds, with the worst in brackets.\n");
    }
    for seeds in all {
        let results = &seeds[0];
        let scenario = &results.scenario;
        let _ = write!(
            page,
            "\n## {}\n\n{}.\n\n{} locations × {} targets, {:.2} h at {} requests/s each",
            scenario.name,
            scenario.about,
            scenario.locations,
            scenario.targets.len(),
            scenario.length as f64 / HOUR as f64,
            scenario.rate,
        );
        if let Some(reduction) = &results.reduction {
            let _ = write!(page, " — **reduced: {reduction}**");
        }
        page.push_str(".\n\n");
        let summaries = summaries(seeds);
        match &summaries[..] {
            [one] => {
                table(&mut page, one);
                trouble(&mut page, &summaries);
                verdict(&mut page, results);
            }
            _ => {
                figures::table(&mut page, &figures::USUAL, &rows(&summaries));
                trouble(&mut page, &summaries);
            }
        }
        for plot in ["latency", "share", "errors", "probes"] {
            let _ = write!(page, "\n![{plot} over time]({}-{plot}.svg)", scenario.name);
        }
        page.push('\n');
    }
    page
}

/// Seed by seed, the figures of each policy.
fn summaries(seeds: &[Results]) -> Vec<Vec<Summary>> {
    let of = |results: &Results| {
        let places = 0..results.kinds.len();
        places.map(|place| Summary::new(results, place)).collect()
    };
    seeds.iter().map(of).collect()
}

/// Policy by policy, the figures of each seed.
fn rows(seeds: &[Vec<Summary>]) -> Vec<(&'static str, Vec<&Summary>)> {
    (0..seeds[0].len())
        .map(|place| {
            let row = seeds.iter().map(|summaries| &summaries[place]).collect();
            (seeds[0][place].policy, row)
        })
        .collect()
}

/// The table of a time of trouble, where there is one.
fn trouble(page: &mut String, seeds: &[Vec<Summary>]) {
    let rows: Vec<(&str, Vec<&TroubleFigures>)> = rows(seeds)
        .into_iter()
        .map(|(policy, row)| {
            (
                policy,
                row.iter().filter_map(|s| s.trouble.as_ref()).collect(),
            )
        })
        .filter(|(_, row): &(_, Vec<_>)| !row.is_empty())
        .collect();
    if !rows.is_empty() {
        page.push('\n');
        figures::table(page, &figures::TROUBLE, &rows);
    }
}

fn table(page: &mut String, summaries: &[Summary]) {
    page.push_str(
        "| policy | failed GET / POST | mean | over oracle | p50 | p90 | p99 | max ms | attempts / request \
         | switches / location·h | probes | store reads / writes per location and half TTL | settled after |\n\
         | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --- |\n",
    );
    for s in summaries {
        let excess = s
            .excess_percent
            .map_or_else(String::new, |excess| format!("{excess:+.1} %"));
        let _ = writeln!(
            page,
            "| {} | {} / {} | {:.1} | {} | {:.1} | {:.1} | {:.1} | {:.0} | {:.3} | {:.1} | {:.2} % | {:.1} / {:.1} | {} |",
            s.policy,
            s.failed_gets,
            s.failed_posts,
            s.mean_ms,
            excess,
            s.p50_ms,
            s.p90_ms,
            s.p99_ms,
            s.max_ms,
            s.attempts_per_request,
            s.switches_per_location_hour,
            s.probes_percent_of_requests,
            s.store_reads_per_location_half_ttl,
            s.store_writes_per_location_half_ttl,
            settled(&s.settled_s),
        );
    }
}

/// Whether the contract's line on the 99th percentile holds: ours at or below
/// every other policy's but the oracle's.
fn verdict(page: &mut String, results: &Results) {
    let p99 = |kind: Kind| results.of(kind).map(|metrics| metrics.quantile_ms(0.99));
    let others = results
        .kinds
        .iter()
        .copied()
        .filter(|kind| !matches!(kind, Kind::Ours(_) | Kind::Oracle));
    let best = others
        .filter_map(|kind| Some((p99(kind)?, kind)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(ours), Some((theirs, kind))) = (p99(Kind::Ours(Variant::Default)), best) else {
        return;
    };
    let word = match ours / theirs - 1.0 {
        over if over <= 0.0 => "ours is the best".to_owned(),
        over => format!("ours is {:.1} % above {}", over * 100.0, kind.name()),
    };
    let _ = write!(
        page,
        "\np99: {word} ({ours:.1} ms; the best other but the oracle is {} with {theirs:.1} ms).\n",
        kind.name(),
    );
}

/// Of short lists only: a day has too many incidents for a cell.
fn settled(times: &[(f64, Option<f64>)]) -> String {
    if times.len() > 4 {
        return String::new();
    }
    let words: Vec<String> = times
        .iter()
        .map(|(_, took)| took.map_or_else(|| "never".to_owned(), |s| format!("{s:.0} s")))
        .collect();
    words.join(", ")
}

/// All results as JSON: figures and series.
#[must_use]
pub fn json(all: &[Vec<Results>], origin: &Origin) -> Value {
    let scenarios: Vec<Value> = all.iter().map(|seeds| scenario(seeds)).collect();
    let mut page =
        json!({ "seed": origin.seed, "command": origin.command, "scenarios": scenarios });
    if origin.seeds > 1 {
        page["seeds"] = origin.seeds.into();
    }
    page
}

/// Step by step, how much slower than the oracle's requests, ms.
fn excess(results: &Results, place: usize) -> Option<Vec<f64>> {
    let ours = &results.metrics[place].buckets;
    let oracle = &results.of(Kind::Oracle)?.buckets;
    let steps = ours.iter().zip(oracle);
    Some(
        steps
            .map(|(ours, oracle)| ((ours.mean_ms() - oracle.mean_ms()) * 100.0).round() / 100.0)
            .collect(),
    )
}

/// A scenario's figures and series: those of the first seed, and of the others
/// beside them.
fn scenario(seeds: &[Results]) -> Value {
    let results = &seeds[0];
    let scenario = &results.scenario;
    let mut policies: Vec<Value> = (0..results.kinds.len())
        .map(|place| {
            let buckets = &results.metrics[place].buckets;
            json!({
                "figures": Summary::new(results, place),
                "series": {
                    "excess_ms": excess(results, place),
                    "mean_ms": buckets.iter().map(|b| (b.mean_ms() * 100.0).round() / 100.0).collect::<Vec<_>>(),
                    "requests": buckets.iter().map(|b| b.requests).collect::<Vec<_>>(),
                    "failed": buckets.iter().map(|b| b.failed).collect::<Vec<_>>(),
                    "attempts": buckets.iter().map(|b| b.attempts).collect::<Vec<_>>(),
                    "probes": buckets.iter().map(|b| b.probes).collect::<Vec<_>>(),
                    "by_target": buckets.iter().map(|b| &b.by_target).collect::<Vec<_>>(),
                },
            })
        })
        .collect();
    if seeds.len() > 1 {
        for (place, policy) in policies.iter_mut().enumerate() {
            let of = |results| json!(Summary::new(results, place));
            policy["figures_by_seed"] = seeds.iter().map(of).collect();
        }
    }
    json!({
        "name": scenario.name,
        "about": scenario.about,
        "reduced": results.reduction,
        "locations": scenario.locations,
        "targets": scenario.targets.len(),
        "hours": scenario.length as f64 / HOUR as f64,
        "requests_per_second_and_location": scenario.rate,
        "step_seconds": scenario.bucket as f64 / SECOND as f64,
        "policies": policies,
    })
}
