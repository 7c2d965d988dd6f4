//! What live instances learn from each other between two refreshes.

use crate::talk::{Talk, target};
use function_fetch_engine::record::TargetRecord;
use function_fetch_engine::status::Source;
use function_fetch_engine::{ChangeReason, Event, Failure, Millis, Notice, Record, Stored};

/// Two instances that know the same: one has measured, the other has read it.
fn two() -> (Talk, Talk, Stored) {
    let mut one = Talk::with_store(&[]);
    one.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
    let value = one.write().expect("a decision to write");
    let mut other = Talk::with_store(&[]);
    other.now = one.now;
    let step = other.begin("GET");
    let event = Event::StoreRead(Some(value.clone()));
    let step = other.settle(step.state, event);
    other.status(&step, 200);
    one.notices();
    other.notices();
    (one, other, value)
}

fn recorded(written: Option<Stored>) -> Record {
    match written {
        Some(Stored::Record(record)) => record,
        other => panic!("no record: {other:?}"),
    }
}

/// A second later: the instance reads the store behind its next request.
fn sync(talk: &mut Talk, value: &Stored) {
    talk.wait(1_000.0);
    assert!(talk.get().round, "a second has passed");
    let round = talk
        .engine
        .start_round(talk.now)
        .expect("the store is asked");
    assert!(round.read_store);
    if !talk.engine.round_read_store(Some(value), talk.now) {
        talk.engine.finish_round(round.id, talk.now);
    }
}

fn dies(talk: &mut Talk, wanted: usize) {
    let step = talk.begin("GET");
    assert_eq!(target(&step), wanted);
    let step = talk.fails(&step, Failure::ConnectionRefused);
    talk.status(&step, 200);
}

#[test]
fn a_failover_reaches_the_others_within_a_second() {
    let (mut one, mut other, _) = two();
    dies(&mut one, 0);
    let value = one.write().expect("written at once");
    sync(&mut other, &value);
    assert_eq!(other.first_choice(), 1);
    assert!(matches!(
        other.notices()[..],
        [Notice::PrimaryChanged {
            reason: ChangeReason::Store,
            ..
        }]
    ));
    assert_eq!(other.write(), None, "there is nothing to add");
}

#[test]
fn no_news_moves_the_primary_to_a_target_that_is_faster_by_less_than_the_margin() {
    let (mut one, mut other, value) = two();
    let mut news = recorded(Some(value));
    news.targets[0].latency = Some(Millis(50.0));
    news.targets[1].latency = Some(Millis(45.0));
    news.targets[2].fail = 1;
    for talk in [&mut one, &mut other] {
        sync(talk, &Stored::Record(news.clone()));
        assert_eq!(talk.first_choice(), 0);
        assert_eq!(talk.notices(), []);
        assert_eq!(talk.write(), None, "there is nothing to add");
    }
}

#[test]
fn a_round_that_the_store_has_settled_is_over() {
    let (mut one, _, value) = two();
    for _ in 0..3 {
        sync(&mut one, &value);
        assert!(one.engine.round_is_ready(one.now));
    }
}

#[test]
fn a_refresh_is_settled_by_a_later_measurement_that_is_not_itself_due() {
    const TTL: f64 = 300_000.0;
    // Ours is as old as a TTL when it is refreshed.
    for (age, is_settled) in [
        (0.1 * TTL, true),
        (0.8 * TTL - 1.0, true),
        (0.8 * TTL, false),
        (0.9 * TTL, false),
        (TTL, false),
        (1.1 * TTL, false),
    ] {
        let (mut one, ..) = two();
        let measured = one.now;
        one.wait(TTL);
        let (again, _, value) = two();
        let mut record = recorded(Some(value));
        record.at = one.now - Millis(age);
        record.primary = 1;
        assert_eq!(again.now, measured);
        let round = one.engine.start_round(one.now).expect("a refresh is due");
        assert!(round.read_store && !round.targets.is_empty());
        let stored = Stored::Record(record);
        let settled = one.engine.round_read_store(Some(&stored), one.now);
        assert_eq!(settled, is_settled, "{age}");
        if settled {
            assert_eq!(one.first_choice(), 1);
            assert_eq!(one.engine.finish_round(round.id, one.now), None);
        }
    }
}

#[test]
fn of_two_measurements_the_later_one_counts_and_an_older_one_is_overwritten() {
    let latencies = |record: &Record| {
        let ms = |target: &TargetRecord| target.latency.map_or(0.0, |latency| latency.0);
        record.targets.iter().map(ms).collect::<Vec<f64>>()
    };
    for (later, wanted, source) in [
        (10_000.0, 1, Source::Store),
        (0.0, 1, Source::Probes),
        (-10_000.0, 0, Source::Probes),
    ] {
        let (mut one, _, value) = two();
        let mut news = recorded(Some(value));
        let ours = latencies(&news);
        let measured_at = news.at;
        news.at = news.at + Millis(later);
        news.primary = 1;
        for (target, ms) in news.targets.iter_mut().zip([90.0, 20.0, 310.0]) {
            target.latency = Some(Millis(ms));
        }
        one.wait(20_000.0);
        sync(&mut one, &Stored::Record(news.clone()));
        assert_eq!(one.first_choice(), wanted, "{later}");
        let changes = usize::from(wanted == 1);
        assert_eq!(one.notices().len(), changes, "{later}");
        assert_eq!(
            one.engine.status(one.now).decision.source,
            source,
            "{later}"
        );
        let untold = one.write();
        assert_eq!(untold.is_some(), later < 0.0, "{later}");

        // What it knows now is what it tells next.
        dies(&mut one, wanted);
        let told = recorded(one.write());
        let theirs = [90.0, 20.0, 310.0].to_vec();
        let known = if later < 0.0 { ours } else { theirs };
        assert_eq!(latencies(&told), known, "{later}");
        let at = measured_at + Millis(f64::max(later, 0.0));
        assert_eq!(told.at, at, "{later}");
    }
}

#[test]
fn a_failure_that_an_older_record_knows_of_moves_the_primary() {
    let (mut one, _, value) = two();
    let mut news = recorded(Some(value));
    news.at = news.at - Millis(10_000.0);
    let until = one.now + Millis(60_000.0);
    news.targets[0].until = Some(until);
    news.targets[0].last_ejection = Some((until, Millis(60_000.0)).into());
    sync(&mut one, &Stored::Record(news));
    assert!(matches!(
        one.notices()[..],
        [Notice::PrimaryChanged {
            reason: ChangeReason::Store,
            ..
        }]
    ));
    assert_eq!(one.first_choice(), 1);
}

#[test]
fn what_the_store_says_settles_a_round_unless_a_target_is_to_be_probed() {
    let (mut one, _, value) = two();
    one.wait(1_000.0);
    let round = one.engine.start_round(one.now).expect("the store is due");
    assert_eq!((round.read_store, round.targets.len()), (true, 0));
    assert!(one.engine.round_read_store(Some(&value), one.now));

    dies(&mut one, 0);
    let value = one.write();
    one.wait(2_000.0);
    let round = one.engine.start_round(one.now).expect("a probe is due");
    assert_eq!((round.read_store, round.targets), (true, vec![0]));
    assert!(!one.engine.round_read_store(value.as_ref(), one.now));
}

#[test]
fn only_a_target_that_there_is_can_be_stood_in_for() {
    for (absent, named) in [
        (None, None),
        (Some(0), Some("http://a.test")),
        (Some(2), Some("http://c.test")),
        (Some(3), None),
        (Some(u32::MAX), None),
    ] {
        let (.., value) = two();
        let mut record = recorded(Some(value));
        record.primary = 1;
        record.stands_in_for = absent;
        let mut new = Talk::with_store(&[]);
        new.now = record.at;
        let event = Event::StoreRead(Some(Stored::Record(record)));
        new.engine.status_store(&event, new.now);
        let decision = new.engine.status(new.now).decision;
        assert_eq!(decision.stands_in_for.as_deref(), named, "{absent:?}");
    }
}

#[test]
fn what_is_of_no_use_in_the_store_is_left_there_until_there_is_news() {
    let (mut one, _, value) = two();
    let mut of_others = recorded(Some(value));
    of_others.hash = "00000000".to_owned();
    for stored in [
        Stored::Text("what another program wrote".to_owned()),
        Stored::Record(of_others),
    ] {
        sync(&mut one, &stored);
        assert_eq!(one.write(), None, "{stored:?}");
    }
    dies(&mut one, 0);
    assert!(one.write().is_some());
}

#[test]
fn a_refresh_is_not_settled_by_what_this_instance_wrote_itself() {
    let mut one = Talk::with_store(&[]);
    one.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    let value = one.write().expect("a decision to write");
    // Of single probes it is soon refreshed.
    one.wait(60_000.0);
    let round = one.engine.start_round(one.now).expect("a refresh is due");
    assert_eq!((round.read_store, round.targets.len()), (true, 3));
    assert!(!one.engine.round_read_store(Some(&value), one.now));
}

#[test]
fn the_store_is_not_read_for_every_request() {
    let (mut one, ..) = two();
    let mut reads = 0;
    for _ in 0..1_000 {
        one.wait(10.0);
        if one.get().round
            && let Some(round) = one.engine.start_round(one.now)
        {
            assert!(round.targets.is_empty() && round.read_store);
            reads += 1;
            one.engine.finish_round(round.id, one.now);
        }
    }
    assert!((10..=14).contains(&reads), "{reads} in ten seconds");
}

#[test]
fn what_it_wrote_itself_is_no_news() {
    let (mut one, _, value) = two();
    sync(&mut one, &value);
    assert_eq!(one.first_choice(), 0);
    assert_eq!(one.notices(), []);
}

#[test]
fn two_discoveries_at_once_become_one_knowledge() {
    let (mut one, mut other, _) = two();
    // The first finds `a` dead, the second finds `b` dead; the second's write is the one that stays.
    dies(&mut one, 0);
    one.write().expect("written");
    let step = other.begin("GET");
    let step = other.fails(&step, Failure::ConnectionRefused);
    let step = other.fails(&step, Failure::ConnectionRefused);
    other.status(&step, 200);
    let mut record = recorded(other.write());
    // Of `a` it knows as well; take that away, as if only `b` had failed there.
    record.targets[0].fail = 0;
    record.targets[0].until = None;
    record.targets[0].last_ejection = None;
    record.primary = 0;
    sync(&mut one, &Stored::Record(record));
    assert_eq!(one.first_choice(), 2, "neither of the dead ones");
    // What was overwritten is written again.
    let union = recorded(one.write());
    assert!(union.targets[0].until.is_some());
    assert!(union.targets[1].until.is_some());
}

#[test]
fn a_recovery_reaches_the_others() {
    let (mut one, mut other, _) = two();
    dies(&mut one, 0);
    let value = one.write().expect("written");
    sync(&mut other, &value);
    assert_eq!(other.first_choice(), 1);
    one.wait(2_000.0);
    one.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    let value = one.write().expect("its recovery is written");
    sync(&mut other, &value);
    assert_eq!(other.first_choice(), 0);
}

#[test]
fn while_a_write_is_under_way_the_store_shows_the_past() {
    let (mut one, _, value) = two();
    dies(&mut one, 0);
    one.engine.take_write(one.now).expect("written");
    one.wait(1_000.0);
    let round = one.engine.start_round(one.now).expect("due");
    one.engine.round_read_store(Some(&value), one.now);
    one.engine.finish_round(round.id, one.now);
    assert_eq!(one.first_choice(), 1);
    assert!(!one.get().write, "it is no news");
    // What it still shows once that has ended has come in between.
    one.engine.store_written(true);
    sync(&mut one, &value);
    assert!(one.write().is_some());
}

#[test]
fn a_newer_measurement_replaces_an_older_one() {
    let (mut one, mut other, _) = two();
    one.wait(280_000.0);
    other.now = one.now;
    let round = one.engine.start_round(one.now);
    let mut next = round;
    while let Some(round) = next {
        for target in round.targets {
            let outcome = crate::talk::probe(Some([90.0, 20.0, 300.0][target]));
            one.engine.probed(round.id, target, outcome, one.now);
        }
        next = one.engine.finish_round(round.id, one.now);
    }
    let value = one.write().expect("measured");
    assert_eq!(one.first_choice(), 1);
    sync(&mut other, &value);
    assert_eq!(other.first_choice(), 1);
}

#[test]
fn a_store_that_lost_everything_is_written_again() {
    let (mut one, ..) = two();
    one.wait(1_000.0);
    assert!(one.get().round);
    let round = one.engine.start_round(one.now).expect("due");
    if !one.engine.round_read_store(None, one.now) {
        one.engine.finish_round(round.id, one.now);
    }
    assert!(one.get().write && one.write().is_some());
    assert!(!one.get().write, "once");
}

#[test]
fn zero_turns_it_off() {
    let mut one = Talk::with_store(&[("FETCH_CACHE_SYNC_SECONDS", "0")]);
    one.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
    one.write();
    for _ in 0..10 {
        one.wait(1_000.0);
        assert!(!one.get().round);
    }
}
