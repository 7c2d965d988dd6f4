use super::*;
use crate::Capabilities;
use crate::health::{Reason, Verdict};
use crate::knowledge::Knowledge;
use crate::trial::{HalfOpen, LatencyTrial};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_700_000_000_000.0);
const SECOND: Millis = Millis(1000.0);

fn settings(targets: &str) -> Settings {
    Settings::read(Capabilities::default(), |name| {
        (name == "FETCH_TARGETS").then(|| targets.to_owned())
    })
}

fn record(settings: &Settings) -> Record {
    let targets = vec![
        TargetRecord {
            latency: Some(Millis(5.5)),
            n: 3,
            ..TargetRecord::default()
        },
        TargetRecord {
            fail: 2,
            until: Some(NOW + SECOND),
            ..TargetRecord::default()
        },
    ];
    Record::new(settings, NOW - SECOND, 0, targets)
}

#[test]
fn a_record_of_these_settings_is_used() {
    let settings = settings("https://a.com https://b.com");
    let record = record(&settings);
    let stored = Stored::Record(record.clone());
    assert_eq!(judge(Some(&stored), &settings, NOW), Use::Record(record));
}

/// With everything that a record may hold.
fn full(settings: &Settings) -> Record {
    let mut record = record(settings);
    record.stands_in_for = Some(1);
    record.trial = Some(LatencyTrial {
        challenger: 1,
        own: (8.0, 3.0, 0.5).into(),
        other: (7.0, 2.5, 0.25).into(),
    });
    record.pairs = Some((1.5, 0.5).into());
    record.targets[0].at = Some(NOW - SECOND);
    record.targets[0].live = Some((3.0, 0.1).into());
    record.targets[0].live_answers = Some((18.5, 0.5, NOW - SECOND).into());
    record.targets[1].last_ejection = Some((NOW + SECOND, SECOND).into());
    record.targets[1].half_open = Some(HalfOpen {
        passed: (2.0, 3.0, 0.1).into(),
        limit: Some(4.0),
        next: NOW + SECOND,
    });
    record.targets[1].aside = Some(NOW + SECOND);
    record
}

#[test]
fn a_record_with_all_that_it_may_hold_is_used_as_it_is() {
    let settings = settings("https://a.com https://b.com");
    let record = full(&settings);
    let stored = Stored::Record(record.clone());
    assert_eq!(judge(Some(&stored), &settings, NOW), Use::Record(record));
}

#[test]
fn a_record_is_of_use_for_the_ttl_and_as_long_as_a_stale_decision_is() {
    let settings = settings("https://a.com https://b.com");
    let longest = settings.cache_ttl + settings.stale;
    for (age, is_used) in [(longest, true), (longest + Millis(1.0), false)] {
        let mut old = record(&settings);
        old.at = NOW - age;
        let judged = judge(Some(&Stored::Record(old)), &settings, NOW);
        assert_eq!(matches!(judged, Use::Record(_)), is_used, "{age:?}");
    }
}

#[test]
fn one_part_that_cannot_be_counted_with_makes_a_record_a_miss() {
    let ours = settings("https://a.com https://b.com");
    let changes: [fn(&mut Record); 17] = [
        |r| r.hash = "00000000".to_owned(),
        |r| r.trial.as_mut().unwrap().challenger = 2,
        |r| r.trial.as_mut().unwrap().own.count = -1.0,
        |r| r.trial.as_mut().unwrap().own.mean = -20.5,
        |r| r.trial.as_mut().unwrap().other.squares = f64::INFINITY,
        |r| r.pairs = Some((-1.0, 0.0).into()),
        |r| r.pairs = Some((0.0, f64::NAN).into()),
        |r| r.targets[0].at = Some(Timestamp(f64::INFINITY)),
        |r| r.targets[0].live_answers = Some((-1.0, 0.0, NOW).into()),
        |r| r.targets[0].live_answers = Some((0.0, f64::INFINITY, NOW).into()),
        |r| r.targets[0].live_answers = Some((1.0, 1.0, Timestamp(f64::NAN)).into()),
        |r| r.targets[1].last_ejection = Some((NOW, Millis(f64::INFINITY)).into()),
        |r| r.targets[1].half_open.as_mut().unwrap().passed.count = f64::NAN,
        |r| r.targets[1].half_open.as_mut().unwrap().limit = Some(MOST_LOG + 0.5),
        |r| r.targets[1].half_open.as_mut().unwrap().limit = Some(-MOST_LOG - 0.5),
        |r| r.targets[1].half_open.as_mut().unwrap().next = Timestamp(f64::INFINITY),
        |r| r.targets[1].aside = Some(Timestamp(f64::NEG_INFINITY)),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut bad = full(&ours);
        change(&mut bad);
        let stored = Stored::Record(bad);
        assert_eq!(judge(Some(&stored), &ours, NOW), Use::Miss, "{number}");
    }
}

#[test]
fn a_preference_belongs_to_what_a_record_holds_for_and_its_absence_changes_nothing() {
    let plain = settings("https://a.com https://b.com");
    // As it is in the stores of deployed proxies.
    assert_eq!(hash(&plain), "ba834077");
    let with = |members: &str| {
        let entry = format!(r#"["https://a.com", {{"url": "https://b.com"{members}}}]"#);
        hash(&settings(&entry))
    };
    assert_eq!(with(""), hash(&plain));
    assert_eq!(with(r#", "tier": 1, "weight": 1"#), hash(&plain));
    let others = [
        r#", "tier": 2"#,
        r#", "weight": 2"#,
        r#", "tier": 2, "weight": 2"#,
    ]
    .map(with);
    for (index, other) in others.iter().enumerate() {
        assert_ne!(*other, hash(&plain));
        assert!(!others[..index].contains(other), "{others:?}");
    }
}

#[test]
fn a_winner_is_known_by_its_address_alone() {
    let settings = settings(r#"["https://a.com", {"url": "https://b.com/x", "tier": 2}]"#);
    let stored = Stored::Text("https://B.com/x/".to_owned());
    assert_eq!(judge(Some(&stored), &settings, NOW), Use::Winner(1));
}

#[test]
fn what_is_not_ours_is_a_miss() {
    let ours = settings("https://a.com https://b.com");
    let good = record(&ours);
    let texts = [
        "",
        "{}",
        "null",
        "\u{feff}",
        "https://elsewhere.com",
        "http",
    ];
    let mut cases: Vec<Stored> = texts
        .map(|text| Stored::Text(text.to_owned()))
        .into_iter()
        .collect();
    cases.push(Stored::Record(record(&settings(
        "https://b.com https://a.com",
    ))));
    let changes: [fn(&mut Record); 16] = [
        |r| r.at = Timestamp(1e300),
        |r| r.at = Timestamp(f64::NAN),
        |r| r.targets[0].latency = Some(LONGEST + Millis(1.0)),
        |r| r.targets[0].latency = Some(Millis(f64::NAN)),
        |r| r.targets[0].live = Some((MOST_LOG + 1.0, 0.1).into()),
        |r| r.targets[0].live = Some((-MOST_LOG - 1.0, 0.1).into()),
        |r| r.targets[0].live = Some((1.0, MOST_VARIANCE + 1.0).into()),
        |r| r.targets[0].live = Some((1.0, -0.1).into()),
        |r| r.targets[0].last_ejection = Some((Timestamp(1e300), Millis(1.0)).into()),
        |r| r.targets[0].until = Some(Timestamp(f64::INFINITY)),
        |r| r.version = 2,
        |r| r.at = NOW + CLOCK_SKEW + Millis(1.0),
        |r| r.at = Timestamp(-1.0),
        |r| r.primary = 2,
        |r| r.targets.truncate(1),
        |r| r.targets[0].latency = Some(Millis(-1.0)),
    ];
    for change in changes {
        let mut bad = good.clone();
        change(&mut bad);
        cases.push(Stored::Record(bad));
    }
    for stored in cases {
        assert_eq!(judge(Some(&stored), &ours, NOW), Use::Miss, "{stored:?}");
    }
}

/// A number as no instance of ours writes it.
fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::NAN),
        Just(1e308),
        Just(9_007_199_254_740_993.0),
        Just(0.0),
        Just(4_294_967_295.0),
        any::<f64>(),
        any::<i64>().prop_map(|number| number as f64),
    ]
}

proptest! {
    /// Of such a record an instance takes over what it can, or nothing; then it decides,
    /// serves, and writes one of its own, which it can read.
    #[test]
    fn no_number_in_a_record_does_harm(
        numbers in prop::collection::vec(wild(), 6),
        counts in prop::collection::vec(any::<u32>(), 4),
        only in 0..10_usize,
    ) {
        let ours = Settings::of(
            Capabilities { store: Some(crate::settings::StoreKind::Spin), ..Capabilities::default() },
            &[("FETCH_TARGETS".to_owned(), "https://a.com https://b.com".to_owned())],
        );
        let at = NOW.0 - 1000.0;
        let number = |index: usize, usual| if index == only { numbers[index] } else { usual };
        let count = |index: usize, usual| if index == only { counts[index - 6] } else { usual };
        for ([v_at, latency, at_target, until, last, live], [primary, absent, n, fail]) in [
            (
                std::array::from_fn(|index| numbers[index]),
                std::array::from_fn(|index| counts[index]),
            ),
            (
                [number(0, at), number(1, 5.0), number(2, at), number(3, at), number(4, at), number(5, 1.0)],
                [count(6, 0), count(7, 1), count(8, 2), count(9, 0)],
            ),
        ] {
            let wild = TargetRecord {
                n,
                fail,
                latency: Some(Millis(latency)),
                at: Some(Timestamp(at_target)),
                until: Some(Timestamp(until)),
                last_ejection: Some((Timestamp(last), Millis(last)).into()),
                live: Some((live, live).into()),
                live_answers: Some((latency, live, Timestamp(until)).into()),
                half_open: Some(HalfOpen {
                    passed: (latency, live, live).into(),
                    limit: Some(live),
                    next: Timestamp(last),
                }),
                aside: Some(Timestamp(until)),
            };
            let plain = TargetRecord { latency: Some(Millis(9.0)), n: 1, ..TargetRecord::default() };
            let mut record = Record::new(&ours, Timestamp(v_at), primary, vec![wild, plain]);
            record.stands_in_for = Some(absent);
            let mut known = Knowledge::new(ours.clone(), 7);
            known.adopt(Some(&Stored::Record(record)), NOW);
            for later in [0.0, 1.0, 400.0, 300_000.0] {
                let now = NOW + Millis(later);
                for target in 0..2 {
                    known.targets[target].request_sent(now);
                    prop_assert!(known.targets[target].overdue_after().is_finite());
                    known.eject(target, Verdict::outage(Reason::Slow), now);
                }
                prop_assert_eq!(known.candidates(true, now).len(), 2);
                known.sync.write_due = true;
                if let Some(write) = known.take_write(now) {
                    let stored = Stored::Record(write.record);
                    let judged = judge(Some(&stored), &ours, now);
                    prop_assert!(matches!(judged, Use::Record(_)), "{:?}", stored);
                }
            }
        }
    }
}

#[test]
fn a_little_skew_between_clocks_is_no_future() {
    let settings = settings("https://a.com https://b.com");
    let mut ahead = record(&settings);
    ahead.at = NOW + Millis(500.0);
    let Use::Record(read) = judge(Some(&Stored::Record(ahead)), &settings, NOW) else {
        panic!("a miss");
    };
    assert_eq!(read.at, NOW);
}

#[test]
fn the_original_s_plain_url_names_the_winner() {
    let settings = settings("https://a.com https://b.com");
    let stored = Stored::Text("https://b.com/\n".to_owned());
    assert_eq!(judge(Some(&stored), &settings, NOW), Use::Winner(1));
}
