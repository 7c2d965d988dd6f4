//! The laws, whatever happens in whatever order: random requests, failures,
//! probes, store values and waits, many requests open at once.

use crate::moves::{Move, Setup};
use crate::serve::status;
use crate::talk::Talk;
use crate::world::World;
use function_fetch_engine::{Action, Event, Failure, Notice, RetrySafety, Stored};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0..4u8, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(method, has_body, may_meet_closed_connection, reads_store)| Move::Begin {
                method,
                has_body,
                may_meet_closed_connection,
                reads_store,
            },
        ),
        4 => (any::<usize>(), 200..600u16, 0..4u8)
            .prop_map(|(open, status, replay)| Move::Answer { open, status, replay }),
        4 => (any::<usize>(), 0..Failure::ALL.len(), 0..4u8)
            .prop_map(|(open, failure, replay)| Move::Fail { open, failure, replay }),
        4 => (any::<usize>(), prop::array::uniform5(a_while()), 0..4u8)
            .prop_map(|(open, waited, replay)| Move::Timer { open, waited, replay }),
        1 => any::<usize>().prop_map(|open| Move::Leave { open }),
        3 => (0..400_000u32).prop_map(|ms| Move::Wait { ms }),
        2 => (0..5_000u32).prop_map(|ms| Move::Wait { ms }),
        1 => (0..400_000u32).prop_map(|ms| Move::StepBack { ms }),
        5 => (any::<bool>(), 1..2000u16).prop_map(|(healthy, ms)| Move::Probe { healthy, ms }),
        1 => Just(Move::AbandonRound),
        1 => Just(Move::Write),
    ]
}

fn a_setup() -> impl Strategy<Value = Setup> {
    (any::<[bool; 7]>(), 1..=5u8).prop_map(
        |([race, hedge, spread, store, tiers, ranks, sampled_reports], max_attempts)| Setup {
            race,
            hedge,
            spread,
            store,
            tiers,
            ranks,
            sampled_reports,
            max_attempts,
        },
    )
}

fn a_while() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0..1_000u32, 1 => 0..100_000u32]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_whatever_happens(
        setup in a_setup(),
        moves in prop::collection::vec(a_move(), 1..200),
    ) {
        let mut world = World::new(setup);
        for next in moves {
            world.play(next);
        }
        world.tries_each_target_once();
    }

    #[test]
    fn a_request_reaches_a_healthy_target_whatever_the_others_do(
        failures in prop::collection::vec(0..Failure::ALL.len(), 4),
        healthy in 0..3usize,
    ) {
        let mut talk = Talk::new(&[]);
        let mut step = talk.begin("GET");
        talk.round(&[None, None, None]);
        if step.action == Action::AwaitRound {
            step = talk.settle(step.state, Event::RoundReady);
        }
        let mut failures = failures.into_iter();
        while let Action::Send(attempt) = step.action {
            let failure = Failure::ALL[failures.next().unwrap_or(0)];
            step = if attempt.target == healthy {
                talk.status(&step, 200)
            } else if failure.retry_safety() == RetrySafety::Never {
                talk.fails(&step, Failure::ConnectionRefused)
            } else {
                talk.fails(&step, failure)
            };
        }
        prop_assert_eq!(step.action, Action::Relay);
    }

    #[test]
    fn requests_never_eject_all_targets(
        requests in prop::collection::vec((0..3usize, any::<[bool; 3]>(), 0..20_000u32), 1..100),
    ) {
        let mut talk = Talk::warm(&[]);
        let mut out = BTreeSet::new();
        for (method, fails, pause) in requests {
            talk.wait(f64::from(pause));
            talk.serve(["GET", "POST", "POST"][method], |target| {
                status(if fails[target] { 500 } else { 200 })
            });
            for notice in talk.notices() {
                match notice {
                    Notice::Ejected { target, .. } => drop(out.insert(target)),
                    Notice::Recovered { target } => drop(out.remove(&target)),
                    _ => {}
                }
            }
            prop_assert!(out.len() < 3);
        }
    }

    #[test]
    fn no_text_makes_the_settings_panic(text in "\\PC{0,80}", name in 0..27usize) {
        let name = function_fetch_engine::settings::NAMES[name];
        let _ = function_fetch_engine::Settings::read(
            function_fetch_engine::Capabilities::default(),
            |asked| (asked == name).then(|| text.clone()),
        );
    }

    #[test]
    fn no_stored_value_is_more_than_a_miss_or_a_record(value in "\\PC{0,300}") {
        let mut talk = Talk::with_store(&[]);
        let step = talk.begin("GET");
        talk.settle(step.state, Event::StoreRead(Some(Stored::Text(value))));
    }
}
