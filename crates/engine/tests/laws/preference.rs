//! Section 3: tiers and weights.

use crate::talk::{Talk, attempt, failed, probe, target};
use function_fetch_engine::{Action, ChangeReason, Failure, Millis, Notice, ProbeOutcome, Step};
use proptest::prelude::*;

/// `FETCH_TARGETS` with these tiers.
fn tiers(tiers: &[u8]) -> String {
    let entry = |(index, tier)| format!(r#"{{"url": "http://t{index}.test", "tier": {tier}}}"#);
    let entries: Vec<String> = tiers.iter().enumerate().map(entry).collect();
    format!("[{}]", entries.join(","))
}

/// The first target is a fast one of the second tier; the others are slow ones of
/// the first.
const LATENCIES: [Option<f64>; 3] = [Some(1.0), Some(60.0), Some(300.0)];

fn warm(settings: &[(&str, &str)]) -> Talk {
    let targets = tiers(&[2, 1, 1]);
    let mut talk = Talk::new(&[settings, &[("FETCH_TARGETS", targets.as_str())]].concat());
    talk.measure(&LATENCIES);
    talk.notices();
    talk
}

/// With `FETCH_SPREAD`, as an instance with these random numbers.
fn spreading(seed: u64) -> Talk {
    let mut talk = Talk::new(&[("FETCH_SPREAD", "true")]);
    talk.reseed(seed);
    talk
}

/// A GET to targets that refuse, until one does not: where it ends.
fn served(talk: &mut Talk, is_alive: impl Fn(usize) -> bool) -> usize {
    let step = talk.begin("GET");
    ends(talk, step, is_alive)
}

fn ends(talk: &mut Talk, mut step: Step, is_alive: impl Fn(usize) -> bool) -> usize {
    while let Action::Send(attempt) = step.action {
        if is_alive(attempt.target) {
            talk.status(&step, 200);
            return attempt.target;
        }
        step = talk.fails(&step, Failure::ConnectionRefused);
    }
    panic!("{:?}", step.action)
}

#[test]
fn the_tier_decides_before_the_latency() {
    let mut talk = warm(&[]);
    let mut step = talk.begin("GET");
    let mut order = vec![target(&step)];
    for _ in 0..2 {
        step = talk.fails(&step, Failure::ConnectionRefused);
        order.push(target(&step));
    }
    assert_eq!(order, [1, 2, 0]);
}

#[test]
fn on_a_cold_start_no_lower_tier_takes_the_place_of_one_that_is_not_measured_yet() {
    let mut talk = Talk::new(&[("FETCH_TARGETS", &tiers(&[2, 1, 1]))]);
    talk.begin("GET");
    let round = talk.engine.start_round(talk.now).unwrap();
    assert_eq!(round.targets, [1, 2, 0], "nor is it probed first");
    talk.engine.probed(round.id, 0, probe(Some(1.0)), talk.now);
    assert_eq!(talk.first_choice(), 1);
    talk.engine.probed(round.id, 1, probe(None), talk.now);
    assert_eq!(talk.first_choice(), 2);
    talk.engine.probed(round.id, 2, probe(None), talk.now);
    assert_eq!(talk.first_choice(), 0);
}

#[test]
fn a_lower_tier_serves_while_the_one_above_has_nothing_fit_and_not_longer() {
    let mut talk = warm(&[]);
    assert_eq!(served(&mut talk, |target| target == 0), 0);
    assert_eq!(talk.first_choice(), 0);
    talk.notices();
    talk.wait(1_200.0);
    assert!(talk.get().round);
    let round = talk.engine.start_round(talk.now).unwrap();
    assert_eq!(round.targets, [1, 2]);
    talk.engine.probed(round.id, 1, probe(None), talk.now);
    talk.engine
        .probed(round.id, 2, probe(Some(300.0)), talk.now);
    let comparison = talk.engine.finish_round(round.id, talk.now);
    assert_eq!(comparison, None, "however slow it is");
    assert_eq!(talk.first_choice(), 2);
    let [a, c] = ["http://t0.test", "http://t2.test"].map(str::to_owned);
    assert!(talk.notices().contains(&Notice::PrimaryChanged {
        from: Some(a),
        to: c,
        reason: ChangeReason::Recovered,
    }));
}

#[test]
fn nothing_is_compared_with_another_tier() {
    let mut talk = warm(&[]);
    talk.wait(300_000.0);
    let round = talk.engine.start_round(talk.now).unwrap();
    assert!(round.targets.contains(&0), "it is measured all the same");
    for target in round.targets {
        let outcome = probe(LATENCIES[target]);
        talk.engine.probed(round.id, target, outcome, talk.now);
    }
    assert_eq!(talk.engine.finish_round(round.id, talk.now), None);
    assert_eq!(talk.first_choice(), 1);
}

#[test]
fn a_lower_tier_stands_in_while_answers_are_overdue() {
    let mut talk = Talk::new(&[("FETCH_TARGETS", &tiers(&[2, 1]))]);
    talk.measure(&LATENCIES[..2]);
    for _ in 0..2 {
        assert_eq!(target(&talk.begin("GET")), 1);
    }
    talk.wait(600.0);
    let step = talk.begin("GET");
    assert_eq!((target(&step), step.round), (0, true));
    talk.round(&LATENCIES[..2]);
    assert_eq!(talk.first_choice(), 1);
}

#[test]
fn what_runs_beside_an_attempt_stays_in_its_tier() {
    let hedged = [("FETCH_HEDGE_MS", "100"), ("FETCH_MAX_ATTEMPTS", "3")];
    let mut talk = warm(&hedged);
    let first = talk.begin("GET");
    talk.wait(100.0);
    let second = talk.waited(&first, &[(1, 100.0)]);
    assert_eq!(target(&second), 2);
    talk.wait(100.0);
    let waiting = talk.waited(&second, &[(1, 200.0), (2, 100.0)]);
    assert_eq!(waiting.action, Action::Wait);
    // When both have failed, the lower tier has it.
    let event = failed(1, Failure::ConnectionTerminated);
    let waiting = talk.settle(waiting.state, event);
    assert_eq!(waiting.action, Action::Wait);
    let event = failed(2, Failure::ConnectionTerminated);
    assert_eq!(target(&talk.settle(waiting.state, event)), 0);
}

#[test]
fn a_cold_start_is_raced_within_the_first_tier() {
    let targets = tiers(&[2, 1, 1]);
    let race = [("FETCH_COLD_START", "race"), ("FETCH_TARGETS", &targets)];
    let mut talk = Talk::new(&race);
    let mut step = talk.begin("GET");
    let mut raced = Vec::new();
    while let Action::Send(attempt) = step.action {
        raced.push(attempt.target);
        let waited: Vec<_> = raced.iter().map(|target| (*target, 0.0)).collect();
        step = talk.waited(&step, &waited);
    }
    assert_eq!((raced, step.action), (vec![1, 2], Action::Wait));
}

#[test]
fn without_ranking_the_order_is_by_tier_then_by_list() {
    let targets = tiers(&[3, 1, 2, 1]);
    let mut talk = Talk::new(&[
        ("FETCH_CACHE_ADAPTER", "none"),
        ("FETCH_MAX_ATTEMPTS", "4"),
        ("FETCH_TARGETS", &targets),
    ]);
    let mut step = talk.begin("GET");
    let mut order = vec![target(&step)];
    for _ in 0..3 {
        step = talk.fails(&step, Failure::ConnectionRefused);
        order.push(attempt(&step).target);
    }
    assert_eq!(order, [1, 3, 2, 0]);
}

#[test]
fn spread_shares_within_the_tier_in_proportion_to_the_weights() {
    let targets = r#"[{"url": "http://a", "weight": 1}, {"url": "http://b", "weight": 3},
        {"url": "http://c", "tier": 2, "weight": 100}, {"url": "http://far", "weight": 100}]"#;
    let mut talk = Talk::new(&[("FETCH_TARGETS", targets), ("FETCH_SPREAD", "true")]);
    let mut chosen = [0; 4];
    for seed in 0..2_000 {
        talk.reseed(seed);
        talk.round(&[Some(50.0), Some(51.0), Some(50.0), Some(500.0)]);
        chosen[talk.first_choice()] += 1;
    }
    let [a, b, c, far] = chosen;
    assert_eq!((c, far), (0, 0));
    assert!((450..=550).contains(&a) && a + b == 2_000, "{chosen:?}");
}

#[test]
fn an_instance_whose_choice_fails_chooses_anew_among_the_rest_and_stays_there() {
    let mut chosen = [0; 3];
    for seed in 0..60 {
        let mut talk = spreading(seed);
        talk.round(&[Some(50.0), Some(52.0), Some(54.0)]);
        let first = talk.first_choice();
        if first == 0 {
            continue;
        }
        let next = served(&mut talk, |target| target != first);
        let then = talk.first_choice();
        assert_ne!(then, first);
        chosen[then] += 1;
        // A probe finds it healthy again.
        talk.wait(1_500.0);
        talk.round(&[Some(50.0), Some(52.0), Some(54.0)]);
        assert_eq!(talk.first_choice(), then, "seed {seed}: {first}, {next}");
    }
    let [a, b, c] = chosen;
    assert!(a > 5 && b > 2 && c > 2, "{chosen:?}");
}

#[test]
fn a_choice_that_fails_leaves_a_primary_that_is_not_the_fastest_what_it_is() {
    let mut failed = 0;
    for seed in 0..30 {
        let mut talk = spreading(seed);
        talk.round(&[Some(50.0), Some(58.0), Some(57.0)]);
        for _ in 0..3 {
            talk.wait(300_000.0);
            talk.round(&[Some(56.0), Some(52.0), Some(57.0)]);
        }
        talk.notices();
        let choice = talk.first_choice();
        if choice == 2 {
            failed += 1;
            served(&mut talk, |target| target != choice);
            let notices = talk.notices();
            assert!(
                matches!(notices[..], [Notice::Ejected { .. }]),
                "{notices:?}"
            );
        }
    }
    assert!(failed > 0);
}

#[test]
fn a_primary_that_fails_is_replaced_whoever_has_the_requests() {
    for seed in 0..20 {
        let mut talk = spreading(seed);
        talk.round(&[Some(50.0), Some(52.0), Some(54.0)]);
        let choice = talk.first_choice();
        talk.notices();
        // A retry finds the primary dead.
        let mut step = talk.begin("GET");
        step = talk.status(&step, 500);
        if choice != 0 {
            assert_eq!(target(&step), 0, "the best by rank");
            step = talk.fails(&step, Failure::ConnectionRefused);
        }
        talk.status(&step, 200);
        let changes: Vec<_> = talk
            .notices()
            .into_iter()
            .filter(|notice| matches!(notice, Notice::PrimaryChanged { .. }))
            .collect();
        let failover = Notice::PrimaryChanged {
            from: Some("http://a.test".to_owned()),
            to: "http://b.test".to_owned(),
            reason: ChangeReason::Failover,
        };
        if choice == 0 {
            assert_eq!(changes, [], "seed {seed}");
        } else {
            assert_eq!(changes, [failover], "seed {seed}");
        }
        assert_ne!(talk.first_choice(), if choice == 0 { 3 } else { 0 });
    }
}

#[test]
fn a_better_tier_that_another_instance_found_back_takes_over_at_once() {
    for refreshed_meanwhile in [false, true] {
        let targets = tiers(&[2, 1]);
        let mut one = Talk::with_store(&[
            ("FETCH_TARGETS", targets.as_str()),
            ("FETCH_CACHE_TTL_SECONDS", "10"),
        ]);
        one.round(&LATENCIES[..2]);
        served(&mut one, |target| target == 0);
        one.write();
        let mut other = Talk {
            engine: one.engine.clone(),
            now: one.now,
            stored: None,
        };
        assert_eq!((one.first_choice(), other.first_choice()), (0, 0));
        one.wait(2_000.0);
        other.wait(2_000.0);
        if refreshed_meanwhile {
            // Then its decision is newer than what the one tells.
            let round = other.engine.start_round(other.now).unwrap();
            let unsent = ProbeOutcome {
                result: Err(Failure::ConnectionLimitReached),
                took: Millis(1.0),
                cached: false,
            };
            other.engine.probed(round.id, 1, unsent, other.now);
            other
                .engine
                .probed(round.id, 0, probe(Some(1.0)), other.now);
            assert_eq!(other.engine.finish_round(round.id, other.now), None);
            // It tells so before its round has ended.
            let round = one.engine.start_round(one.now).unwrap();
            one.engine.probed(round.id, 1, probe(Some(60.0)), one.now);
        } else {
            one.round(&LATENCIES[..2]);
            assert_eq!(one.first_choice(), 1);
        }
        let news = one.write();
        assert!(news.is_some());

        other.wait(1_100.0);
        other.get();
        let round = other.engine.start_round(other.now).unwrap();
        assert!(round.read_store);
        other.engine.round_read_store(news.as_ref(), other.now);
        assert_eq!(other.first_choice(), 1, "{refreshed_meanwhile}");
    }
}

/// GETs, so many, each 500 ms after the last, with the rounds that they call for:
/// how often each target was asked. A bad target answers 500, a dead one refuses.
fn traffic(talk: &mut Talk, count: usize, is_dead: &[bool], is_bad: &[bool]) -> Vec<usize> {
    let probes: Vec<_> = (0..is_dead.len())
        .map(|target| (!is_dead[target]).then(|| 10.0 * (target + 1) as f64))
        .collect();
    let mut asked = vec![0; is_dead.len()];
    for _ in 0..count {
        talk.wait(500.0);
        let mut step = talk.begin("GET");
        if step.round {
            talk.round(&probes);
        }
        while let Action::Send(attempt) = step.action {
            asked[attempt.target] += 1;
            step = match (is_dead[attempt.target], is_bad[attempt.target]) {
                (true, _) => talk.fails(&step, Failure::ConnectionRefused),
                (_, true) => talk.status(&step, 500),
                _ => talk.status(&step, 200),
            };
        }
    }
    asked
}

#[test]
fn a_better_tier_that_fails_live_requests_yields_and_takes_over_after_its_trials() {
    let targets = tiers(&[2, 1]);
    let mut talk = Talk::new(&[("FETCH_TARGETS", &targets)]);
    talk.measure(&[Some(10.0), Some(20.0)]);
    traffic(&mut talk, 60, &[false; 2], &[false, true]);
    assert_eq!(talk.first_choice(), 0);
    let asked = traffic(&mut talk, 600, &[false; 2], &[false; 2]);
    assert_eq!(talk.first_choice(), 1);
    assert!(asked[1] > asked[0], "{asked:?}");
}

#[test]
fn a_lower_tier_gets_no_trials_while_the_one_above_serves() {
    let targets = tiers(&[2, 2, 1]);
    let mut talk = Talk::new(&[("FETCH_TARGETS", &targets)]);
    talk.measure(&[Some(10.0), Some(20.0), Some(30.0)]);
    // The first is convicted while the third is down.
    traffic(&mut talk, 60, &[false, false, true], &[true, false, false]);
    assert_eq!(talk.first_choice(), 1);
    traffic(&mut talk, 200, &[false; 3], &[true, false, false]);
    let asked = traffic(&mut talk, 200, &[false; 3], &[true, false, false]);
    assert_eq!(asked, [0, 0, 200]);
}

#[test]
fn a_status_of_the_setting_is_evidence_and_another_is_not() {
    for (statuses, status, ejected) in [
        ("429", 429, true),
        ("503", 429, false),
        ("503", 500, false),
        ("400-599", 404, true),
    ] {
        let mut talk = Talk::warm(&[("FETCH_RETRY_STATUSES", statuses)]);
        for _ in 0..30 {
            talk.wait(100.0);
            let mut step = talk.begin("GET");
            while let Action::Send(attempt) = step.action {
                let status = if attempt.target == 0 { status } else { 200 };
                step = talk.status(&step, status);
            }
        }
        let choice = target(&talk.begin("GET"));
        assert_eq!(choice != 0, ejected, "{status} of {statuses}");
    }
}

proptest! {
    /// Whatever fails and comes back, and in whatever order: once the rounds that
    /// were called for have run, the traffic is with the best tier that has a
    /// living target.
    #[test]
    fn the_best_tier_with_a_living_target_serves(
        list in prop::collection::vec(1..4u8, 4),
        ms in prop::collection::vec(1..400u16, 4),
        worlds in prop::collection::vec(prop::collection::vec(any::<bool>(), 4), 1..6),
    ) {
        let targets = tiers(&list);
        let mut talk = Talk::new(&[("FETCH_TARGETS", &targets), ("FETCH_MAX_ATTEMPTS", "4")]);
        let latency = |target: usize| f64::from(ms[target]);
        talk.measure(&(0..4).map(|target| Some(latency(target))).collect::<Vec<_>>());
        for alive in worlds.iter().filter(|alive| alive.contains(&true)) {
            let probes: Vec<_> = (0..4)
                .map(|target| alive[target].then(|| latency(target)))
                .collect();
            // No ejection is longer than 330 s.
            for _ in 0..100 {
                let step = talk.begin("GET");
                if step.round {
                    talk.round(&probes);
                }
                ends(&mut talk, step, |target| alive[target]);
                talk.wait(4_000.0);
            }
            let best = (0..4).filter(|target| alive[*target]).map(|target| list[target]).min();
            let serving = served(&mut talk, |target| alive[target]);
            prop_assert_eq!(Some(list[serving]), best, "{:?} {:?}", &list, alive);
        }
    }
}
