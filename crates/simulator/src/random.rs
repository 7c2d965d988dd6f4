//! Seeded randomness, in independent streams.
//!
//! Each purpose draws from its own stream, named by the numbers it belongs to.
//! So the same traffic arrives at the same moments whatever a policy does, and
//! policies are compared on the same day (common random numbers).

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What a stream is drawn for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// When requests arrive and what they ask for.
    Traffic = 1,
    /// What the network and the targets add to their base latencies.
    Network = 2,
    /// The dice of policies: seeds of engines, picks of P2C.
    Policy = 3,
    /// Where things are and when incidents strike: drawn once per scenario.
    World = 4,
    /// When clients beside the usual ones send, and what.
    Guests = 5,
}

/// A reproducible stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// The stream of `purpose` for the `index`-th location (or other thing)
    /// under `seed`.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mixed = mix(mix(mix(seed) ^ purpose as u64) ^ index);
        Self(Xoshiro256PlusPlus::seed_from_u64(mixed))
    }

    /// From 0 up to, not including, 1.
    pub fn uniform(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// Any number of 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.random::<u64>()
    }

    /// From 0 up to, not including, `below`.
    pub fn index(&mut self, below: usize) -> usize {
        self.0.random_range(0..below)
    }

    /// An exponential variate of mean 1.
    pub fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    /// A lognormal variate of mean 1 whose logarithm has the deviation `sigma`.
    pub fn lognormal(&mut self, sigma: f64) -> f64 {
        let normal: f64 = StandardNormal.sample(&mut self.0);
        (sigma * normal - sigma * sigma / 2.0).exp()
    }

    /// A Pareto variate from 1 up, with the tail index `alpha`, cut off at
    /// `most`.
    pub fn pareto(&mut self, alpha: f64, most: f64) -> f64 {
        (1.0 - self.uniform()).powf(-1.0 / alpha).min(most)
    }
}

/// SplitMix64's finaliser: neighbouring numbers become unrelated seeds.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, index| Stream::new(seed, Purpose::Network, index).bits();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn variates_have_their_means() {
        let mut stream = Stream::new(7, Purpose::Network, 0);
        let mean = |draw: &mut dyn FnMut() -> f64| (0..100_000).map(|_| draw()).sum::<f64>() / 1e5;
        assert!((mean(&mut || stream.exponential()) - 1.0).abs() < 0.02);
        assert!((mean(&mut || stream.lognormal(0.3)) - 1.0).abs() < 0.02);
        // A Pareto of index 3 has the mean 3/2.
        assert!((mean(&mut || stream.pareto(3.0, 1e9)) - 1.5).abs() < 0.03);
    }
}
