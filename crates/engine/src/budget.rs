//! The retry budget: retries may add a fifth to the load, and ten to begin
//! with, so that a failing target cannot multiply the traffic of the others.

/// What each request adds.
const PER_REQUEST: f64 = 0.2;

/// What an instance starts with.
const INITIAL: f64 = 10.0;

/// The most that is saved up: an instance that lived for days in peace must
/// not answer a failure with thousands of retries.
const MOST: f64 = 100.0;

/// Tokens of one instance; a retry takes one.
#[derive(Clone, Debug)]
pub(crate) struct RetryBudget(f64);

impl Default for RetryBudget {
    fn default() -> Self {
        Self(INITIAL)
    }
}

impl RetryBudget {
    pub(crate) fn request(&mut self) {
        self.0 = (self.0 + PER_REQUEST).min(MOST);
    }

    /// Takes a token for a retry, or says that none is left.
    pub(crate) fn take(&mut self) -> bool {
        let left = self.0 >= 1.0;
        if left {
            self.0 -= 1.0;
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_stay_within_a_fifth_and_ten() {
        let mut budget = RetryBudget::default();
        let mut retries = 0.0;
        for request in 1..=5000 {
            budget.request();
            while budget.take() {
                retries += 1.0;
            }
            assert!(retries <= 0.2 * f64::from(request) + 10.0);
        }
        assert!(retries > 1000.0);
    }
}
