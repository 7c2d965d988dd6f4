use super::*;
use crate::Capabilities;
use proptest::prelude::*;

const NOW: f64 = 1_700_000_000_000.0;

fn settings(targets: &str) -> Settings {
    Settings::read(Capabilities::default(), |name| {
        (name == "FETCH_TARGETS").then(|| targets.to_owned())
    })
}

fn record(settings: &Settings) -> Record {
    let targets = vec![
        TargetRecord {
            ms: Some(5.5),
            n: 3,
            ..TargetRecord::default()
        },
        TargetRecord {
            fail: 2,
            until: Some(NOW + 1000.0),
            ..TargetRecord::default()
        },
    ];
    Record::new(settings, NOW - 1000.0, 0, targets)
}

#[test]
fn comes_back_as_it_was() {
    let settings = settings("https://a.com https://b.com");
    let record = record(&settings);
    let value = record.encode();
    assert!(value.len() < 200);
    assert_eq!(decode(&value, &settings, NOW), Stored::Record(record));
}

#[test]
fn what_is_not_ours_is_a_miss() {
    let ours = settings("https://a.com https://b.com");
    let good = record(&ours);
    let mut cases = vec![
        String::new(),
        "{}".to_owned(),
        "null".to_owned(),
        "{\"v\":1".to_owned(),
        "\u{feff}".to_owned(),
        " ".repeat(MAX_BYTES + 1),
        "https://elsewhere.com".to_owned(),
        "http".to_owned(),
        record(&settings("https://b.com https://a.com")).encode(),
    ];
    let changes: [fn(&mut Record); 12] = [
        |r| r.at = 1e300,
        |r| r.targets[0].ms = Some(MOST_MS + 1.0),
        |r| r.targets[0].live = Some([MOST_LOG + 1.0, 0.1]),
        |r| r.targets[0].live = Some([-MOST_LOG - 1.0, 0.1]),
        |r| r.targets[0].live = Some([1.0, MOST_VARIANCE + 1.0]),
        |r| r.targets[0].live = Some([1.0, -0.1]),
        |r| r.version = 2,
        |r| r.at = NOW + CLOCK_SKEW_MS + 1.0,
        |r| r.at = -1.0,
        |r| r.primary = 2,
        |r| r.targets.truncate(1),
        |r| r.targets[0].ms = Some(-1.0),
    ];
    for change in changes {
        let mut bad = good.clone();
        change(&mut bad);
        cases.push(bad.encode());
    }
    for value in cases {
        assert_eq!(decode(&value, &ours, NOW), Stored::Miss, "{}", value);
    }
}

/// A number as no instance of ours writes it.
fn wild() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("1e999".to_owned()),
        Just("-1e999".to_owned()),
        Just("1e308".to_owned()),
        Just("9007199254740993".to_owned()),
        Just("1e-999".to_owned()),
        Just("4294967295".to_owned()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        any::<i64>().prop_map(|number| number.to_string()),
    ]
}

proptest! {
    /// Of such a record an instance takes over what it can, or nothing; then it decides,
    /// serves, and writes one of its own, which it can read.
    #[test]
    fn no_number_in_a_record_does_harm(
        numbers in prop::collection::vec(wild(), 10),
        only in 0..10_usize,
    ) {
        let ours = Settings::of(
            Capabilities { store: Some(crate::settings::StoreKind::Spin), ..Capabilities::default() },
            &[("FETCH_TARGETS".to_owned(), "https://a.com https://b.com".to_owned())],
        );
        let sane = |index: usize, usual: &str| {
            if index == only { numbers[index].clone() } else { usual.to_owned() }
        };
        let at = (NOW - 1000.0).to_string();
        for [v_at, primary, absent, ms, n, fail, at_target, until, last, live] in [
            std::array::from_fn(|index| numbers[index].clone()),
            [
                sane(0, &at), sane(1, "0"), sane(2, "1"), sane(3, "5"), sane(4, "2"),
                sane(5, "0"), sane(6, &at), sane(7, &at), sane(8, &at), sane(9, "1"),
            ],
        ] {
            let value = format!(
                "{{\"v\":1,\"at\":{v_at},\"hash\":\"{}\",\"primary\":{primary},\"for\":{absent},\"targets\":[\
                 {{\"ms\":{ms},\"n\":{n},\"fail\":{fail},\"at\":{at_target},\"until\":{until},\
                 \"last\":[{last},{last}],\"live\":[{live},{live}]}},{{\"ms\":9,\"n\":1}}]}}",
                hash(&ours)
            );
            let mut engine = crate::Engine::new(ours.clone(), 7);
            engine.adopt(Some(&value), NOW);
            for later in [0.0, 1.0, 400.0, 300_000.0] {
                for target in 0..2 {
                    engine.health[target].request_sent(NOW + later);
                    prop_assert!(engine.health[target].overdue_ms().is_finite());
                    engine.eject(target, "test".to_owned(), 0.0, NOW + later);
                }
                prop_assert_eq!(engine.candidates(NOW + later).len(), 2);
                engine.write_due = true;
                if let Some(write) = engine.take_write(NOW + later) {
                    let read = decode(&write.value, &ours, NOW + later);
                    prop_assert!(matches!(read, Stored::Record(_)), "{}", write.value);
                }
            }
        }
    }
}

#[test]
fn a_little_skew_between_clocks_is_no_future() {
    let settings = settings("https://a.com https://b.com");
    let mut ahead = record(&settings);
    ahead.at = NOW + 500.0;
    let Stored::Record(read) = decode(&ahead.encode(), &settings, NOW) else {
        panic!("a miss");
    };
    assert_eq!(read.at, NOW);
}

#[test]
fn the_original_s_plain_url_names_the_winner() {
    let settings = settings("https://a.com https://b.com");
    assert_eq!(
        decode("https://b.com/\n", &settings, NOW),
        Stored::Winner(1)
    );
}
