//! What live requests have shown adds up over instances that live for a few of them.

use crate::serve::{Live, status};
use crate::talk::Talk;
use function_fetch_engine::{Record, Stored, Tally};

pub fn first_fails(target: usize) -> Live {
    status(if target == 0 { 500 } else { 200 })
}

/// The first instance of all: it has measured.
pub fn measured() -> Talk {
    let mut talk = Talk::with_store(&[]);
    talk.measure(&[Some(5.0), Some(60.0), Some(300.0)]);
    talk.stored = talk.write();
    assert!(talk.stored.is_some());
    talk
}

/// The next instance, which finds what the store holds.
pub fn after(before: &Talk) -> Talk {
    let mut talk = Talk::with_store(&[]);
    // Instances do not act in step.
    talk.reseed(before.now.0 as u64);
    talk.now = before.now;
    talk.stored.clone_from(&before.stored);
    talk
}

pub fn record(stored: Option<&Stored>) -> &Record {
    match stored {
        Some(Stored::Record(record)) => record,
        other => panic!("no record: {other:?}"),
    }
}

fn seen(talk: &Talk) -> Tally {
    record(talk.stored.as_ref()).targets[0]
        .live_answers
        .unwrap_or_default()
}

#[test]
fn evidence_adds_up_over_instances_of_three_requests() {
    let mut talk = measured();
    let mut asked = 0;
    for _ in 0..10 {
        talk = after(&talk);
        for request in 0..3 {
            talk.wait(1_000.0);
            // One failure in each instance.
            let fails = request == 1;
            let served = talk.serve("GET", |target| {
                status(if fails && target == 0 { 500 } else { 200 })
            });
            assert_eq!(served.status, 200);
            asked += u32::from(served.tried.contains(&0));
        }
    }
    assert!((7..=13).contains(&asked), "{asked}");
}

#[test]
fn an_instance_that_starts_knows_what_is_out_and_goes_on_with_its_trials() {
    let mut talk = measured();
    for _ in 0..3 {
        talk.wait(100.0);
        talk.serve("GET", first_fails);
    }
    talk = after(&talk);
    assert_eq!(talk.serve("GET", first_fails).tried, [1]);
    assert_eq!(talk.serve("POST", first_fails).tried, [1]);
    let mut trials = 0;
    let back = (0..400).find(|_| {
        talk = after(&talk);
        (0..3).any(|_| {
            talk.wait(250.0);
            let served = talk.serve("GET", |_| status(200));
            trials += u32::from(served.trial);
            served.tried == [0] && !served.trial
        })
    });
    assert!(back.is_some(), "after {trials} trials");
    assert_eq!(trials, 12);
}

#[test]
fn a_failed_trial_doubles_the_backoff_for_all_instances_to_come() {
    let mut talk = measured();
    let mut lengths: Vec<f64> = Vec::new();
    for _ in 0..1_000 {
        talk = after(&talk);
        for _ in 0..3 {
            talk.wait(500.0);
            assert_eq!(talk.serve("GET", first_fails).status, 200);
        }
        lengths.extend(talk.ejections().into_iter().map(|(.., ms)| ms));
    }
    assert!(lengths.len() >= 5, "{lengths:?}");
    for (length, wanted) in lengths.iter().zip([10e3, 20e3, 40e3, 80e3, 160e3]) {
        assert!((length - wanted).abs() <= 0.101 * wanted, "{lengths:?}");
    }
}

#[test]
fn nothing_counts_twice() {
    let mut one = measured();
    one.serve("GET", first_fails);
    let once = seen(&one).bad;
    assert!((0.9..=1.0).contains(&once), "{once}");
    // Its own write comes back, and through another that adds nothing of its own.
    let mut other = after(&one);
    other.serve("GET", |_| status(200));
    for _ in 0..5 {
        for talk in [&mut one, &mut other] {
            talk.wait(1_000.0);
            talk.serve("GET", |_| status(200));
        }
        one.stored.clone_from(&other.stored);
    }
    other.serve("GET", first_fails);
    one.stored.clone_from(&other.stored);
    one.wait(1_000.0);
    one.serve("GET", |_| status(200));
    one.serve("GET", first_fails);
    let thrice = seen(&one).bad;
    assert!((1.5..=3.0).contains(&thrice), "{thrice}");
}
