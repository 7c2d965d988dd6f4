//! What an instance tells of itself in numbers, and when.

use crate::talk::{Talk, attempt, target};
use function_fetch_engine::stats::{Answers, Stats};
use function_fetch_engine::{Failure, Millis};

const EVERY_10_S: [(&str, &str); 1] = [("FETCH_STATS_SECONDS", "10")];

/// What is told now, if anything.
fn told(talk: &mut Talk) -> Option<Stats> {
    talk.engine.take_stats(false, talk.now)
}

fn everything(talk: &mut Talk) -> Stats {
    let stats = talk.engine.take_stats(true, talk.now);
    stats.expect("there is something to tell")
}

fn count(answers: &Answers) -> u32 {
    answers.times.counts.iter().sum()
}

#[test]
fn without_the_setting_nothing_is_counted() {
    let mut talk = Talk::warm(&[]);
    talk.get();
    talk.wait(3_600_000.0);
    assert!(!talk.engine.has_stats());
    assert_eq!(talk.engine.take_stats(true, talk.now), None);
}

#[test]
fn counts_are_told_no_more_often_than_asked_for_and_once() {
    let mut talk = Talk::warm(&EVERY_10_S);
    let _ = everything(&mut talk);
    for _ in 0..99 {
        talk.wait(100.0);
        talk.get();
        assert_eq!(told(&mut talk), None);
    }
    talk.wait(100.0);
    talk.get();
    let stats = told(&mut talk).expect("ten seconds have passed");
    assert_eq!((stats.requests, stats.for_ms), (100, 10_000));
    assert_eq!(stats.targets[0].attempts, 100);
    assert!(!talk.engine.has_stats());
    talk.wait(10_000.0);
    assert_eq!(told(&mut talk), None, "nothing has happened since");
}

#[test]
fn the_first_counts_wait_as_long_as_all_others() {
    let mut talk = Talk::new(&EVERY_10_S);
    assert!(!talk.engine.has_stats());
    talk.begin("GET");
    assert!(talk.engine.has_stats());
    assert_eq!(told(&mut talk), None);
    talk.wait(10_000.0);
    let stats = told(&mut talk).expect("ten seconds have passed");
    assert_eq!((stats.requests, stats.for_ms), (1, 10_000));
}

#[test]
fn a_clock_that_is_set_back_holds_no_counts_up() {
    let mut talk = Talk::warm(&EVERY_10_S);
    let _ = everything(&mut talk);
    talk.get();
    assert_eq!(told(&mut talk), None, "no time has passed");
    talk.wait(-60_000.0);
    let stats = told(&mut talk).expect("nobody knows how much time has passed");
    assert_eq!((stats.requests, stats.for_ms), (1, 0));
}

#[test]
fn an_instance_that_is_about_to_be_replaced_tells_the_rest() {
    let mut talk = Talk::warm(&EVERY_10_S);
    let _ = everything(&mut talk);
    let last = (0..128).map(|_| talk.begin("GET")).last().unwrap();
    assert_eq!(told(&mut talk), None, "they are under way");
    for _ in 0..128 {
        talk.status(&last, 200);
    }
    let stats = told(&mut talk).expect("after the last of 128 requests");
    assert_eq!(stats.requests, 128);
}

#[test]
fn what_became_of_each_attempt_is_told_by_target_method_and_outcome() {
    let mut talk = Talk::warm(&EVERY_10_S);
    let _ = everything(&mut talk);
    // Refused by the first, answered by the second.
    let step = talk.begin("GET");
    let step = talk.fails(&step, Failure::ConnectionRefused);
    assert_eq!(target(&step), 1);
    talk.answers_in(&step, 20.0);
    // A POST that fails is not repeated.
    let step = talk.begin("POST");
    talk.status(&step, 503);
    let stats = everything(&mut talk);

    let [first, second, third] = &stats.targets[..] else {
        panic!("three targets: {stats:?}");
    };
    assert_eq!((first.attempts, first.retries, first.ejections), (1, 0, 1));
    assert!(!first.healthy && second.healthy && third.healthy);
    assert_eq!(first.answers.len(), 1);
    assert_eq!(first.answers[0].error, Some("connection_refused"));
    assert_eq!((second.attempts, second.retries, second.hedges), (2, 1, 0));
    let [get, post] = &second.answers[..] else {
        panic!("two outcomes: {second:?}");
    };
    assert_eq!((get.method, get.status, count(get)), ("GET", Some(200), 1));
    assert_eq!(get.times.sum_ms, Millis(20.0));
    assert_eq!(get.times.counts, [0, 0, 1], "more than 10 ms, up to 25");
    assert_eq!((post.method, post.status), ("POST", Some(503)));
    assert_eq!(third.attempts, 0);
    assert_eq!(stats.primary.as_deref(), Some("http://b.test"));
}

#[test]
fn a_hedge_is_told_apart_from_a_retry() {
    let mut talk = Talk::warm(&[EVERY_10_S[0], ("FETCH_HEDGE_MS", "50")]);
    let _ = everything(&mut talk);
    let step = talk.begin("GET");
    talk.wait(50.0);
    let step = talk.waited(&step, &[(0, 50.0)]);
    assert_eq!(target(&step), 1);
    talk.status(&step, 200);
    let stats = everything(&mut talk);
    let hedges: Vec<u32> = stats.targets.iter().map(|one| one.hedges).collect();
    let retries: Vec<u32> = stats.targets.iter().map(|one| one.retries).collect();
    assert_eq!((hedges, retries), (vec![0, 1, 0], vec![0, 0, 0]));
}

#[test]
fn probes_and_the_decision_are_told() {
    let mut talk = Talk::new(&EVERY_10_S);
    talk.begin("GET");
    let cold = everything(&mut talk);
    assert_eq!((cold.primary, cold.measured_at), (None, None));
    talk.round(&[Some(5.0), None, Some(300.0)]);
    let stats = everything(&mut talk);
    let probes = |place: usize| {
        let one = &stats.targets[place];
        (one.probes.counts.iter().sum::<u32>(), one.failed_probes)
    };
    assert_eq!([probes(0), probes(1), probes(2)], [(1, 0), (0, 1), (1, 0)]);
    assert_eq!(stats.targets[2].probes.sum_ms, Millis(300.0));
    assert_eq!(stats.targets[1].ejections, 1);
    assert_eq!(stats.primary.as_deref(), Some("http://a.test"));
    assert_eq!(stats.measured_at, Some(talk.now));
}

#[test]
fn the_store_is_counted() {
    let mut talk = Talk::with_store(&EVERY_10_S);
    let step = talk.begin("GET");
    talk.settle(step.state, function_fetch_engine::Event::StoreFailed);
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    assert!(talk.write().is_some());
    let store = everything(&mut talk).store;
    assert_eq!((store.reads, store.failed_reads), (0, 1));
    assert_eq!((store.writes, store.failed_writes), (1, 0));
}

#[test]
fn where_calls_are_expensive_every_answer_is_reported_to_be_counted() {
    let mut talk = Talk::with_sampled_reports(&EVERY_10_S);
    talk.round(&[Some(5.0), Some(60.0), Some(300.0)]);
    for _ in 0..10 {
        talk.wait(1.0);
        let step = talk.begin("GET");
        assert!(attempt(&step).report);
        talk.status(&step, 200);
    }
    let stats = everything(&mut talk);
    assert_eq!(count(&stats.targets[0].answers[0]), 10);
}
