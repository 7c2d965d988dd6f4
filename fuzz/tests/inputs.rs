//! Every fuzz target over its corpus, and over inputs that are made of it at random: what a fuzzer would find within
//! the first seconds shows without one.

use function_fetch_fuzz::TARGETS;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// For each target. The seed is fixed: a failure comes back.
const RANDOM_INPUTS: usize = 3000;
const LONGEST: usize = 1500;

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut inputs: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (
                path.display().to_string(),
                fs::read(&path).expect("an input"),
            )
        })
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    inputs
}

fn holds(target: (&str, fn(&[u8])), origin: &str, input: &[u8]) {
    let (name, body) = target;
    if catch_unwind(AssertUnwindSafe(|| body(input))).is_err() {
        panic!("{name} fails on {origin}: b\"{}\"", input.escape_ascii());
    }
}

#[test]
fn the_corpus_holds() {
    for target in TARGETS {
        for (path, input) in corpus(target.0) {
            holds(target, &path, &input);
        }
    }
}

#[test]
fn random_inputs_hold() {
    for target in TARGETS {
        let inputs = corpus(target.0);
        let mut random = fastrand::Rng::with_seed(20_261_127);
        for number in 0..RANDOM_INPUTS {
            let one = &inputs[random.usize(..inputs.len())].1;
            let other = &inputs[random.usize(..inputs.len())].1;
            let input = mutated(one, other, &mut random);
            holds(target, &format!("random input {number}"), &input);
        }
    }
}

/// Some of both, with a few bytes changed, or bytes that have nothing to do with them.
fn mutated(one: &[u8], other: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    if random.u8(..4) == 0 {
        let length = random.usize(..LONGEST);
        return (0..length).map(|_| random.u8(..)).collect();
    }
    let mut input = one[..random.usize(..=one.len())].to_vec();
    input.extend_from_slice(&other[random.usize(..=other.len())..]);
    input.truncate(LONGEST);
    for _ in 0..random.usize(..6) {
        if input.is_empty() {
            break;
        }
        let place = random.usize(..input.len());
        match random.u8(..4) {
            0 => input[place] ^= 1 << random.u8(..8),
            1 => input[place] = random.u8(..),
            2 => drop(input.remove(place)),
            _ => input.insert(place, random.u8(..)),
        }
    }
    input
}
