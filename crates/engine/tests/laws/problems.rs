//! What is wrong with the settings is reported once, not by each instance.

use crate::talk::{probe, request};
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Action, Capabilities, Engine, Event, Millis, Notice, Settings, Stored, Timestamp,
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

/// How many bad settings it names, where its store holds this; and what it then
/// writes there.
fn named(
    mut engine: Engine,
    store: Option<Option<Stored>>,
    now: Timestamp,
) -> (usize, Option<Stored>) {
    let step = engine.begin(&request("GET"), now);
    let mut notices = engine.take_notices(now);
    if step.action == Action::ReadStore {
        let read = store.map_or(Event::StoreFailed, Event::StoreRead);
        engine.settle(step.state, read, now);
        notices.extend(engine.take_notices(now));
    }
    while let Some(round) = engine.start_round(now) {
        for target in round.targets {
            engine.probed(round.id, target, probe(Some(5.0)), now);
        }
        engine.finish_round(round.id, now);
    }
    notices.extend(engine.take_notices(now));
    let bad = notices
        .iter()
        .filter(|notice| matches!(notice, Notice::BadSetting { .. }));
    let write = engine.take_write(now);
    (bad.count(), write.map(|write| Stored::Record(write.record)))
}

#[test]
fn a_bad_setting_is_reported_once_for_each_record() {
    const TWO: &str = "http://a.test http://b.test";
    let now = Timestamp(1e12);
    let (count, value) = named(instance(TWO, "perhaps"), Some(None), now);
    assert_eq!(count, 1, "nothing is known yet");
    let value = value.expect("the round is written");

    let read = Some(Some(value));
    assert_eq!(
        named(instance(TWO, "perhaps"), read.clone(), now + Millis(1.0)),
        (0, None)
    );
    let (count, other) = named(instance(TWO, "or not"), read, now + Millis(1.0));
    assert_eq!(count, 1, "it is another problem");
    let read = Some(other);
    assert_eq!(
        named(instance(TWO, "or not"), read.clone(), now + Millis(2.0)).0,
        0
    );
    assert_eq!(
        named(instance(TWO, "true"), read, now + Millis(2.0)),
        (0, None)
    );

    assert_eq!(named(instance(TWO, "perhaps"), None, now).0, 1);
    let plain = Some(Some(Stored::Text("http://b.test".to_owned())));
    assert_eq!(named(instance(TWO, "perhaps"), plain, now).0, 1);
    // Here nobody asks the store.
    assert_eq!(named(instance("http://a.test", "perhaps"), None, now).0, 1);
    assert_eq!(named(instance("a.test", "perhaps"), None, now).0, 2);
}
