//! What is wrong with the settings is told once, not by each instance.

use crate::talk::probe;
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Action, Capabilities, Engine, Event, Notice, Request, Settings, Stored,
};

/// A new instance of these settings, with a store.
fn instance(targets: &str, explain: &str) -> Engine {
    let given = [("FETCH_TARGETS", targets), ("FETCH_EXPLAIN", explain)];
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let host = Capabilities {
        store: Some(StoreKind::Spin),
        ..Capabilities::default()
    };
    Engine::new(Settings::of(host, &given), 1)
}

/// How many bad settings it names, where its store has this to say; and what it
/// then puts there.
fn named(mut engine: Engine, store: Option<Option<Stored>>, now: f64) -> (usize, Option<Stored>) {
    let request = Request {
        method: "GET",
        path: "/",
        hops: 0,
        has_body: false,
    };
    let step = engine.begin(&request, now);
    let mut notices = engine.take_notices();
    if step.action == Action::ReadStore {
        let read = store.map_or(Event::StoreFailed, Event::StoreRead);
        engine.settle(step.exchange, read, now);
        notices.extend(engine.take_notices());
    }
    while let Some(round) = engine.start_round(now) {
        for target in round.targets {
            engine.probed(round.id, target, probe(Some(5.0)), now);
        }
        engine.finish_round(round.id, now);
    }
    notices.extend(engine.take_notices());
    let bad = notices
        .iter()
        .filter(|notice| matches!(notice, Notice::BadSetting { .. }));
    let write = engine.take_write(now);
    (bad.count(), write.map(|write| Stored::Record(write.record)))
}

#[test]
fn a_bad_setting_is_told_once_for_each_record() {
    const TWO: &str = "http://a.test http://b.test";
    let now = 1e12;
    let (count, value) = named(instance(TWO, "perhaps"), Some(None), now);
    assert_eq!(count, 1, "nothing is known yet");
    let value = value.expect("the round is told");

    let read = Some(Some(value));
    assert_eq!(
        named(instance(TWO, "perhaps"), read.clone(), now + 1.0),
        (0, None)
    );
    let (count, other) = named(instance(TWO, "or not"), read, now + 1.0);
    assert_eq!(count, 1, "it is another problem");
    let read = Some(other);
    assert_eq!(named(instance(TWO, "or not"), read.clone(), now + 2.0).0, 0);
    assert_eq!(named(instance(TWO, "true"), read, now + 2.0), (0, None));

    assert_eq!(named(instance(TWO, "perhaps"), None, now).0, 1);
    let plain = Some(Some(Stored::Text("http://b.test".to_owned())));
    assert_eq!(named(instance(TWO, "perhaps"), plain, now).0, 1);
    // Here nobody asks the store.
    assert_eq!(named(instance("http://a.test", "perhaps"), None, now).0, 1);
    assert_eq!(named(instance("a.test", "perhaps"), None, now).0, 2);
}
