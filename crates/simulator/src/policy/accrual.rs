//! Failure accrual: when a target that fails is left out, and how it comes
//! back, as in Finagle and in linkerd 1, which is built on it
//! (<https://twitter.github.io/finagle/guide/Clients.html#failure-accrual>,
//! `FailureAccrualFactory.scala`; <https://linkerd.io/1/features/circuit-breaking/>).
//!
//! What fails is a 5xx answer or no answer. Five failures in a row leave a target
//! out for 5 s, doubling to 300 s with equal jitter; then one live request
//! decides. linkerd 2 does the same with other numbers: 7 failures in a row, 1 s
//! to 60 s (<https://linkerd.io/2/reference/circuit-breaking/>).
//!
//! Beside that a *success rate* may be required: Finagle's hybrid policy, and
//! linkerd 1's `io.l5d.successRateWindowed`. It is a moving average over 30 s
//! whose weights fall exponentially with time. linkerd 2's edge releases have it
//! as `unified`: 80 % of at least 5 requests in 10 s.

use crate::clock::{Micros, SECOND};
use std::collections::VecDeque;

/// `DefaultConsecutiveFailures`.
const FAILURES_IN_A_ROW: u32 = 5;

/// `jitteredBackoff`, from
const FIRST_BACKOFF: Micros = 5 * SECOND;

/// to.
const LONGEST_BACKOFF: Micros = 300 * SECOND;

/// `DefaultSuccessRateThreshold`.
const SUCCESS_RATE: f64 = 0.8;

/// `DefaultSuccessRateWindow`: below it nothing is judged by its rate.
const WINDOW: Micros = 30 * SECOND;

/// `DefaultMinimumRequestThreshold`: of fewer in a window no rate is taken.
const LEAST_REQUESTS: usize = 5;

/// What leaves a target out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Failures in a row.
    InARow,
    /// These, or a low success rate.
    InARowOrRate,
}

/// What is known of a target's failures.
#[derive(Clone)]
pub struct Accrual {
    failures: u32,
    rate: Option<SuccessRate>,
    out_until: Micros,
    backoff: Micros,
    /// The one request that decides after a backoff is under way.
    on_probation: bool,
}

impl Accrual {
    /// Nothing has failed.
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        Self {
            failures: 0,
            rate: (rule == Rule::InARowOrRate).then(SuccessRate::default),
            out_until: 0,
            backoff: 0,
            on_probation: false,
        }
    }

    /// Whether the target may have the next request.
    #[must_use]
    pub fn is_open(&self, now: Micros) -> bool {
        self.out_until <= now && !self.on_probation
    }

    /// The target has the next request.
    pub fn chosen(&mut self, now: Micros) {
        self.on_probation = self.backoff > 0 && self.out_until <= now;
    }

    /// A request failed: true when the target is left out now and was not
    /// before.
    pub fn failed(&mut self, now: Micros, jitter: f64) -> bool {
        self.failures += 1;
        let low = self.rate.as_mut().is_some_and(|rate| {
            rate.update(now, false);
            rate.is_low(now)
        });
        if self.failures < FAILURES_IN_A_ROW && !self.on_probation && !low {
            return false;
        }
        let is_new = self.backoff == 0;
        self.on_probation = false;
        self.backoff = (self.backoff * 2).clamp(FIRST_BACKOFF, LONGEST_BACKOFF);
        let half = self.backoff / 2;
        self.out_until = now + half + (half as f64 * jitter) as Micros;
        is_new
    }

    /// A request succeeded.
    pub fn passed(&mut self, now: Micros) {
        if let Some(rate) = &mut self.rate {
            if self.backoff > 0 {
                *rate = SuccessRate {
                    since: now,
                    ..SuccessRate::default()
                };
            }
            rate.update(now, true);
        }
        self.failures = 0;
        self.on_probation = false;
        self.backoff = 0;
    }
}

/// A target's success rate since it was first used, or came back.
#[derive(Clone, Default)]
struct SuccessRate {
    since: Micros,
    rate: f64,
    at: Micros,
    /// When the last few requests ended.
    ends: VecDeque<Micros>,
}

impl SuccessRate {
    fn update(&mut self, now: Micros, success: bool) {
        let kept = if self.ends.is_empty() {
            0.0
        } else {
            (-((now - self.at) as f64) / WINDOW as f64).exp()
        };
        let value = if success { 1.0 } else { 0.0 };
        self.rate = self.rate * kept + value * (1.0 - kept);
        self.at = now;
        self.ends.push_back(now);
        if self.ends.len() > LEAST_REQUESTS {
            self.ends.pop_front();
        }
    }

    fn is_low(&self, now: Micros) -> bool {
        let enough = self.ends.len() == LEAST_REQUESTS && now - self.ends[0] <= WINDOW;
        enough && now - self.since >= WINDOW && self.rate < SUCCESS_RATE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MINUTE;

    /// Ten requests a second, of which every `of`-th fails: when the target is
    /// left out, if it is within two minutes.
    fn out_after(rule: Rule, of: u64) -> Option<Micros> {
        let mut accrual = Accrual::new(rule);
        (1..2 * MINUTE / (SECOND / 10)).find_map(|number| {
            let now = number * SECOND / 10;
            if number.is_multiple_of(of) {
                accrual.failed(now, 0.0).then_some(now)
            } else {
                accrual.passed(now);
                None
            }
        })
    }

    #[test]
    fn five_failures_in_a_row_leave_a_target_out() {
        for rule in [Rule::InARow, Rule::InARowOrRate] {
            assert_eq!(out_after(rule, 1), Some(SECOND / 2));
        }
    }

    #[test]
    fn one_in_three_is_found_by_the_rate_alone_and_one_in_ten_is_borne() {
        assert_eq!(out_after(Rule::InARow, 3), None);
        let found = out_after(Rule::InARowOrRate, 3).expect("it is found");
        assert!((WINDOW..WINDOW + 2 * SECOND).contains(&found), "{found}");
        assert_eq!(out_after(Rule::InARowOrRate, 10), None);
    }

    #[test]
    fn a_rate_of_few_requests_is_none() {
        // One in ten seconds: three in a window, each second one fails.
        let mut accrual = Accrual::new(Rule::InARowOrRate);
        for number in 1..60 {
            let now = number * 10 * SECOND;
            if number % 2 == 0 {
                assert!(!accrual.failed(now, 0.0));
            } else {
                accrual.passed(now);
            }
        }
    }

    #[test]
    fn a_backoff_doubles_until_one_request_succeeds() {
        let mut accrual = Accrual::new(Rule::InARowOrRate);
        let mut now = SECOND;
        for _ in 0..FAILURES_IN_A_ROW {
            accrual.failed(now, 1.0);
        }
        for backoff in [5, 10, 20, 40] {
            assert!(!accrual.is_open(now + backoff * SECOND - 1));
            now += backoff * SECOND;
            assert!(accrual.is_open(now));
            accrual.chosen(now);
            assert!(!accrual.is_open(now), "one request at a time");
            assert!(!accrual.failed(now, 1.0), "it was out before");
        }
        now += 80 * SECOND;
        accrual.chosen(now);
        accrual.passed(now);
        assert!(accrual.is_open(now));
        assert!(!accrual.failed(now, 1.0), "it starts anew");
    }
}
