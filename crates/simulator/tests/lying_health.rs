//! The worlds whose health path lies: what is counted in them, and that the
//! policies that judge by live answers find what they are made to find.

use function_fetch_simulator::metrics::Metrics;
use function_fetch_simulator::metrics::trouble::{Phase, Trouble};
use function_fetch_simulator::policy::{Kind, Renewal, Rule, Variant};
use function_fetch_simulator::run::run;
use function_fetch_simulator::scenario::{Scenario, all, named};

const OUTLIER: Kind = Kind::OutlierDetection;
const P2C: Kind = Kind::P2c(Rule::InARow);
const ACCRUAL: Kind = Kind::P2c(Rule::InARowOrRate);

fn small(name: &str) -> Scenario {
    Scenario {
        locations: 4,
        ..named(name).expect("a scenario")
    }
}

fn simulate<const N: usize>(scenario: &Scenario, kinds: [Kind; N]) -> [Metrics; N] {
    let results = run(scenario, &kinds, 1, &|_| {});
    results.try_into().expect("one for each")
}

fn trouble(metrics: &Metrics) -> &Trouble {
    metrics.trouble.as_ref().expect("a time of trouble")
}

/// Of the POSTs after the first minute, how many saw an error.
fn late_post_errors(metrics: &Metrics) -> f64 {
    let later = trouble(metrics).phase(Phase::Later);
    later.failed_posts as f64 / later.posts as f64
}

#[test]
fn the_oracle_fails_no_get_and_makes_no_mistake_in_any_of_them() {
    let worlds = all();
    let worlds: Vec<_> = worlds.iter().filter(|s| s.trouble.is_some()).collect();
    assert_eq!(worlds.len(), 9);
    for world in worlds {
        let [oracle] = simulate(&small(world.name), [Kind::Oracle]);
        let of = trouble(&oracle);
        let mistakes = (oracle.failed_gets, of.wrong_switches);
        assert_eq!(mistakes, (0, 0), "{}", world.name);
        // What was under way when a target began to hang must not be sent again.
        assert!(oracle.failed_posts <= 4, "{}", world.name);
        assert_eq!(of.first_choices, oracle.requests, "{}", world.name);
    }
}

#[test]
fn who_trusts_probes_alone_stays_with_a_target_that_lies() {
    let [url_test] = simulate(&small("lying-health-500"), [Kind::UrlTest]);
    let errors = late_post_errors(&url_test);
    assert!(errors > 0.2, "{errors}");
}

#[test]
fn outlier_detection_ejects_a_target_of_500s_and_lets_it_back_now_and_then() {
    let [outlier, robin] = simulate(&small("lying-health-500"), [OUTLIER, Kind::RoundRobin]);
    let of = trouble(&outlier);
    // 30 s, 60 s, 90 s … up to 300 s, in each of four locations.
    assert!((20..=48).contains(&of.ejections), "{}", of.ejections);
    assert_eq!(outlier.failed_gets, 0);
    let first = of.phase(Phase::FirstSeconds);
    assert!(first.failed_posts > 0, "POSTs tell it, too");
    assert!(late_post_errors(&outlier) < 0.01);
    assert!(trouble(&robin).ejections > 10 * of.ejections);
}

#[test]
fn failures_in_a_row_are_blind_to_a_share_of_errors_and_a_rate_is_not() {
    let [outlier, p2c, accrual] = simulate(&small("lying-health-503"), [OUTLIER, P2C, ACCRUAL]);
    let [outlier_errors, p2c_errors, accrual_errors] =
        [&outlier, &p2c, &accrual].map(late_post_errors);
    // Three hosts are too few for outlier detection to compare rates.
    assert!(outlier_errors > 0.05, "{outlier_errors}");
    let of = |metrics| trouble(metrics).ejections;
    assert!(of(&accrual) > 3 * of(&p2c), "{}", of(&accrual));
    // One good answer brings a target back, and of these seven in ten are good.
    assert!(accrual_errors < 0.9 * p2c_errors, "{accrual_errors}");
    assert!(accrual_errors > 0.05, "{accrual_errors}");
}

#[test]
fn errors_count_and_slowness_does_not_for_those_that_eject() {
    let [outlier, accrual] = simulate(&small("lying-health-slow"), [OUTLIER, ACCRUAL]);
    assert_eq!(trouble(&outlier).ejections, 0);
    assert_eq!(trouble(&accrual).ejections, 0);
    let p99 = |metrics: &Metrics| {
        let latency = &trouble(metrics).phase(Phase::Later).get_latency;
        latency.value_at_quantile(0.99)
    };
    // Peak EWMA avoids it; turns do not.
    assert!(p99(&outlier) > 2 * p99(&accrual));
}

#[test]
fn nobody_ejects_anything_where_nothing_is_wrong() {
    for name in ["lying-health-control", "lying-health-control-reports"] {
        let kinds = [OUTLIER, ACCRUAL, Kind::CacheTheFastest(Renewal::Never)];
        for metrics in simulate(&small(name), kinds) {
            assert_eq!(trouble(&metrics).ejections, 0, "{name}");
            assert_eq!(
                (metrics.failed_gets, metrics.failed_posts),
                (0, 0),
                "{name}"
            );
        }
    }
}

#[test]
fn a_client_of_a_broken_endpoint_is_served_and_not_counted() {
    let with = small("lying-health-one-endpoint-500");
    let without = Scenario {
        guests: None,
        ..with.clone()
    };
    let kinds = [Kind::StaticOrder, Kind::RoundRobin];
    let [fixed, robin] = simulate(&with, kinds);
    let [alone, calm] = simulate(&without, kinds);
    assert_eq!(fixed.requests, alone.requests);
    // All draw from one stream of noise, so a handshake may time out in one of
    // the two; the client's own requests are 9600, of three attempts each.
    assert!(fixed.attempts.abs_diff(alone.attempts) < 10);
    assert_eq!((fixed.failed_gets, fixed.failed_posts), (0, 0));
    // It makes round robin leave out all targets of all locations.
    assert_eq!(trouble(&calm).ejections, 0);
    assert!(trouble(&robin).ejections >= 12);
}

#[test]
fn a_client_of_an_endpoint_that_hangs_costs_others_nothing_by_itself() {
    let with = small("lying-health-one-endpoint-hang");
    let [fixed] = simulate(&with, [Kind::StaticOrder]);
    let p99 = |phase| {
        let latency = &trouble(&fixed).phase(phase).get_latency;
        latency.value_at_quantile(0.99) as f64
    };
    let slower = p99(Phase::Later) / p99(Phase::Before);
    assert!((0.97..1.03).contains(&slower), "{slower:.3} times as slow");
}

#[test]
fn the_guests_of_a_control_are_counted() {
    let with = small("lying-health-control-reports");
    let without = Scenario {
        guests: None,
        ..with.clone()
    };
    let [more] = simulate(&with, [Kind::StaticOrder]);
    let [usual] = simulate(&without, [Kind::StaticOrder]);
    // Five a second for twenty minutes in four locations.
    let guests = more.requests - usual.requests;
    assert!((23_500..24_500).contains(&guests), "{guests}");
}

#[test]
fn ours_is_told_by_the_same_figures() {
    let [ours] = simulate(&small("lying-health-500"), [Kind::Ours(Variant::Default)]);
    let of = trouble(&ours);
    let phases = [
        Phase::Before,
        Phase::FirstSeconds,
        Phase::FirstMinute,
        Phase::Later,
        Phase::After,
    ];
    let counts = || phases.iter().map(|phase| of.phase(*phase));
    let gets: u64 = counts().map(|counts| counts.gets).sum();
    let errors: u64 = counts().map(|counts| counts.failed_gets).sum();
    let posts: u64 = counts().map(|counts| counts.posts).sum();
    assert_eq!((gets, gets + posts), (ours.gets, ours.requests));
    assert_eq!(errors, ours.failed_gets);
    assert_eq!(of.phase(Phase::Before).failed_gets, 0);
}
