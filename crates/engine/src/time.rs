//! Moments and spans of time, as types of their own so that they are not mixed
//! up.
//!
//! Both are milliseconds as `f64`: JavaScript hosts have no 64-bit integer that
//! is cheap to pass.

use serde::Serialize;
use std::ops::{Add, Div, Mul, Sub};

/// A moment by the wall clock, ms since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Timestamp(pub f64);

/// A span of time, ms; infinite for never.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Millis(pub f64);

impl Timestamp {
    /// Before every other moment.
    pub const MIN: Self = Self(f64::MIN);

    /// The earlier of the two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The later of the two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// To the whole millisecond.
    #[must_use]
    pub(crate) fn rounded(self) -> Self {
        Self(rounded(self.0))
    }
}

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0.0);
    /// Never.
    pub const INFINITY: Self = Self(f64::INFINITY);

    /// A number of seconds.
    #[must_use]
    pub fn from_seconds(seconds: u32) -> Self {
        Self(f64::from(seconds) * 1000.0)
    }

    /// The shorter of the two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The longer of the two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// Neither shorter than `least` nor longer than `most`.
    #[must_use]
    pub fn clamp(self, least: Self, most: Self) -> Self {
        Self(self.0.clamp(least.0, most.0))
    }

    /// Whether it is not [`Millis::INFINITY`].
    #[must_use]
    pub fn is_finite(self) -> bool {
        self.0.is_finite()
    }

    /// The order of two spans, for sorting.
    #[must_use]
    pub fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }

    /// Whole milliseconds, as interfaces take them.
    #[must_use]
    pub fn whole(self) -> u32 {
        self.0 as u32
    }

    /// To the whole millisecond.
    #[must_use]
    pub(crate) fn rounded(self) -> Self {
        Self(rounded(self.0))
    }
}

impl From<u32> for Millis {
    fn from(ms: u32) -> Self {
        Self(f64::from(ms))
    }
}

impl Sub for Timestamp {
    type Output = Millis;

    fn sub(self, earlier: Self) -> Millis {
        Millis(self.0 - earlier.0)
    }
}

impl Add<Millis> for Timestamp {
    type Output = Self;

    fn add(self, span: Millis) -> Self {
        Self(self.0 + span.0)
    }
}

impl Sub<Millis> for Timestamp {
    type Output = Self;

    fn sub(self, span: Millis) -> Self {
        Self(self.0 - span.0)
    }
}

impl Add for Millis {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Millis {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul<f64> for Millis {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

impl Div<f64> for Millis {
    type Output = Self;

    fn div(self, divisor: f64) -> Self {
        Self(self.0 / divisor)
    }
}

/// To the nearest whole number.
pub(crate) fn rounded(number: f64) -> f64 {
    (number + 0.5).floor()
}
