//! What Function Fetch promises of its judgement, on small worlds: the table
//! *It must show*, as far as it can be shown in seconds. The large worlds are
//! `cargo xtask simulate`'s.

use function_fetch_simulator::clock::{MINUTE, Micros, SECOND};
use function_fetch_simulator::metrics::{Bucket, Metrics};
use function_fetch_simulator::network::fault::{Fault, FaultKind};
use function_fetch_simulator::policy::{Kind, Renewal, Rule, Variant};
use function_fetch_simulator::run::{run, run_on};
use function_fetch_simulator::scenario::{Lifetime, Scenario, StoreFault, TargetModel, named};

const OURS: Kind = Kind::Ours(Variant::Default);
const P2C: Kind = Kind::P2c(Rule::InARow);
const SEED: u64 = 1;

/// Runs it under each of some policies.
fn simulate<const N: usize>(scenario: &Scenario, kinds: [Kind; N]) -> [Metrics; N] {
    let results = run(scenario, &kinds, SEED, &|_| {});
    results.try_into().expect("one for each")
}

/// The scenario of that name at a size that a test can bear.
fn small(name: &str, locations: usize) -> Scenario {
    let scenario = named(name).expect("a scenario");
    Scenario {
        locations,
        ..scenario
    }
}

/// Three targets at 40, 60 and 90 ms; the first has a fault from minute 12.5
/// to minute 22.5, of 40 minutes.
fn primary_with(kind: FaultKind) -> Scenario {
    let fault = Fault::new(kind, FROM, TO);
    Scenario {
        length: 40 * MINUTE,
        locations: 10,
        targets: vec![
            TargetModel::at_ms(40.0).with(fault),
            TargetModel::at_ms(60.0),
            TargetModel::at_ms(90.0),
        ],
        // The primary is the same everywhere.
        spread: 0.03,
        ..Scenario::default()
    }
}

const FROM: Micros = 12 * MINUTE + 30 * SECOND;
const TO: Micros = 22 * MINUTE + 30 * SECOND;
const TTL: Micros = 300 * SECOND;

/// The steps of the series in a span of time, as one.
fn span(scenario: &Scenario, metrics: &Metrics, from: Micros, to: Micros) -> Bucket {
    let range = (from / scenario.bucket) as usize..(to / scenario.bucket) as usize;
    let mut total = Bucket {
        by_target: vec![0; scenario.targets.len()],
        ..Bucket::default()
    };
    for bucket in &metrics.buckets[range] {
        total.merge(bucket);
    }
    total
}

fn location_hours(scenario: &Scenario) -> f64 {
    scenario.locations as f64 * scenario.length as f64 / (60 * MINUTE) as f64
}

/// How many µs a policy's requests lost against the oracle's in a span.
fn excess(scenario: &Scenario, of: &Metrics, oracle: &Metrics, from: Micros, to: Micros) -> f64 {
    let [ours, best] = [of, oracle].map(|metrics| span(scenario, metrics, from, to).mean_ms());
    ours - best
}

#[test]
fn steady_noise_does_not_flap() {
    let scenario = small("steady", 10);
    let [ours, oracle] = simulate(&scenario, [OURS, Kind::Oracle]);
    let changes = ours.first_choice_changes as f64 / location_hours(&scenario);
    let over = ours.mean_ms() / oracle.mean_ms() - 1.0;
    assert!(over <= 0.03, "{:.1} % over the oracle", over * 100.0);
    assert!(changes <= 1.0, "{changes} switches per location and hour");
}

#[test]
fn a_refusing_primary_fails_no_get_and_costs_an_instance_one_attempt() {
    let scenario = primary_with(FaultKind::Refuse);
    let [ours] = simulate(&scenario, [OURS]);
    assert_eq!(ours.failed_gets, 0);
    // Requests that were under way together can all meet it: at ten a second
    // and a round trip of 40 ms that is one more now and then.
    let most = ours.dead_attempts_of_an_instance;
    assert!(most <= 3, "{most} attempts of one instance");
    let of_all = ours.dead_attempts as f64 / scenario.locations as f64;
    assert!(of_all <= 3.0, "{of_all} attempts per location");
}

#[test]
fn a_hanging_primary_fails_no_get_and_is_skipped_within_a_second() {
    let scenario = primary_with(FaultKind::Hang);
    let [ours] = simulate(&scenario, [OURS]);
    assert_eq!(ours.failed_gets, 0);
    let dead = ours.dead_attempts as f64 / scenario.locations as f64;
    // Nothing tells a hang from a slow answer but time: ten requests a second.
    assert!(dead <= 12.0, "{dead} attempts per location");
    let slow = ours.slowest_get as f64 / 1e6;
    assert!(slow < 10.0, "a GET took {slow:.1} s");
}

#[test]
fn a_recovered_primary_is_back_within_two_backoffs() {
    // Down for five seconds: the backoff is at 4 s then, and doubles to 8.
    let mut scenario = primary_with(FaultKind::Refuse);
    scenario.targets[0].faults = vec![Fault::new(FaultKind::Refuse, FROM, FROM + 5 * SECOND)];
    let [ours] = simulate(&scenario, [OURS]);
    let back = FROM + (5 + 2 * 8) * SECOND;
    let after = span(
        &scenario,
        &ours,
        back.next_multiple_of(scenario.bucket),
        back + MINUTE,
    );
    assert!(after.share(0) > 0.95, "{:.2} are back", after.share(0));
}

#[test]
fn a_long_dead_primary_is_back_within_two_ttls() {
    // After ten minutes the backoff is at its longest, five minutes.
    let scenario = primary_with(FaultKind::Refuse);
    let [ours] = simulate(&scenario, [OURS]);
    let after = span(&scenario, &ours, TO + 2 * TTL, TO + 2 * TTL + MINUTE);
    assert!(after.share(0) > 0.95, "{:.2} are back", after.share(0));
}

#[test]
fn half_of_a_brown_out_is_gone_within_one_refresh() {
    let scenario = primary_with(FaultKind::Slow(10.0));
    let [ours, oracle, fixed] = simulate(&scenario, [OURS, Kind::Oracle, Kind::StaticOrder]);
    // Drift is to be seen within seconds, its refresh within ten more.
    let (from, to) = (FROM + 30 * SECOND, FROM + 60 * SECOND);
    let all = excess(&scenario, &fixed, &oracle, from, to);
    let left = excess(&scenario, &ours, &oracle, from, to);
    assert!(left <= all / 2.0, "{left:.0} of {all:.0} ms are left");
}

#[test]
fn a_brown_out_is_left_and_returned_from_within_one_ttl() {
    let scenario = primary_with(FaultKind::Slow(10.0));
    let [ours, oracle] = simulate(&scenario, [OURS, Kind::Oracle]);
    let left = excess(&scenario, &ours, &oracle, FROM + TTL, TO);
    assert!(left < 3.0, "{left:.1} ms are left a TTL after it began");
    let left = excess(&scenario, &ours, &oracle, TO + TTL, TO + 2 * TTL);
    assert!(left < 3.0, "{left:.1} ms are left a TTL after it ended");
}

#[test]
fn a_fast_failing_target_never_becomes_primary() {
    let scenario = Scenario {
        length: 30 * MINUTE,
        ..small("fast-fail", 10)
    };
    let [ours] = simulate(&scenario, [OURS]);
    assert_eq!((ours.failed_gets, ours.failed_posts), (0, 0));
    // Not once, at a cold start neither.
    assert_eq!(ours.first_by_target[2], 0, "{:?}", ours.first_by_target);
}

#[test]
fn flapping_switches_a_tenth_of_cache_the_fastest_and_fails_no_get() {
    let scenario = small("flapping", 10);
    let cache = Kind::CacheTheFastest(Renewal::Always);
    let [ours, cache] = simulate(&scenario, [OURS, cache]);
    assert_eq!(ours.failed_gets, 0);
    let (ours, theirs) = (ours.switches, cache.switches);
    assert!(ours * 10 < theirs, "{ours} against {theirs}");
}

/// All 300 locations, for a quarter of an hour: with fewer the targets would
/// have few servers each, and with few servers nothing but a look at each queue
/// for each request keeps them from idling beside one another.
fn short_herd() -> Scenario {
    Scenario {
        length: 16 * MINUTE,
        bucket: MINUTE,
        ..small("herd", 300)
    }
}

/// By how much a target's share swings within ten minutes, after the first
/// TTL: in points.
fn swing(scenario: &Scenario, metrics: &Metrics) -> f64 {
    let window = (10 * MINUTE / scenario.bucket) as usize;
    let after = &metrics.buckets[(TTL / scenario.bucket) as usize..];
    let mut most: f64 = 0.0;
    for target in 0..scenario.targets.len() {
        for steps in after.windows(window) {
            let shares = || steps.iter().map(|bucket| 100.0 * bucket.share(target));
            let (low, high) = (shares().fold(100.0, f64::min), shares().fold(0.0, f64::max));
            most = most.max(high - low);
        }
    }
    most
}

#[test]
fn a_herd_does_not_oscillate() {
    let scenario = short_herd();
    let cache = Kind::CacheTheFastest(Renewal::Always);
    let [ours, cache, url_test] = simulate(&scenario, [OURS, cache, Kind::UrlTest]);
    let swing = swing(&scenario, &ours);
    assert_eq!(ours.failed_gets, 0);
    let p99 = ours.quantile_ms(0.99);
    assert!(p99 < cache.quantile_ms(0.99), "cache-the-fastest");
    assert!(p99 < url_test.quantile_ms(0.99), "url-test");
    assert!(swing <= 20.0, "a share swings by {swing:.0} points");
}

#[test]
fn a_spread_herd_is_as_good_as_p2c() {
    let scenario = short_herd();
    let [spread, p2c] = simulate(&scenario, [Kind::Ours(Variant::Spread), P2C]);
    let mean = spread.mean_ms() / p2c.mean_ms();
    let p99 = spread.quantile_ms(0.99) / p2c.quantile_ms(0.99);
    assert!(
        mean <= 1.1 && p99 <= 1.1,
        "{mean:.2} × mean, {p99:.2} × p99"
    );
    let swing = swing(&scenario, &spread);
    assert!(swing <= 20.0, "a share swings by {swing:.0} points");
}

#[test]
fn a_store_outage_changes_nothing_but_starts() {
    // The best refuses for a while within the outage.
    let mut scenario = primary_with(FaultKind::Refuse);
    scenario.instances = Lifetime::Long;
    let [with] = simulate(&scenario, [OURS]);
    for fault in [StoreFault::Fails, StoreFault::Hangs] {
        scenario.store.outages = vec![(10 * MINUTE, 30 * MINUTE, fault)];
        let [without] = simulate(&scenario, [OURS]);
        assert_eq!(without.failed_gets, 0);
        for minute in 0..40 {
            let [a, b] = [&with, &without]
                .map(|metrics| span(&scenario, metrics, minute * MINUTE, (minute + 1) * MINUTE));
            for target in 0..3 {
                let (a, b) = (a.share(target), b.share(target));
                assert!(
                    (a - b).abs() < 0.15,
                    "minute {minute}, {fault:?}: {a:.2}, {b:.2}"
                );
            }
        }
        let slower = without.mean_ms() / with.mean_ms();
        assert!(slower < 1.02, "{slower:.3} times as slow");
    }
}

#[test]
fn a_store_outage_costs_short_instances_their_starts_alone() {
    let mut scenario = Scenario {
        length: 40 * MINUTE,
        locations: 10,
        ..Scenario::default()
    };
    let [with] = simulate(&scenario, [OURS]);
    scenario.store.outages = vec![(10 * MINUTE, 30 * MINUTE, StoreFault::Hangs)];
    let [without] = simulate(&scenario, [OURS]);
    assert_eq!((without.failed_gets, without.failed_posts), (0, 0));
    // Of 128 requests the first waits for the store's time-out and a probe, and
    // those with it that arrive meanwhile.
    let median = without.quantile_ms(0.5) / with.quantile_ms(0.5);
    assert!(median < 1.03, "{median:.3} × the median");
    let slow = without.quantile_ms(0.9) / with.quantile_ms(0.9);
    assert!(slow < 1.1, "{slow:.3} × the 90th percentile");
}

#[test]
fn probes_and_store_writes_stay_few() {
    let mut scenario = Scenario {
        length: 2 * 60 * MINUTE,
        ..small("day", 8)
    };
    // Writes are bounded outside incidents.
    for target in &mut scenario.targets {
        target.faults.clear();
    }
    let [ours] = simulate(&scenario, [OURS]);
    let probes = ours.probes as f64 / ours.requests as f64;
    assert!(probes <= 0.005, "{:.2} % of requests", probes * 100.0);
    let half_ttls = location_hours(&scenario) * 24.0;
    let writes = ours.store_writes as f64 / half_ttls;
    assert!(
        writes <= 1.0,
        "{writes:.2} writes per location and half TTL"
    );
}

#[test]
fn the_same_seed_gives_the_same_figures_on_any_number_of_threads() {
    let scenario = Scenario {
        length: 10 * MINUTE,
        locations: 4,
        ..primary_with(FaultKind::Slow(10.0))
    };
    let fingerprint = |metrics: &Metrics| {
        let series: Vec<_> = metrics
            .buckets
            .iter()
            .map(|b| (b.latency, b.probes))
            .collect();
        (
            metrics.latency_sum,
            metrics.attempts,
            metrics.switches,
            series,
        )
    };
    let [first, again] =
        [1, 3].map(|threads| run_on(threads, &scenario, &[OURS, P2C], SEED, &|_| {}));
    for (first, again) in first.iter().zip(&again) {
        assert_eq!(fingerprint(first), fingerprint(again));
    }
    let other = run(&scenario, &[OURS], SEED + 1, &|_| {});
    assert_ne!(fingerprint(&first[0]), fingerprint(&other[0]));
}
