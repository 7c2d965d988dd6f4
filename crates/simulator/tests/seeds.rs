//! Reports of one seed and of several.

use function_fetch_simulator::clock::{MINUTE, SECOND};
use function_fetch_simulator::policy::{Kind, Variant};
use function_fetch_simulator::report::{Origin, Results, table};
use function_fetch_simulator::run::run;
use function_fetch_simulator::scenario::Scenario;

fn results(seed: u64) -> Results {
    let scenario = Scenario {
        length: 4 * MINUTE,
        locations: 2,
        trouble: Some((MINUTE, 3 * MINUTE)),
        bucket: 5 * SECOND,
        ..Scenario::default()
    };
    let kinds = vec![Kind::Ours(Variant::Default), Kind::Oracle];
    Results {
        metrics: run(&scenario, &kinds, seed, &|_| {}),
        reduction: None,
        scenario,
        kinds,
    }
}

fn origin(seeds: u64) -> Origin {
    Origin {
        seed: 1,
        seeds,
        command: "cargo xtask simulate".to_owned(),
        options: String::new(),
    }
}

/// The cells of the oracle's row in the table with this column.
fn oracle(page: &str, column: &str) -> Vec<String> {
    let table = page
        .split("| policy |")
        .find(|table| table.contains(column));
    let row = table.and_then(|table| table.lines().find(|row| row.starts_with("| oracle")));
    let row = row.expect("the oracle's row");
    row.trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

#[test]
fn one_seed_is_told_in_plain_figures() {
    let page = table::markdown(&[vec![results(1)]], &origin(1));
    assert!(page.contains("(seed 1). The same command"), "{page}");
    for column in ["| p99 |", "ejections"] {
        let row = oracle(&page, column);
        assert!(row.iter().all(|cell| !cell.contains('(')), "{row:?}");
    }
    let json = table::json(&[vec![results(1)]], &origin(1));
    assert!(
        json["scenarios"][0]["policies"][0]
            .get("figures_by_seed")
            .is_none()
    );
}

#[test]
fn several_seeds_are_told_by_the_median_and_the_worst_of_each_figure() {
    let seeds = || vec![vec![results(1), results(2), results(3)]];
    let page = table::markdown(&seeds(), &origin(3));
    assert!(page.contains("(seeds 1 to 3)"), "{page}");
    for column in ["| p99 |", "ejections"] {
        for cell in &oracle(&page, column)[1..] {
            let bare = cell.is_empty() || cell.split(" / ").any(|part| !part.ends_with(')'));
            assert!(cell.is_empty() || !bare, "{cell}");
        }
    }
    let mut means: Vec<f64> = seeds()[0]
        .iter()
        .map(|one| one.metrics[1].mean_ms())
        .collect();
    means.sort_by(f64::total_cmp);
    let wanted = format!("{:.1} ({:.1})", means[1], means[2]);
    assert_eq!(oracle(&page, "| p99 |")[2], wanted);
    assert_ne!(means[0], means[2]);
    let json = table::json(&seeds(), &origin(3));
    let by_seed = &json["scenarios"][0]["policies"][1]["figures_by_seed"];
    assert_eq!(by_seed.as_array().map(Vec::len), Some(3));
}
