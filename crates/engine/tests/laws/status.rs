//! Section 10: what the status page tells of what an instance knows.

use crate::talk::{Talk, attempt, failed, probe, target, wish};
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::status::{
    Cause, FoundBy, Micros, Moment, Probe, Source, Standing, Status, Target,
};
use function_fetch_engine::{Event, Failure, Millis, Notice, Settings, StoreOperation, Timestamp};

const PAGE: [(&str, &str); 2] = [
    ("FETCH_STATUS_PATH", "/status"),
    ("FETCH_STATUS_TOKEN", "0123456789abcdef"),
];
const LATENCIES: [Option<f64>; 3] = [Some(5.0), Some(60.0), Some(300.0)];

/// With a page, and these settings.
fn with_page<'a>(settings: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    settings.iter().copied().chain(PAGE).collect()
}

/// With a page and a decision.
fn warm() -> Talk {
    let mut talk = Talk::new(&with_page(&[]));
    talk.measure(&LATENCIES);
    talk.notices();
    talk
}

fn told(talk: &Talk) -> Status {
    talk.engine.status(talk.now)
}

/// What is told of the target in this place.
fn of(talk: &Talk, place: u32) -> Target {
    let mut targets = told(talk).targets.into_iter();
    targets.find(|one| one.place == place).expect("it is there")
}

fn moment(at: Timestamp) -> Option<Moment> {
    Some(Moment::from(at))
}

fn standing(talk: &Talk) -> (Standing, Option<Moment>) {
    let target = of(talk, 1);
    (target.health, target.until)
}

#[test]
fn moments_are_whole_milliseconds_and_spans_whole_microseconds() {
    assert_eq!(Moment::from(Timestamp(1_000.4)), Moment(1_000));
    assert_eq!(Moment::from(Timestamp(1_000.6)), Moment(1_001));
    assert_eq!(Micros::from(Millis(1.5)), Micros(1_500));
    assert_eq!(Micros::from(Millis(0.0126)), Micros(13));
}

#[test]
fn a_target_is_told_with_all_that_is_measured_of_it() {
    let mut talk = warm();
    talk.get();
    let Target {
        latency_us,
        probes,
        measured_at,
        recent,
        ..
    } = of(&talk, 2);
    assert_eq!((latency_us, probes), (Some(Micros(60_000)), 2));
    assert_eq!(measured_at, moment(talk.now));
    let taken = |ago: f64| Probe {
        at: Moment::from(talk.now - Millis(ago)),
        took_us: Micros(60_000),
        status: Some(200),
        error: None,
    };
    assert_eq!(recent, [taken(60_000.0), taken(0.0)]);
    let places: Vec<_> = told(&talk)
        .targets
        .into_iter()
        .map(|one| (one.place, one.target, one.primary))
        .collect();
    let name = |letter| format!("http://{letter}.test");
    assert_eq!(
        places,
        [
            (1, name('a'), true),
            (2, name('b'), false),
            (3, name('c'), false)
        ]
    );
}

#[test]
fn a_second_probe_takes_the_place_of_the_first_that_paid_a_handshake() {
    let mut talk = Talk::new(&with_page(&[]));
    talk.round(&[Some(50.0), None, None]);
    talk.wait(60_000.0);
    let round = talk.engine.start_round(talk.now).expect("a refresh");
    for (target, ms) in [(0, 50.0), (1, 150.0), (2, 900.0)] {
        let outcome = probe(Some(ms));
        talk.engine.probed(round.id, target, outcome, talk.now);
    }
    assert_eq!(of(&talk, 2).latency_us, Some(Micros(150_000)));
    let mut next = talk.engine.finish_round(round.id, talk.now);
    let mut compared = 0;
    while let Some(round) = next {
        compared += 1;
        assert_eq!(round.targets, [0, 1]);
        for target in round.targets {
            let outcome = probe(Some(48.0));
            talk.engine.probed(round.id, target, outcome, talk.now);
        }
        next = talk.engine.finish_round(round.id, talk.now);
    }
    assert_eq!(compared, 1, "it is no faster");
    let challenger = of(&talk, 2);
    assert_eq!(challenger.latency_us, Some(Micros(48_000)));
    assert_eq!((challenger.probes, of(&talk, 3).probes), (1, 1));
    assert_eq!(of(&talk, 3).latency_us, Some(Micros(900_000)));
}

#[test]
fn targets_are_told_in_the_order_in_which_a_request_would_try_them() {
    let mut talk = Talk::new(&with_page(&[(
        "FETCH_TARGETS",
        r#"["http://a", {"url": "http://b", "tier": 2, "weight": 7}, "http://c"]"#,
    )]));
    talk.measure(&[Some(50.0), Some(1.0), Some(5.0)]);
    let told: Vec<_> = told(&talk)
        .targets
        .into_iter()
        .map(|one| (one.place, one.tier, one.weight, one.primary))
        .collect();
    assert_eq!(told, [(3, 1, 1, true), (1, 1, 1, false), (2, 2, 7, false)]);
}

#[test]
fn a_probe_is_healthy_that_had_a_status_from_200_to_499() {
    for (status, healthy) in [
        (Some(199), false),
        (Some(200), true),
        (Some(499), true),
        (Some(500), false),
        (None, false),
    ] {
        let probe = Probe {
            at: Moment(0),
            took_us: Micros(1),
            status,
            error: None,
        };
        assert_eq!(probe.is_healthy(), healthy, "{status:?}");
    }
}

#[test]
fn whether_a_target_gets_requests_is_told_with_the_moment_until_when() {
    let mut talk = Talk::new(&with_page(&[]));
    assert_eq!(standing(&talk), (Standing::Unmeasured, None));
    talk.measure(&LATENCIES);
    assert_eq!(standing(&talk), (Standing::Healthy, None));

    // It wishes for peace.
    let step = talk.begin("GET");
    talk.settle(step.state, wish(target(&step), 429, 60_000.0, 5.0));
    let until = moment(talk.now + Millis(60_000.0));
    assert_eq!(standing(&talk), (Standing::Aside, until));
    talk.wait(60_000.0);
    assert_eq!(standing(&talk), (Standing::Healthy, None));

    // Two requests wait.
    for _ in 0..2 {
        talk.begin("GET");
    }
    talk.wait(600.0);
    assert_eq!(standing(&talk), (Standing::Overdue, None));
    talk.round(&LATENCIES);
    assert_eq!(standing(&talk), (Standing::Healthy, None));

    // It cannot be reached.
    let step = talk.begin("GET");
    assert_eq!(target(&step), 0);
    let step = talk.fails(&step, Failure::ConnectionRefused);
    talk.status(&step, 200);
    let (health, until) = standing(&talk);
    assert_eq!(health, Standing::Ejected);
    let Moment(until) = until.expect("until a moment");
    let now = talk.now.0 as u64;
    assert!((now + 900..=now + 1_100).contains(&until));
    talk.now = Timestamp(until as f64 - 1.0);
    assert_eq!(standing(&talk), (Standing::Ejected, Some(Moment(until))));
    talk.now = Timestamp(until as f64 + 1.0);
    assert_eq!(standing(&talk), (Standing::AwaitsProbe, None));
    talk.round(&LATENCIES);
    assert_eq!(standing(&talk), (Standing::Healthy, None));
    let Target {
        cause,
        trials_passed,
        trials_needed,
        ..
    } = of(&talk, 1);
    assert_eq!((cause, trials_passed, trials_needed), (None, None, None));

    let unranked = Talk::new(&with_page(&[("FETCH_CACHE_ADAPTER", "none")]));
    assert_eq!(standing(&unranked), (Standing::Listed, None));
}

#[test]
fn a_target_on_its_way_back_is_told_with_its_trials_and_its_cause() {
    let mut talk = warm();
    for _ in 0..3 {
        let step = talk.begin("GET");
        let step = talk.fails(&step, Failure::ConnectionTerminated);
        talk.status(&step, 200);
    }
    let cause = Cause {
        found_by: FoundBy::Requests,
        status: None,
        error: Some(Failure::ConnectionTerminated.proxy_error()),
        failed: Some(3),
        of: Some(3),
    };
    assert_eq!(of(&talk, 1).cause, Some(cause));
    assert_eq!(of(&talk, 1).trials_passed, None, "it is out");
    assert_eq!(of(&talk, 2).cause, None);

    talk.wait(12_000.0);
    talk.round(&LATENCIES);
    for passed in 0..3 {
        let back = of(&talk, 1);
        assert_eq!((back.health, back.until), (Standing::HalfOpen, None));
        assert_eq!(
            (back.trials_passed, back.trials_needed),
            (Some(passed), Some(12))
        );
        assert_eq!(back.cause, Some(cause));
        let step = talk.begin("GET");
        assert!(step.state.trial);
        talk.status(&step, 200);
        talk.wait(2_000.0);
    }
}

#[test]
fn the_cause_of_an_ejection_names_what_found_it() {
    let nothing = Cause {
        found_by: FoundBy::Connection,
        status: None,
        error: None,
        failed: None,
        of: None,
    };
    // A connection that was refused.
    let mut talk = warm();
    let step = talk.begin("POST");
    talk.fails(&step, Failure::ConnectionRefused);
    let wanted = Cause {
        error: Some("connection_refused"),
        ..nothing
    };
    assert_eq!(of(&talk, 1).cause, Some(wanted));

    // A probe that had a bad status.
    let mut talk = Talk::new(&with_page(&[]));
    talk.begin("GET");
    let round = talk.engine.start_round(talk.now).unwrap();
    for (target, status) in [200, 503, 200].into_iter().enumerate() {
        let mut outcome = probe(Some(5.0));
        outcome.result = Ok(status);
        talk.engine.probed(round.id, target, outcome, talk.now);
    }
    talk.engine.finish_round(round.id, talk.now);
    let wanted = Cause {
        found_by: FoundBy::Probe,
        status: Some(503),
        ..nothing
    };
    assert_eq!(of(&talk, 2).cause, Some(wanted));
    assert_eq!(of(&talk, 2).latency_us, None, "it is not measured");

    // Requests that had a bad status.
    let mut talk = warm();
    for _ in 0..3 {
        let step = talk.begin("GET");
        let step = talk.status(&step, 502);
        talk.status(&step, 200);
    }
    let wanted = Cause {
        found_by: FoundBy::Requests,
        status: Some(502),
        failed: Some(3),
        of: Some(3),
        ..nothing
    };
    assert_eq!(of(&talk, 1).cause, Some(wanted));
}

#[test]
fn a_decision_is_told_with_its_source_its_times_and_what_would_change_it() {
    let targets = "http://a http://b http://c";
    let mut talk = Talk::with_store(&with_page(&[
        ("FETCH_TARGETS", targets),
        ("FETCH_STALE_SECONDS", "100"),
    ]));
    let decision = told(&talk).decision;
    assert_eq!((decision.source, decision.primary), (Source::None, None));
    assert_eq!((decision.measured_at, decision.probing), (None, false));
    assert_eq!(decision.margin, "20%,10ms");

    talk.begin("GET");
    let round = talk.engine.start_round(talk.now).unwrap();
    assert!(told(&talk).decision.probing);
    for (target, ms) in [(0, 200.0), (1, 100.0), (2, 300.0)] {
        talk.engine
            .probed(round.id, target, probe(Some(ms)), talk.now);
    }
    talk.engine.finish_round(round.id, talk.now);
    let measured = talk.now;
    talk.wait(10_000.0);
    let decision = told(&talk).decision;
    assert_eq!((decision.source, decision.probing), (Source::Probes, false));
    assert_eq!(decision.primary.as_deref(), Some("http://b"));
    assert_eq!(decision.chosen.as_deref(), Some("http://b"));
    assert_eq!(decision.stands_in_for, None);
    assert_eq!(decision.measured_at, moment(measured));
    let fresh = measured + Millis(300_000.0);
    assert_eq!(decision.fresh_until, moment(fresh));
    assert_eq!(decision.used_until, moment(fresh + Millis(100_000.0)));
    let refreshed = decision.refresh_at.expect("it is refreshed");
    let [from, to] = [30_000.0, 60_000.0].map(|ms| Moment::from(measured + Millis(ms)));
    assert!((from..=to).contains(&refreshed), "a cold start's probes");
    assert_eq!(decision.challenger_below_us, Some(Micros(80_000)));
    let status = told(&talk);
    let primary: Vec<_> = status.targets.iter().map(|one| one.primary).collect();
    assert_eq!(primary, [true, false, false]);

    // It fails, and another takes its place.
    let step = talk.begin("GET");
    let step = talk.fails(&step, Failure::ConnectionRefused);
    talk.status(&step, 200);
    let decision = told(&talk).decision;
    assert_eq!(decision.primary.as_deref(), Some("http://a"));
    assert_eq!(decision.stands_in_for.as_deref(), Some("http://b"));

    // Another instance reads it.
    let written = talk.write();
    let mut other = Talk::with_store(&with_page(&[("FETCH_TARGETS", targets)]));
    other.now = talk.now;
    assert!(other.engine.status_wants_store(other.now));
    other
        .engine
        .status_store(&Event::StoreRead(written), other.now);
    assert!(!other.engine.status_wants_store(other.now));
    let decision = told(&other).decision;
    assert_eq!(decision.source, Source::Store);
    assert_eq!(decision.primary.as_deref(), Some("http://a"));
    let cause = told(&other).targets[2].cause.expect("it is out");
    assert_eq!(cause.found_by, FoundBy::OtherInstance);

    // Nobody has measured for too long.
    talk.wait(400_001.0);
    let status = told(&talk);
    assert_eq!(status.decision.source, Source::None);
    assert_eq!(status.decision.primary, None);
    assert!(status.targets.iter().all(|one| !one.primary));
}

#[test]
fn where_nothing_is_measured_the_first_of_the_list_comes_first() {
    let targets = r#"[{"url": "http://a", "tier": 2}, "http://b"]"#;
    let talk = Talk::with_store(&with_page(&[
        ("FETCH_TARGETS", targets),
        ("FETCH_CACHE_ADAPTER", "none"),
    ]));
    assert!(!talk.engine.status_wants_store(talk.now));
    let status = told(&talk);
    assert_eq!(status.decision.source, Source::List);
    assert_eq!(status.decision.primary.as_deref(), Some("http://b"));
    assert_eq!(status.no_targets, None);
    assert_eq!(status.warnings, []);

    let nowhere = Talk::new(&with_page(&[("FETCH_TARGETS", " ")]));
    let status = told(&nowhere);
    assert_eq!(status.decision.source, Source::None);
    assert_eq!((status.decision.primary, status.targets), (None, vec![]));
    let why = status.no_targets.expect("why there are none");
    assert!(why.starts_with("Missing env: FETCH_TARGETS"), "{why}");
}

#[test]
fn an_instance_tells_since_when_it_serves_how_many_and_what_came_to_pass() {
    let mut talk = Talk::with_store(&with_page(&[]));
    let status = told(&talk);
    assert_eq!((status.instance.since, status.instance.requests), (None, 0));
    assert_eq!(status.instance.store, Some(StoreKind::Spin));
    assert_eq!(status.at, Moment::from(talk.now));
    let first = talk.now;
    talk.begin("GET");
    talk.measure(&LATENCIES);
    let measured = talk.now;
    talk.notices();
    talk.wait(5_000.0);
    let step = talk.begin("GET");
    let step = talk.fails(&step, Failure::ConnectionRefused);
    talk.status(&step, 200);
    talk.notices();
    let status = told(&talk);
    assert_eq!(status.instance.since, moment(first));
    assert_eq!(status.instance.requests, 2);
    let events: Vec<_> = status
        .events
        .iter()
        .map(|event| {
            let kind = match event.notice {
                Notice::PrimaryChanged { .. } => "changed",
                Notice::Ejected { .. } => "ejected",
                _ => "other",
            };
            (event.at, kind)
        })
        .collect();
    let failed_at = Moment::from(talk.now);
    assert_eq!(
        events,
        [
            (failed_at, "changed"),
            (failed_at, "ejected"),
            (Moment::from(measured), "changed")
        ]
    );
    assert!(status.settings.len() > 10);

    // Without a page nothing is remembered for it.
    let mut without = Talk::warm(&[]);
    without.get();
    let status = told(&without);
    assert_eq!((status.instance.since, status.instance.requests), (None, 0));
    assert_eq!((status.events, of(&without, 1).recent), (vec![], vec![]));
}

#[test]
fn what_is_wrong_now_is_a_warning_for_as_long() {
    let store_failed = |operation| Notice::StoreFailed { operation };
    let mut talk = Talk::with_store(&with_page(&[("FETCH_CACHE_ADAPTER", "kv")]));
    assert_eq!(told(&talk).warnings, []);
    let step = talk.begin("GET");
    talk.settle(step.state, Event::StoreFailed);
    let read = store_failed(StoreOperation::Read);
    assert_eq!(told(&talk).warnings, std::slice::from_ref(&read));
    talk.engine.store_written(false);
    let write = store_failed(StoreOperation::Write);
    assert_eq!(told(&talk).warnings, [read, write.clone()]);
    let step = talk.begin("GET");
    talk.settle(step.state, Event::StoreRead(None));
    assert_eq!(told(&talk).warnings, [write]);
    talk.engine.store_written(true);
    assert_eq!(told(&talk).warnings, []);
    talk.engine.status_store(&Event::StoreFailed, talk.now);
    let read = store_failed(StoreOperation::Read);
    assert_eq!(told(&talk).warnings, [read]);
    talk.engine.status_store(&Event::StoreRead(None), talk.now);
    assert_eq!(told(&talk).warnings, []);

    talk.round(&[None, None, Some(5.0)]);
    assert_eq!(told(&talk).warnings, [], "one is healthy");
    let failed_too = failed(2, Failure::ConnectionRefused);
    let step = talk.begin("POST");
    let step = talk.settle(step.state, Event::StoreFailed);
    assert_eq!(attempt(&step).target, 2);
    talk.settle(step.state, failed_too);
    assert!(told(&talk).warnings.contains(&Notice::NoHealthyTarget));

    // What lasts, though it was said long ago.
    let mut talk = warm();
    let step = talk.begin("POST");
    talk.fails(&step, Failure::HttpRequestDenied);
    talk.notices();
    talk.wait(100_000.0);
    let warnings = told(&talk).warnings;
    assert!(
        matches!(&warnings[..], [Notice::Denied { target, .. }] if target == "http://a.test"),
        "{warnings:?}"
    );

    let settings = Settings::read(Default::default(), |name| match name {
        "FETCH_TARGETS" => Some("http://a http://b".to_owned()),
        "FETCH_EXPLAIN" => Some("perhaps".to_owned()),
        _ => None,
    });
    let engine = function_fetch_engine::Engine::new(settings, 7);
    let warnings = engine.status(Timestamp(1e12)).warnings;
    assert!(
        matches!(&warnings[..], [Notice::BadSetting { setting, .. }] if *setting == "FETCH_EXPLAIN"),
        "{warnings:?}"
    );
}
