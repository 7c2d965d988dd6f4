//! Sections 3, 4 and the ejections of 6: where the decision comes from, and
//! how long it holds.

use crate::talk::{Talk, probe, target};
use function_fetch_engine::record::{Record, Stored, TargetRecord};
use function_fetch_engine::{
    Action, ChangeReason, Event, Failure, Millis, Notice, ProbeOutcome, Step,
};

const TTL: f64 = 300_000.0;

fn waits(step: &Step) -> bool {
    step.action == Action::AwaitRound
}

fn record(talk: &Talk, age: f64) -> Stored {
    let targets = [90.0, 7.0, 40.0].map(|ms| TargetRecord {
        latency: Some(Millis(ms)),
        n: 2,
        ..TargetRecord::default()
    });
    let at = talk.now - Millis(age);
    Stored::Record(Record::new(talk.engine.settings(), at, 1, targets.to_vec()))
}

#[test]
fn a_cold_start_waits_for_the_first_healthy_probe_and_never_for_the_slowest() {
    let mut talk = Talk::new(&[]);
    let first = talk.begin("GET");
    assert!(waits(&first) && first.round);
    let round = talk.engine.start_round(talk.now).unwrap();
    assert_eq!(round.targets, [0, 1, 2]);
    let second = talk.begin("GET");
    assert!(waits(&second) && !second.round, "it starts no round");
    assert_eq!(talk.engine.start_round(talk.now), None);

    talk.engine.probed(round.id, 0, probe(None), talk.now);
    assert!(!talk.engine.round_is_ready(talk.now));
    talk.engine.probed(round.id, 2, probe(Some(60.0)), talk.now);
    assert!(talk.engine.round_is_ready(talk.now));
    for waiting in [first, second] {
        let step = talk.settle(waiting.state, Event::RoundReady);
        assert_eq!(target(&step), 2);
    }
    let third = talk.begin("GET");
    assert_eq!((target(&third), third.round), (2, false), "no wait at all");
    talk.engine.probed(round.id, 1, probe(Some(90.0)), talk.now);
    talk.engine.finish_round(round.id, talk.now);
    assert_eq!(talk.first_choice(), 2);
}

#[test]
fn a_probe_that_this_side_has_no_connection_for_is_no_evidence_against_the_target() {
    let mut talk = Talk::new(&[]);
    talk.begin("GET");
    let round = talk.engine.start_round(talk.now).unwrap();
    let unsent = ProbeOutcome {
        result: Err(Failure::ConnectionLimitReached),
        took: Millis(1.0),
        cached: false,
    };
    talk.engine.probed(round.id, 0, unsent, talk.now);
    talk.engine.probed(round.id, 1, probe(None), talk.now);
    talk.engine.probed(round.id, 2, probe(Some(60.0)), talk.now);
    talk.engine.finish_round(round.id, talk.now);
    let ejected: Vec<String> = talk
        .notices()
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::Ejected { target, .. } => Some(target),
            _ => None,
        })
        .collect();
    assert_eq!(ejected, ["http://b.test"]);

    // A target that only a probe can bring back is asked again, but not behind each request.
    talk.wait(2_000.0);
    assert!(talk.get().round);
    let round = talk.engine.start_round(talk.now).unwrap();
    assert_eq!(round.targets, [1]);
    talk.engine.probed(round.id, 1, unsent, talk.now);
    assert_eq!(talk.engine.finish_round(round.id, talk.now), None);
    assert!(!talk.get().round);
    talk.wait(1_000.0);
    assert!(talk.get().round);
}

#[test]
fn a_health_path_that_a_cache_answers_is_named_once_for_each_target() {
    let mut talk = Talk::new(&[]);
    let mut named = Vec::new();
    for _ in 0..3 {
        talk.begin("GET");
        let mut next = talk.engine.start_round(talk.now);
        assert!(next.is_some(), "a round is due");
        while let Some(round) = next {
            for target in round.targets {
                let outcome = ProbeOutcome {
                    cached: target != 1,
                    ..probe(Some([5.0, 60.0, 300.0][target]))
                };
                talk.engine.probed(round.id, target, outcome, talk.now);
            }
            next = talk.engine.finish_round(round.id, talk.now);
        }
        let cached = talk
            .notices()
            .into_iter()
            .filter_map(|notice| match notice {
                Notice::HealthPathCached { target, remedy } => Some((target, remedy)),
                _ => None,
            });
        named.extend(cached);
        talk.wait(TTL);
    }
    let [(a, remedy), (c, _)] = &named[..] else {
        panic!("{named:?}")
    };
    assert_eq!((a.as_str(), c.as_str()), ("http://a.test", "http://c.test"));
    assert!(remedy.contains("FETCH_HEALTH_PATH"), "{remedy}");
    assert_eq!(talk.first_choice(), 0, "it is measured all the same");
}

#[test]
fn all_probes_failed_means_list_order_and_another_try_after_a_second() {
    let mut talk = Talk::new(&[]);
    talk.begin("GET");
    talk.round(&[None, None, None]);
    assert!(talk.notices().contains(&Notice::NoHealthyTarget));
    let step = talk.begin("GET");
    assert_eq!((target(&step), step.round), (0, false));
    talk.wait(1000.0);
    let step = talk.begin("GET");
    assert!(waits(&step) && step.round);
}

#[test]
fn on_a_cold_start_every_target_is_probed_however_many_there_are() {
    let list: Vec<String> = (0..9).map(|i| format!("http://t{i}.test")).collect();
    let mut talk = Talk::new(&[("FETCH_TARGETS", &list.join(" "))]);
    talk.begin("GET");
    let round = talk.engine.start_round(talk.now).unwrap();
    assert_eq!(round.targets, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!((round.concurrency, round.read_store), (6, false));
}

#[test]
fn a_probe_that_the_host_denies_has_failed_and_names_the_setting() {
    for (failure, wanted) in [
        (Failure::HttpRequestDenied, "allowed_outbound_hosts"),
        (Failure::DestinationIpProhibited, "blocked_networks"),
        (Failure::ConnectionRefused, ""),
    ] {
        let mut talk = Talk::new(&[]);
        talk.begin("GET");
        let round = talk.engine.start_round(talk.now).unwrap();
        let denied = ProbeOutcome {
            result: Err(failure),
            took: Millis(1.0),
            cached: false,
        };
        talk.engine.probed(round.id, 0, denied, talk.now);
        assert!(talk.engine.has_notices());
        let notices = talk.notices();
        assert!(!talk.engine.has_notices());
        let remedies: Vec<&str> = notices
            .iter()
            .filter_map(|notice| match notice {
                Notice::Denied { remedy, .. } => Some(*remedy),
                _ => None,
            })
            .collect();
        match wanted {
            "" => assert_eq!(remedies, [""; 0]),
            _ => assert!(remedies[0].contains(wanted), "{remedies:?}"),
        }
        assert!(matches!(&notices[..], [.., Notice::Ejected { .. }]));
    }
}

#[test]
fn a_round_reads_the_store_before_a_refresh_and_when_that_is_due_where_there_is_one() {
    const MEASURED: [Option<f64>; 3] = [Some(5.0), Some(60.0), Some(300.0)];
    let settings = [("FETCH_CACHE_SYNC_SECONDS", "60")];
    for has_store in [false, true] {
        let mut talk = match has_store {
            true => Talk::with_store(&settings),
            false => Talk::new(&settings),
        };
        let reads = |talk: &mut Talk| {
            let round = talk.engine.start_round(talk.now)?;
            talk.engine.finish_round(round.id, talk.now);
            Some((round.read_store, round.targets.len()))
        };
        talk.begin("GET");
        let cold = talk.engine.start_round(talk.now).expect("a cold start");
        assert_eq!((cold.read_store, cold.targets.len()), (false, 3));
        for target in cold.targets {
            let outcome = probe(MEASURED[target]);
            talk.engine.probed(cold.id, target, outcome, talk.now);
        }
        talk.engine.finish_round(cold.id, talk.now);
        assert_eq!(reads(&mut talk), None, "nothing is due");

        let step = talk.begin("GET");
        let step = talk.fails(&step, Failure::ConnectionRefused);
        talk.status(&step, 200);
        talk.wait(2_000.0);
        assert_eq!(reads(&mut talk), Some((false, 1)), "a recovery");
        talk.wait(61_000.0);
        let step = talk.begin("GET");
        assert!(step.round);
        let refresh = reads(&mut talk).expect("a refresh");
        assert_eq!(refresh, (has_store, 3));
    }
}

#[test]
fn a_probe_that_finds_a_target_as_well_as_it_was_is_no_news_for_others() {
    let mut talk = Talk::with_store(&[("FETCH_CACHE_SYNC_SECONDS", "0")]);
    talk.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
    assert!(talk.write().is_some());
    talk.begin("GET");
    talk.wait(600.0);
    let step = talk.begin("GET");
    assert!(step.round, "an answer is overdue");
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    assert!(!talk.status(&step, 200).write);
    assert_eq!(talk.write(), None);
}

#[test]
fn a_round_that_the_host_abandoned_does_not_block_the_next() {
    let mut talk = Talk::new(&[]);
    talk.begin("GET");
    talk.engine.start_round(talk.now).unwrap();
    talk.wait(60_000.0);
    assert!(talk.begin("GET").round);
    assert!(talk.engine.start_round(talk.now).is_some());
}

#[test]
fn a_warm_request_waits_for_nothing_until_the_hard_expiry() {
    let mut talk = Talk::warm(&[]);
    for (age, round) in [
        (1.0, false),
        (0.79 * TTL, false),
        (TTL, true),
        (2.0 * TTL, true),
    ] {
        let mut later = Talk {
            engine: talk.engine.clone(),
            now: talk.now + Millis(age),
            stored: None,
        };
        let step = later.begin("GET");
        assert_eq!((target(&step), step.round), (0, round), "at {age}");
    }
    talk.wait(2.0 * TTL + 1.0);
    assert!(waits(&talk.begin("GET")));
}

#[test]
fn instances_refresh_at_different_times_within_the_last_fifth() {
    let starts: Vec<f64> = (0..40)
        .map(|seed| {
            let mut talk = Talk::new(&[]);
            talk.reseed(seed);
            talk.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
            let born = talk.now;
            while !talk.get().round {
                talk.wait(500.0);
            }
            (talk.now - born).0
        })
        .collect();
    let least = starts.iter().copied().fold(f64::MAX, f64::min);
    let most = starts.iter().copied().fold(0.0, f64::max);
    assert!(least >= 0.8 * TTL && most <= TTL + 500.0);
    assert!(most - least > 0.1 * TTL, "{least} to {most}");
}

#[test]
fn a_cold_start_s_single_probes_are_soon_repeated() {
    let mut talk = Talk::new(&[]);
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    talk.wait(0.1 * TTL - 1.0);
    assert!(!talk.get().round);
    talk.wait(0.1 * TTL + 1.0);
    assert!(talk.get().round);
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    talk.wait(0.79 * TTL);
    assert!(!talk.get().round);
}

#[test]
fn a_stored_record_fills_the_memory_with_its_original_age() {
    let mut talk = Talk::with_store(&[]);
    let step = talk.begin("GET");
    assert_eq!((&step.action, step.round), (&Action::ReadStore, false));
    let value = record(&talk, 0.7 * TTL);
    let step = talk.settle(step.state, Event::StoreRead(Some(value)));
    assert_eq!((target(&step), step.round, step.write), (1, false, false));
    assert_eq!(talk.notices(), [], "a start is no change");
    talk.wait(0.31 * TTL);
    assert!(
        talk.begin("GET").round,
        "its age counts from the measurement"
    );
}

#[test]
fn a_store_that_has_nothing_or_fails_or_lies_is_a_cold_start() {
    for event in [
        Event::StoreRead(None),
        Event::StoreFailed,
        Event::StoreRead(Some(Stored::Text("{\"v\":99}".to_owned()))),
        Event::StoreRead(Some(Stored::Text("\u{feff}".to_owned()))),
    ] {
        let mut talk = Talk::with_store(&[]);
        let step = talk.begin("GET");
        let text = format!("{event:?}");
        let step = talk.settle(step.state, event);
        assert!(waits(&step) && step.round, "{text}");
    }
}

#[test]
fn a_store_failure_is_reported_once_until_it_works() {
    let mut talk = Talk::with_store(&[("FETCH_CACHE_ADAPTER", "kv")]);
    for (event, reported) in [
        (Event::StoreFailed, 1),
        (Event::StoreFailed, 0),
        (Event::StoreRead(None), 0),
        (Event::StoreFailed, 1),
    ] {
        let step = talk.begin("GET");
        talk.settle(step.state, event);
        assert_eq!(talk.notices().len(), reported);
    }
}

#[test]
fn the_original_s_plain_url_serves_and_is_refreshed_at_once() {
    let mut talk = Talk::with_store(&[]);
    let step = talk.begin("GET");
    let step = talk.settle(
        step.state,
        Event::StoreRead(Some(Stored::Text("http://c.test".to_owned()))),
    );
    assert_eq!((target(&step), step.round), (2, true));
}

#[test]
fn a_refresh_asks_the_store_before_it_probes() {
    let mut talk = Talk::with_store(&[]);
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    talk.engine.take_write(talk.now);
    talk.wait(TTL);
    let round = talk.engine.start_round(talk.now).unwrap();
    assert!(round.read_store);
    let newer = record(&talk, 1000.0);
    assert!(talk.engine.round_read_store(Some(&newer), talk.now));
    let step = talk.begin("GET");
    assert_eq!((target(&step), step.round, step.write), (1, false, false));
}

#[test]
fn the_store_is_written_when_the_decision_is_made_or_changes_and_not_per_request() {
    let mut talk = Talk::with_store(&[]);
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    for _ in 0..50 {
        talk.get();
    }
    let write = talk
        .engine
        .take_write(talk.now)
        .expect("a decision was made");
    let stored = write.record;
    assert_eq!(
        (stored.primary, stored.targets[1].latency),
        (0, Some(Millis(60.0)))
    );
    assert_eq!(write.ttl_seconds, 600);
    for _ in 0..50 {
        let step = talk.begin("GET");
        assert!(!step.write && !talk.status(&step, 200).write);
    }
    let step = talk.begin("GET");
    let step = talk.fails(&step, Failure::ConnectionRefused);
    assert!(step.write, "other instances must not pay for it again");
    let write = talk.engine.take_write(talk.now).unwrap();
    let stored = write.record;
    assert_eq!(stored.primary, 1);
    assert!(stored.targets[0].until.is_some());
}

#[test]
fn a_dead_primary_costs_one_attempt_and_only_a_probe_brings_it_back() {
    let mut talk = Talk::warm(&[]);
    let step = talk.begin("POST");
    let step = talk.fails(&step, Failure::ConnectionRefused);
    talk.status(&step, 200);
    for _ in 0..20 {
        assert_eq!(talk.first_choice(), 1);
    }
    talk.wait(1200.0);
    let step = talk.get();
    assert_eq!((target(&step), step.round), (1, true));
    let round = talk.engine.start_round(talk.now).unwrap();
    assert_eq!((round.targets, round.read_store), (vec![0], false));
    talk.engine.probed(round.id, 0, probe(Some(9.0)), talk.now);
    let comparison = talk.engine.finish_round(round.id, talk.now).unwrap();
    assert_eq!(comparison.targets, [1, 0], "a healthy primary is compared");
    assert_eq!(talk.first_choice(), 1);
    let mut next = Some(comparison);
    while let Some(round) = next {
        talk.engine.probed(round.id, 1, probe(Some(60.0)), talk.now);
        talk.engine.probed(round.id, 0, probe(Some(5.0)), talk.now);
        next = talk.engine.finish_round(round.id, talk.now);
    }
    assert_eq!(talk.first_choice(), 0);
    let notices = talk.notices();
    assert!(matches!(
        notices[..],
        [
            Notice::Ejected { .. },
            Notice::PrimaryChanged {
                reason: ChangeReason::Failover,
                ..
            },
            Notice::Recovered { .. },
            Notice::PrimaryChanged {
                reason: ChangeReason::Recovered,
                ..
            },
        ]
    ));
}

#[test]
fn all_ejected_still_serves() {
    let mut talk = Talk::warm(&[]);
    let mut step = talk.begin("GET");
    for _ in 0..3 {
        step = talk.fails(&step, Failure::ConnectionRefused);
    }
    let step = talk.begin("GET");
    assert_eq!(target(&step), 0, "by latency, as before");
    let changes = talk
        .notices()
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::PrimaryChanged { to, .. } => Some(to),
            _ => None,
        });
    let changes: Vec<String> = changes.collect();
    assert_eq!(changes, ["http://b.test", "http://c.test"]);
}

#[test]
fn with_none_nothing_is_remembered_or_probed() {
    let mut talk = Talk::with_store(&[("FETCH_CACHE_ADAPTER", "none")]);
    for _ in 0..5 {
        let step = talk.begin("GET");
        assert_eq!((target(&step), step.round, step.write), (0, false, false));
        let step = talk.fails(&step, Failure::ConnectionRefused);
        assert_eq!(target(&step), 1);
    }
}

#[test]
fn a_single_target_is_not_probed() {
    let mut talk = Talk::with_store(&[("FETCH_TARGETS", "http://only.test")]);
    let step = talk.begin("GET");
    assert_eq!((target(&step), step.round), (0, false));
    talk.fails(&step, Failure::ConnectionRefused);
    assert_eq!(talk.first_choice(), 0);
}

#[test]
fn with_the_store_alone_each_request_asks_it_and_memory_is_the_fallback() {
    let mut talk = Talk::with_store(&[("FETCH_CACHE_ADAPTER", "kv")]);
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    let step = talk.begin("GET");
    assert_eq!(step.action, Action::ReadStore);
    let newer = record(&talk, 0.0);
    let step = talk.settle(step.state, Event::StoreRead(Some(newer)));
    assert_eq!(target(&step), 1);
    let step = talk.begin("GET");
    let step = talk.settle(step.state, Event::StoreFailed);
    assert_eq!((target(&step), step.round), (1, false));
}

#[test]
fn a_bad_setting_is_reported_once() {
    let settings = function_fetch_engine::Settings::read(
        function_fetch_engine::Capabilities::default(),
        |name| match name {
            "FETCH_TARGETS" => Some("http://a.test".into()),
            "FETCH_EXPLAIN" => Some("perhaps".into()),
            _ => None,
        },
    );
    let mut engine = function_fetch_engine::Engine::new(settings, 0);
    assert_eq!(
        engine.take_notices(function_fetch_engine::Timestamp(1e12)),
        [Notice::BadSetting {
            setting: "FETCH_EXPLAIN",
            reason: "\"perhaps\" is neither true nor false; using false".to_owned(),
        }]
    );
    assert_eq!(
        engine.take_notices(function_fetch_engine::Timestamp(1e12)),
        []
    );
}

#[test]
fn an_explained_response_names_what_the_decision_is_from() {
    let explained = |talk: &Talk, step: &Step| talk.engine.explain(&step.state, 200);
    let explaining = [("FETCH_EXPLAIN", "true")];
    let from = |attempt: u32, host: &str, source: &str| {
        Some(format!(
            "function-fetch; next-hop=\"{host}\"; received-status=200; \
             details=\"attempt {attempt}, decision from {source}\""
        ))
    };

    let mut talk = Talk::new(&explaining);
    let waiting = talk.begin("GET");
    let round = talk.engine.start_round(talk.now).unwrap();
    talk.engine.probed(round.id, 1, probe(Some(60.0)), talk.now);
    let step = talk.settle(waiting.state, Event::RoundReady);
    let step = talk.status(&step, 200);
    assert_eq!(
        explained(&talk, &step),
        from(1, "b.test", "first healthy probe")
    );
    talk.engine.probed(round.id, 0, probe(Some(5.0)), talk.now);
    talk.engine.probed(round.id, 2, probe(Some(9.0)), talk.now);
    talk.engine.finish_round(round.id, talk.now);
    let step = talk.begin("GET");
    let step = talk.status(&step, 500);
    let step = talk.status(&step, 200);
    assert_eq!(explained(&talk, &step), from(2, "c.test", "probes"));

    let mut talk = Talk::with_store(&explaining);
    let step = talk.begin("GET");
    let value = record(&talk, 1_000.0);
    let step = talk.settle(step.state, Event::StoreRead(Some(value)));
    let step = talk.status(&step, 200);
    assert_eq!(explained(&talk, &step), from(1, "b.test", "store"));

    let unranked = ("FETCH_CACHE_ADAPTER", "none");
    let mut talk = Talk::new(&[explaining[0], unranked]);
    let step = talk.get();
    assert_eq!(explained(&talk, &step), from(1, "a.test", "list order"));

    let mut talk = Talk::warm(&[]);
    let step = talk.get();
    assert_eq!(explained(&talk, &step), None, "nobody has asked");
}
