//! What Function Fetch promises where a target's health path is not the truth: the bounds of the table in
//! `docs/decisions.md`, for the worst of a few seeds. The page has ten, of twice the locations.

use function_fetch_simulator::clock::{Micros, SECOND};
use function_fetch_simulator::metrics::Metrics;
use function_fetch_simulator::metrics::trouble::{Phase, Trouble};
use function_fetch_simulator::policy::{Kind, Variant};
use function_fetch_simulator::run::run;
use function_fetch_simulator::scenario::{Scenario, named};

const SEEDS: std::ops::Range<u64> = 1..5;

/// Ours and the oracle in a world, with one seed after the other.
fn each_seed(name: &str, check: impl Fn(u64, &Scenario, &Metrics, &Metrics)) {
    let scenario = Scenario {
        locations: 10,
        ..named(name).expect("a scenario")
    };
    for seed in SEEDS {
        let kinds = [Kind::Ours(Variant::Default), Kind::Oracle];
        let results = run(&scenario, &kinds, seed, &|_| {});
        check(seed, &scenario, &results[0], &results[1]);
    }
}

fn trouble(metrics: &Metrics) -> &Trouble {
    metrics.trouble.as_ref().expect("a time of trouble")
}

fn p99_ms(metrics: &Metrics, phase: Phase) -> f64 {
    let latency = &trouble(metrics).phase(phase).get_latency;
    latency.value_at_quantile(0.99) as f64 / 1e3
}

/// How much longer requests took than the oracle's from then on, as a share of the oracle's.
fn excess(scenario: &Scenario, ours: &Metrics, oracle: &Metrics, from: Micros) -> f64 {
    let (began, ended) = scenario.trouble.expect("a time of trouble");
    let steps = ((began + from) / scenario.bucket) as usize..(ended / scenario.bucket) as usize;
    let mean = |metrics: &Metrics| {
        let steps = &metrics.buckets[steps.clone()];
        let latency: u64 = steps.iter().map(|step| step.latency).sum();
        latency as f64 / steps.iter().map(|step| step.requests).sum::<u64>() as f64
    };
    mean(ours) / mean(oracle) - 1.0
}

#[test]
fn no_get_and_after_ten_seconds_no_post_sees_a_target_that_always_fails() {
    for name in ["lying-health-500", "lying-health-429"] {
        each_seed(name, |seed, _, ours, _| {
            assert_eq!(ours.failed_gets, 0, "{name}, seed {seed}");
            for phase in [Phase::FirstMinute, Phase::Later, Phase::After] {
                let failed = trouble(ours).phase(phase).failed_posts;
                assert!(failed <= 1, "{name}, seed {seed}: {failed} {phase:?}");
            }
            let first = trouble(ours).phase(Phase::FirstSeconds).failed_posts;
            assert!(first <= 20, "{name}, seed {seed}: {first}");
        });
    }
}

#[test]
fn a_target_that_fails_three_in_ten_is_kept_out() {
    each_seed("lying-health-503", |seed, _, ours, _| {
        assert_eq!(ours.failed_gets, 0, "seed {seed}");
        let late = [Phase::FirstMinute, Phase::Later].map(|phase| trouble(ours).phase(phase));
        let posts: u64 = late.iter().map(|counts| counts.posts).sum();
        let failed: u64 = late.iter().map(|counts| counts.failed_posts).sum();
        assert!(failed * 50 < posts, "seed {seed}: {failed} of {posts}");
    });
}

#[test]
fn a_target_that_is_slow_for_requests_alone_is_left_within_a_minute_for_good() {
    each_seed("lying-health-slow", |seed, scenario, ours, oracle| {
        let left = excess(scenario, ours, oracle, 60 * SECOND);
        assert!(left <= 0.05, "seed {seed}: {left:.3} over the oracle");
        let p99 = p99_ms(ours, Phase::Later);
        assert!(
            p99 <= 1.1 * p99_ms(oracle, Phase::Later),
            "seed {seed}: {p99}"
        );
        let back = trouble(ours).switches;
        assert!(back <= 3 * 10, "seed {seed}: it flaps, {back} switches");
    });
}

#[test]
fn no_get_waits_long_for_a_target_that_hangs_for_requests_alone() {
    each_seed("lying-health-hang", |seed, scenario, ours, oracle| {
        assert_eq!(ours.failed_gets, 0, "seed {seed}");
        let p99 = p99_ms(ours, Phase::Later);
        assert!(p99 <= 2_000.0, "seed {seed}: {p99}");
        let left = excess(scenario, ours, oracle, 60 * SECOND);
        assert!(left <= 0.05, "seed {seed}: {left:.3} over the oracle");
    });
}

#[test]
fn a_client_that_hammers_a_broken_endpoint_ejects_nobody() {
    for name in [
        "lying-health-one-endpoint-500",
        "lying-health-one-endpoint-hang",
    ] {
        each_seed(name, |seed, _, ours, oracle| {
            assert_eq!(trouble(ours).ejections, 0, "{name}, seed {seed}");
            let slower = p99_ms(ours, Phase::Later) / p99_ms(oracle, Phase::Later);
            assert!(slower < 1.03, "{name}, seed {seed}: {slower:.3} times");
            assert_eq!(ours.failed_gets, 0, "{name}, seed {seed}");
        });
    }
}

#[test]
fn a_mixture_of_endpoints_costs_no_switch_and_hardly_a_trial() {
    each_seed("lying-health-control", |seed, _, ours, oracle| {
        let of = trouble(ours);
        assert_eq!((of.wrong_switches, of.ejections), (0, 0), "seed {seed}");
        let trials = of.trials as f64 / of.first_choices as f64;
        assert!(trials <= 0.005, "seed {seed}: {trials}");
        let over = ours.mean_ms() / oracle.mean_ms() - 1.0;
        assert!(over <= 0.02, "seed {seed}: {over}");
    });
}
