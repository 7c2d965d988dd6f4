//! Events in any order, for many requests at once.

use crate::moves::{Move, Setup, TARGETS};
use crate::world::World;
use arbitrary::{Result, Unstructured};
use function_fetch_engine::Failure;

/// So many are enough for any state, and an input is quick.
const MOST_MOVES: usize = 400;

/// Settings, then what happens. The laws of `crates/engine/tests/laws/world.rs` hold after each step: one action is
/// owed, or the request is over; no timer is past the deadline, negative or not a number; no target is tried twice, and
/// not more than `FETCH_MAX_ATTEMPTS`; what may have been received and must not be repeated is not.
pub fn conversation(input: &[u8]) {
    let mut choices = Unstructured::new(input);
    let Ok(setup) = setup(&mut choices) else {
        return;
    };
    let mut world = World::new(setup);
    for _ in 0..MOST_MOVES {
        if choices.is_empty() {
            break;
        }
        match a_move(&mut choices) {
            Ok(next) => world.play(next),
            Err(_) => break,
        }
    }
    world.tries_each_target_once();
}

fn setup(choices: &mut Unstructured<'_>) -> Result<Setup> {
    let bits: u8 = choices.arbitrary()?;
    let is = |bit: u8| bits & 1 << bit != 0;
    Ok(Setup {
        race: is(0),
        hedge: is(1),
        spread: is(2),
        store: is(3),
        tiers: is(4),
        ranks: !is(5),
        sampled_reports: is(6),
        max_attempts: choices.int_in_range(1..=TARGETS as u8)?,
    })
}

fn a_move(choices: &mut Unstructured<'_>) -> Result<Move> {
    let open = |choices: &mut Unstructured<'_>| choices.arbitrary::<u8>().map(usize::from);
    let replay = |choices: &mut Unstructured<'_>| choices.int_in_range(0..=3_u8);
    Ok(match choices.int_in_range(0..=11_u8)? {
        0 | 1 => Move::Begin {
            method: choices.int_in_range(0..=3)?,
            has_body: choices.arbitrary()?,
            may_meet_closed_connection: choices.arbitrary()?,
            reads_store: choices.arbitrary()?,
        },
        2 | 3 => Move::Answer {
            open: open(choices)?,
            status: choices.int_in_range(200..=599)?,
            replay: replay(choices)?,
        },
        4 => Move::Fail {
            open: open(choices)?,
            failure: choices.choose_index(Failure::ALL.len())?,
            replay: replay(choices)?,
        },
        5 => {
            let mut waited = [0; TARGETS];
            for one in &mut waited {
                *one = u32::from(choices.arbitrary::<u16>()?) * 2;
            }
            Move::Timer {
                open: open(choices)?,
                waited,
                replay: replay(choices)?,
            }
        }
        6 => Move::Leave {
            open: open(choices)?,
        },
        7 => Move::Wait {
            ms: u32::from(choices.arbitrary::<u16>()?) * 8,
        },
        8 => Move::StepBack {
            ms: u32::from(choices.arbitrary::<u16>()?) * 8,
        },
        9 => Move::Probe {
            healthy: choices.ratio(3, 4)?,
            ms: choices.int_in_range(1..=2000)?,
        },
        10 => Move::AbandonRound,
        _ => Move::Write,
    })
}
