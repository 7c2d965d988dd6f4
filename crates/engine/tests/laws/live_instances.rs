//! What live requests have shown, where instances are short-lived and many, or requests are
//! rare.

use crate::live_shared::{after, first_fails, measured, record};
use crate::serve::{Live, status};
use crate::talk::{Talk, target, wish};
use function_fetch_engine::{Action, Event, Failure, Millis, Stored, Timestamp};

#[test]
fn one_failure_in_a_hundred_ejects_nobody_however_short_instances_live() {
    for (life, pause) in [(128, 100.0), (3, 100.0), (1, 100.0), (3, 1_000.0)] {
        let mut talk = measured();
        for request in 0..10_000 {
            if request % life == 0 {
                talk = after(&talk);
            }
            talk.wait(pause);
            let fails = request % 100 == 7;
            talk.serve("GET", |target| {
                status(if fails && target == 0 { 500 } else { 200 })
            });
            assert_eq!(
                talk.ejections(),
                [],
                "request {request} of instances of {life}, one in {pause} ms"
            );
        }
    }
}

#[test]
fn a_wish_for_peace_outlives_the_news_of_another_instance() {
    let mut one = measured();
    let mut other = after(&one);
    let step = one.begin("GET");
    let step = one.settle(step.state, wish(0, 429, 60_000.0, 5.0));
    assert_eq!(one.first_choice(), 1);
    assert!(step.write, "others had better leave it in peace, too");
    // Another instance, which had no such answer, writes news of its own.
    other.serve("GET", |target| status(if target == 0 { 503 } else { 200 }));
    one.stored.clone_from(&other.stored);
    one.wait(1_000.0);
    one.serve("POST", |_| status(200));
    assert_eq!(one.first_choice(), 1);
}

#[test]
fn no_record_keeps_a_target_from_its_trials_or_its_requests_for_long() {
    let ever = |talk: &Talk| Timestamp(talk.now.0 * 2.0);
    let mut talk = measured();
    for _ in 0..3 {
        talk.serve("GET", first_fails);
    }
    let mut untried = record(talk.stored.as_ref()).clone();
    untried.targets[0].until = None;
    if let Some(half_open) = &mut untried.targets[0].half_open {
        half_open.next = ever(&talk);
    }
    let mut aside = record(measured().stored.as_ref()).clone();
    aside.targets[0].aside = Some(ever(&talk));
    for (record, what) in [(untried, "half-open"), (aside, "aside")] {
        let mut next = after(&talk);
        next.stored = Some(Stored::Record(record));
        let back = (0..4_000).any(|_| {
            next.wait(200.0);
            let served = next.serve("GET", |_| status(200));
            served.tried == [0] && !served.trial
        });
        assert!(back, "{what} for ever");
    }
}

#[test]
fn a_target_that_recovers_is_back_within_a_minute_however_short_instances_live() {
    for life in [1, 2, 3] {
        let mut talk = measured();
        for _ in 0..3 {
            talk.wait(1_000.0);
            talk.serve("GET", first_fails);
        }
        let back = (0..120).any(|request| {
            if request % life == 0 {
                talk = after(&talk);
            }
            talk.wait(500.0);
            let served = talk.serve("GET", |_| status(200));
            served.tried == [0] && !served.trial
        });
        assert!(back, "instances of {life}");
    }
}

#[test]
fn what_is_normal_is_told_once_to_instances_to_come() {
    let normal = |talk: &Talk| record(talk.stored.as_ref()).targets[0].live;
    let mut talk = measured();
    assert_eq!(normal(&talk), None);
    let mut writes = 0;
    for _ in 0..200 {
        let before = talk.stored.clone();
        talk.wait(100.0);
        talk.serve("GET", |_| status(200));
        writes += usize::from(talk.stored != before);
    }
    assert_eq!(writes, 1);
    assert!(normal(&talk).is_some());
    // The next one meets a target that has become ten times as slow, and nothing else.
    let mut next = after(&talk);
    let slow_since = next.now;
    next.wait(10_000.0);
    let refreshed = (0..100).any(|_| {
        next.wait(500.0);
        let step = next.begin("GET");
        if step.round {
            return true;
        }
        let step = match step.action {
            Action::ReadStore => {
                let event = Event::StoreRead(next.stored.clone());
                next.settle(step.state, event)
            }
            _ => step,
        };
        next.answers_in(&step, 50.0);
        false
    });
    let after = next.now - slow_since;
    assert!(refreshed && after < Millis(45_000.0), "{after:?}");
}

#[test]
fn a_wish_for_peace_is_heard_by_instances_to_come() {
    let mut one = measured();
    let step = one.begin("GET");
    let step = one.settle(step.state, wish(0, 503, 60_000.0, 5.0));
    let step = one.status(&step, 200);
    assert!(step.write);
    one.stored = one.write();
    for (wait, tried) in [(30_000.0, 1), (30_001.0, 0)] {
        one.wait(wait);
        let mut next = after(&one);
        assert_eq!(next.serve("GET", |_| status(200)).tried, [tried]);
        assert_eq!(next.serve("POST", |_| status(200)).tried, [0]);
    }
}

/// An instance that knows what is normal, and has told it.
fn with_normal() -> Talk {
    let mut talk = measured();
    for _ in 0..200 {
        talk.wait(100.0);
        talk.serve("GET", |_| Live::Answers(200, 20.0));
    }
    assert!(record(talk.stored.as_ref()).targets[0].live.is_some());
    talk
}

#[test]
fn about_a_quarter_of_the_overdue_answers_is_told_to_others_at_once() {
    let normal = with_normal();
    let mut told = 0;
    for seed in 0..60 {
        let mut next = after(&normal);
        next.reseed(seed);
        let served = next.serve("GET", |target| match target {
            0 => Live::Hangs,
            _ => status(200),
        });
        assert_eq!(served.tried, [0, 1]);
        told += usize::from(next.stored != normal.stored);
    }
    assert!((8..=24).contains(&told), "{told}");
}

#[test]
fn about_a_quarter_of_the_good_answers_after_failures_is_told_to_others_at_once() {
    let mut failing = measured();
    for _ in 0..2 {
        failing.serve("GET", first_fails);
    }
    let mut told = 0;
    for seed in 0..60 {
        let mut next = after(&failing);
        next.reseed(seed);
        assert_eq!(next.serve("GET", |_| status(200)).tried, [0]);
        told += usize::from(next.stored != failing.stored);
    }
    assert!((8..=24).contains(&told), "{told}");
}

/// After how many slow answers the first target is compared with the next, if it ever is.
fn compared_after(talk: &mut Talk) -> Option<u32> {
    (1..60).find(|_| {
        talk.wait(100.0);
        let step = talk.begin("GET");
        assert!(!step.state.trial, "it has not begun");
        let step = talk.answers_in(&step, 200.0);
        let Some(written) = talk.write() else {
            return false;
        };
        assert!(step.write);
        let has_begun = record(Some(&written)).trial.is_some();
        talk.stored = Some(written);
        has_begun
    })
}

#[test]
fn a_comparison_begins_once_a_drift_has_lasted_and_others_hear_of_it() {
    // Three or four until the mean of the last eight shows it, and eight more.
    let after = compared_after(&mut with_normal());
    assert!(matches!(after, Some(10..=13)), "{after:?}");
    // What nothing could be compared with does not begin.
    let mut next = Talk::with_store(&[("FETCH_MAX_ATTEMPTS", "1")]);
    let normal = with_normal();
    next.now = normal.now;
    next.stored = normal.stored;
    next.serve("GET", |_| Live::Answers(200, 20.0));
    assert_eq!(compared_after(&mut next), None);
}

#[test]
fn only_the_chosen_target_and_trials_of_the_next_are_compared() {
    let mut talk = with_normal();
    assert!(compared_after(&mut talk).is_some());
    let wished = |talk: &mut Talk, wanted: usize| {
        let step = loop {
            let step = talk.begin("GET");
            if !step.state.trial {
                break step;
            }
        };
        assert_eq!(target(&step), wanted);
        let step = talk.settle(step.state, wish(wanted, 429, 60_000.0, 200.0));
        assert!(step.write);
        let written = talk.write().expect("a wish is told");
        record(Some(&written)).trial.expect("a comparison")
    };
    // The chosen one wishes for peace; the next has all, and then does, too.
    let before = wished(&mut talk, 0);
    for _ in 0..20 {
        let step = talk.begin("GET");
        if !step.state.trial {
            talk.answers_in(&step, 20.0);
        }
    }
    assert_eq!(wished(&mut talk, 1), before);
}

#[test]
fn a_time_out_of_a_target_that_was_silent_is_told_to_others_before_the_retry() {
    for (failure, silent_for, is_told) in [
        (Failure::AttemptTimeout, None, true),
        (Failure::ConnectionTerminated, None, false),
        (Failure::AttemptTimeout, Some(59_000.0), false),
        (Failure::AttemptTimeout, Some(60_000.0), true),
    ] {
        let mut talk = measured();
        if let Some(silent_for) = silent_for {
            talk.serve("GET", |_| status(200));
            talk.wait(silent_for);
        }
        let step = talk.begin("GET");
        assert!(!step.write);
        let step = talk.fails(&step, failure);
        assert_eq!(target(&step), 1);
        assert_eq!(step.write, is_told, "{failure:?} {silent_for:?}");
        if is_told {
            let written = talk.write();
            assert_eq!(record(written.as_ref()).targets[0].fail, 1);
            talk.stored = written;
            let mut next = after(&talk);
            next.serve("POST", |_| Live::Answers(404, 5.0));
            for talk in [&mut talk, &mut next] {
                talk.wait(61_000.0);
                let again = talk.begin("GET");
                let again = talk.fails(&again, failure);
                assert!(!again.write, "others know it");
            }
        }
    }
}

#[test]
fn an_instance_goes_on_with_the_comparison_that_has_come_further() {
    let mut talk = with_normal();
    assert!(compared_after(&mut talk).is_some());
    let mut begun = record(talk.stored.as_ref()).clone();
    let trial = begun.trial.as_mut().expect("a comparison");
    trial.own = (12.0, 5.0, 0.5).into();
    trial.other = (2.0, 4.0, 0.25).into();
    let begun_trial = begun.trial;
    for (other, goes_on) in [(1.0, false), (2.0, false), (3.0, true)] {
        // It has read the one, and meets the other.
        let mut next = after(&talk);
        next.stored = Some(Stored::Record(begun.clone()));
        next.serve("POST", |_| Live::Answers(200, 200.0));
        let mut news = begun.clone();
        news.at = news.at + Millis(1.0);
        if let Some(trial) = &mut news.trial {
            trial.own.count = 9.0;
            trial.other.count = other;
        }
        let met = news.trial;
        next.stored = Some(Stored::Record(news));
        next.wait(1_000.0);
        next.serve("POST", |_| Live::Answers(200, 200.0));
        let step = next.begin("POST");
        next.settle(step.state, wish(0, 429, 60_000.0, 200.0));
        let written = next.write().expect("a wish is told");
        let wanted = if goes_on { met } else { begun_trial };
        assert_eq!(record(Some(&written)).trial, wanted, "{other}");
    }
}

#[test]
fn what_pairs_have_shown_is_told_once_there_are_some() {
    let mut talk = measured();
    assert_eq!(record(talk.stored.as_ref()).pairs, None);
    talk.serve("GET", first_fails);
    let pairs = record(talk.stored.as_ref()).pairs.expect("one");
    assert_eq!((pairs.blamed, pairs.shared), (1.0, 0.0));
}

#[test]
fn with_none_nothing_is_said_of_failures() {
    let mut talk = Talk::new(&[("FETCH_CACHE_ADAPTER", "none")]);
    for _ in 0..20 {
        talk.serve("POST", first_fails);
    }
    assert_eq!(talk.notices(), []);
}

#[test]
fn a_failed_trial_costs_no_client_an_error_whatever_runs_beside_it() {
    let mut talk = Talk::warm(&[]);
    for _ in 0..3 {
        talk.serve("GET", first_fails);
    }
    // The retries are used up by requests that fail everywhere.
    for _ in 0..20 {
        talk.serve("GET", |_| status(500));
    }
    talk.wait(12_000.0);
    talk.serve("POST", |_| status(200));
    let trial = (0..100).find_map(|_| {
        let step = talk.begin("GET");
        if step.state.trial {
            return Some(step);
        }
        talk.status(&step, 200);
        None
    });
    let trial = trial.expect("a trial");
    let beside = talk.begin("GET");
    talk.status(&beside, 500);
    let step = talk.status(&trial, 500);
    assert!(matches!(step.action, Action::Send(_)), "{:?}", step.action);
}

#[test]
fn at_one_request_a_minute_a_target_that_always_fails_is_out_too() {
    let mut talk = Talk::warm(&[]);
    let (mut failed, mut asked) = (0, 0);
    for _ in 0..120 {
        talk.wait(60_000.0);
        let served = talk.serve("GET", first_fails);
        failed += u32::from(served.status == 500);
        asked += u32::from(served.tried.contains(&0));
    }
    assert_eq!(failed, 0, "the retries have run dry");
    assert!(asked <= 30, "{asked}");
}
