use super::*;

const START: Timestamp = Timestamp(0.0);
const FADE: Millis = Millis(1.0);
const MARGIN: Margin = Margin {
    percent: 20.0,
    least: Millis(10.0),
};

fn eject(health: &mut Health, now: f64) -> Option<f64> {
    let length = health.eject(Found::Outage, 0.5, Timestamp(now))?;
    Some(length.0)
}

#[test]
fn backoff_doubles_up_to_five_minutes_and_starts_anew_after_peace() {
    let mut health = Health::default();
    let mut now = 0.0;
    let mut lengths = Vec::new();
    for _ in 0..12 {
        let length = eject(&mut health, now).unwrap();
        lengths.push(length);
        now += length;
    }
    assert_eq!(lengths[..4], [1e3, 2e3, 4e3, 8e3]);
    assert_eq!(lengths[11], LONGEST_EJECTION.0);
    health.probe_passed(Millis(5.0), Timestamp(now), FADE);
    now += 2.0 * LONGEST_EJECTION.0 + 1.0;
    assert_eq!(eject(&mut health, now), Some(1e3));
}

#[test]
fn a_second_failure_does_not_lengthen_a_running_ejection() {
    let mut health = Health::default();
    assert_eq!(eject(&mut health, 0.0), Some(1e3));
    assert_eq!(eject(&mut health, 500.0), None);
    assert_eq!(health.ejected_until, Some(Timestamp(1e3)));
}

#[test]
fn retry_after_is_honoured_up_to_five_minutes() {
    for (wish, length) in [(30e3, 30e3), (1e9, 300e3)] {
        let mut health = Health::default();
        health.responded(503, true, Some(Millis(wish)), START);
        assert!(health.is_aside(Timestamp(length - 1.0)) && !health.is_ejected());
        assert!(!health.is_aside(Timestamp(length)));
        let ejected = health.eject(Found::ByRequests, 0.5, START);
        assert_eq!(ejected, Some(Millis(length)));
    }
}

#[test]
fn unanswered_requests_make_a_target_suspect_and_any_answer_clears_it() {
    let mut health = Health::default();
    let due = START + OVERDUE;
    let before = due - Millis(1.0);
    health.request_sent(START);
    health.request_sent(Timestamp(100.0));
    health.request_sent(before);
    assert!(!health.is_suspect(before));
    assert!(health.is_suspect(due) && health.awaits_probe(due));
    health.responded(200, false, None, due);
    assert!(!health.is_suspect(Timestamp(10_000.0)));
}

#[test]
fn a_suspicion_that_a_probe_disproves_waits_longer_next_time() {
    let mut health = Health::default();
    for alarm in 0..3 {
        health.request_sent(START);
        health.request_sent(START);
        let due = START + OVERDUE * f64::from(1 << alarm);
        assert!(!health.is_suspect(due - Millis(1.0)) && health.is_suspect(due));
        health.probe_passed(Millis(5.0), due, FADE);
    }
}

#[test]
fn others_are_told_of_answers_while_they_weigh_anything() {
    type Answers = fn(&mut Health);
    let cases: [(Answers, f64, bool); 5] = [
        (|_| (), 0.0, false),
        (|health| health.evidence.good(1.0, START), 0.0, true),
        (|health| health.evidence.bad(1.0, START), 0.0, true),
        (|health| health.evidence.good(1.0, START), 36e6, false),
        (|health| health.evidence.bad(1.0, START), 36e6, false),
    ];
    for (number, (answers, later, is_told)) in cases.into_iter().enumerate() {
        let mut health = Health::default();
        answers(&mut health);
        let told = health.share(Timestamp(later));
        assert_eq!(told.live_answers.is_some(), is_told, "{number}");
    }
}

#[test]
fn another_instances_ejection_lasts_no_longer_than_one_of_ours() {
    let now = Timestamp(1e12);
    let ejection = |ends: Timestamp, length: f64| Ejection {
        ends,
        length: Millis(length),
    };
    let longest = LONGEST_EJECTION.0;
    for (ends, length, adopted) in [
        (1e3, 4e3, (1e3, 4e3)),
        (-5e3, 4e3, (-5e3, 4e3)),
        (9e3, 4e3, (4e3, 4e3)),
        (1e9, 1e9, (longest, longest)),
        (1e3, 1.0, (1e3, BACKOFF.0)),
    ] {
        let known = TargetRecord {
            until: Some(now + Millis(ends)),
            last_ejection: Some(ejection(now + Millis(ends), length)),
            ..TargetRecord::default()
        };
        let mut health = Health::default();
        health.adopt_ejection(&known, now);
        let (ends_at, length) = adopted;
        let wanted = ejection(now + Millis(ends_at), length);
        assert_eq!(health.ejection(), Some(wanted), "{known:?}");
        let until = now + Millis(ends.min(longest));
        assert_eq!(health.ejected_until(), Some(until), "{known:?}");
    }
}

#[test]
fn a_relapse_within_twice_the_last_ejection_lasts_twice_as_long_and_others_hear_of_that() {
    for (after, length, is_told) in [(1_999.0, 2e3, true), (2_000.0, 1e3, false)] {
        let mut health = Health::default();
        let end = 1e6 + eject(&mut health, 1e6).unwrap();
        health.probe_passed(Millis(5.0), Timestamp(end), FADE);
        let now = end + after;
        let told = health.share(Timestamp(now)).last_ejection;
        assert_eq!(told.is_some(), is_told, "{after} ms later");
        assert_eq!(eject(&mut health, now), Some(length), "{after} ms later");
    }
}

#[test]
fn an_ejection_lasts_for_a_tenth_less_or_more_by_chance() {
    for (jitter, length) in [(0.0, 900.0), (0.25, 950.0), (0.5, 1_000.0), (1.0, 1_100.0)] {
        let mut health = Health::default();
        let Millis(ms) = health.eject(Found::Outage, jitter, START).unwrap();
        assert!((ms - length).abs() < 1e-6, "{jitter}: {ms}");
        assert_eq!(health.ejected_until(), Some(Timestamp(ms)));
    }
}

#[test]
fn a_target_that_may_hang_is_one_that_is_known_or_has_failed_or_was_silent() {
    let mut health = Health::default();
    assert!(!health.may_be_rescued(), "nothing is known");
    health.request_sent(START);
    assert!(!health.may_be_rescued(), "it may be a slow endpoint");
    health.probe_passed(Millis(5.0), Timestamp(10_000.0), FADE);
    assert!(health.may_be_rescued(), "it had no answer, and a probe had");
    health.responded(200, false, None, Timestamp(20_000.0));
    assert!(!health.may_be_rescued());

    health.has_lost_probe(Millis(5.0), Millis(1e9), Timestamp(20_001.0));
    assert!(health.may_be_rescued(), "a probe had no answer");
    health.probe_passed(Millis(5.0), Timestamp(20_002.0), FADE);
    assert!(!health.may_be_rescued());

    health.responded(500, true, None, Timestamp(20_003.0));
    assert!(health.may_be_rescued(), "it has failed");
    health.responded(200, false, None, Timestamp(20_004.0));
    assert!(!health.may_be_rescued());

    for _ in 0..16 {
        health.took(Millis(5.0));
    }
    assert!(health.may_be_rescued(), "what is normal is known");
}

#[test]
fn answers_that_were_not_reported_weigh_as_much_as_those_that_were() {
    let mut health = Health::default();
    for _ in 0..9 {
        health.request_unreported();
    }
    let mut weight = || {
        health.answered_well(false, Millis(5.0), MARGIN, START);
        health.share(START).live_answers.map(|tally| tally.good)
    };
    assert_eq!(weight(), Some(10.0));
    let once_more = weight().expect("it weighs something");
    assert!((once_more - 10.5).abs() < 1e-9, "{once_more}");
}

#[test]
fn an_overdue_answer_is_the_last_failure_whatever_was_before() {
    let mut health = Health::default();
    health.failed(Failure::AttemptTimeout);
    assert!(health.has_timed_out());
    health.was_overdue();
    assert!(!health.has_timed_out());
    let verdict = health.blamed(3.0, START).expect("too many");
    let reason = Reason::Request(LastFailure::Overdue);
    assert_eq!(verdict.reason, reason);
    assert_eq!(reason.to_string(), "http_response_timeout");
}

#[test]
fn what_this_side_gives_up_no_longer_waits_and_what_began_before_it_still_does() {
    for (began, waits) in [(0.0, false), (99.0, false), (100.0, false), (101.0, true)] {
        let mut health = Health::default();
        health.request_sent(Timestamp(100.0));
        health.attempt_cancelled(Timestamp(began));
        assert_eq!(health.awaits_probe(Timestamp(10_000.0)), waits, "{began}");
    }
}

#[test]
fn a_probe_without_an_answer_is_a_lost_packet_only_while_requests_are_answered() {
    const TOOK: Millis = Millis(1_500.0);
    const END: Timestamp = Timestamp(10_000.0);
    for (answered_at, waits_since, is_lost) in [
        (9_000.0, None, true),
        (8_501.0, None, true),
        // Nobody has asked, or not for as long as the probe took.
        (8_500.0, None, false),
        (0.0, None, false),
        // Another request waits, for not long or for too long.
        (9_000.0, Some(9_501.0), true),
        (9_000.0, Some(9_500.0), false),
    ] {
        let mut health = Health::default();
        health.responded(200, false, None, Timestamp(answered_at));
        if let Some(since) = waits_since {
            health.request_sent(Timestamp(since));
        }
        let lost = health.has_lost_probe(TOOK, Millis::ZERO, END);
        assert_eq!(lost, is_lost, "{answered_at} {waits_since:?}");
    }
}

#[test]
fn the_first_probe_without_an_answer_after_one_that_passed_is_a_lost_packet() {
    const TOOK: Millis = Millis(1_500.0);
    const RECENT: Millis = Millis(10_000.0);
    let mut health = Health::default();
    let measured = Timestamp(1e6);
    let in_time = measured + RECENT + TOOK - Millis(1.0);
    assert!(
        !health.has_lost_probe(TOOK, RECENT, in_time),
        "none has passed"
    );
    for (now, is_lost) in [(in_time, true), (in_time + Millis(1.0), false)] {
        health.probe_passed(Millis(5.0), measured, FADE);
        assert_eq!(health.has_lost_probe(TOOK, RECENT, now), is_lost);
        assert!(!health.has_lost_probe(TOOK, RECENT, now), "the second");
    }
    health.probe_passed(Millis(5.0), measured, FADE);
    eject(&mut health, measured.0);
    assert!(!health.has_lost_probe(TOOK, RECENT, in_time), "it is out");
}

/// Convicts by requests, and lets the backoff and a probe pass.
fn half_open(health: &mut Health, now: f64) -> f64 {
    let length = health.eject(Found::ByRequests, 0.5, Timestamp(now));
    let back = now + length.unwrap().0;
    assert!(!health.probe_passed(Millis(5.0), Timestamp(back), FADE));
    assert!(health.is_half_open() && health.is_ejected());
    back
}

#[test]
fn a_probe_does_not_clear_what_requests_found() {
    let mut health = Health::default();
    let mut verdict = None;
    for _ in 0..3 {
        health.responded(500, true, None, START);
        assert_eq!(verdict, None);
        verdict = health.blamed(1.0, START);
    }
    let verdict = verdict.expect("three in a row");
    assert_eq!(verdict.reason.to_string(), "status 500");
    assert_eq!(verdict.found, Found::ByRequests);
    let mut now = half_open(&mut health, 0.0);
    for _ in 0..11 {
        assert!(health.try_now(Timestamp(now)));
        let shown = health.answered_well(true, Millis(5.0), MARGIN, Timestamp(now));
        assert_eq!(shown, Shown::Nothing);
        now += 2_000.0;
    }
    let shown = health.answered_well(true, Millis(5.0), MARGIN, Timestamp(now));
    assert_eq!(shown, Shown::Fit);
    health.readmit(Timestamp(now));
    assert!(!health.is_ejected());
}

#[test]
fn a_failed_trial_ejects_at_once_and_for_twice_as_long_at_any_pace() {
    let mut health = Health::default();
    let mut now = 0.0;
    let mut lengths = Vec::new();
    for _ in 0..5 {
        let back = half_open(&mut health, now);
        lengths.push(back - now);
        // The next request comes a minute later.
        now = back + 60_000.0;
        assert!(health.try_now(Timestamp(now)));
        assert!(health.blamed(1.0, Timestamp(now)).is_some());
    }
    assert_eq!(lengths, [10e3, 20e3, 40e3, 80e3, 160e3]);
}

#[test]
fn a_relapse_soon_after_the_trials_lasts_twice_as_long_at_any_pace() {
    let mut health = Health::default();
    let back = half_open(&mut health, 0.0);
    health.readmit(Timestamp(back));
    let later = Timestamp(back + 600_000.0);
    let again = health.eject(Found::ByRequests, 0.5, later);
    assert_eq!(again, Some(Millis(20_000.0)));
    let later = later + Millis(20_000.0);
    assert!(!health.probe_passed(Millis(5.0), later, FADE));
    health.readmit(later);
    for _ in 0..PROBATION {
        health.answered_well(false, Millis(5.0), MARGIN, later);
    }
    let much_later = later + Millis(600_000.0);
    let anew = health.eject(Found::ByRequests, 0.5, much_later);
    assert_eq!(anew, Some(LIVE_BACKOFF));
}
