//! The exponential and the logarithm, by their series.
//!
//! So that a decision is the same on every host: the standard library's functions
//! are each platform's own, and differ in the last place. (They are also a
//! thousand characters each where the engine is plain JavaScript.) Both are within
//! 1e-11 of the exact value, which is enough to compare times.

use std::f64::consts::LN_2;

/// e to the power of `x`.
pub(crate) fn exp(x: f64) -> f64 {
    // e^x = (e^(x/2))^2: halved until a few terms of the series suffice.
    let mut small = x.clamp(-745.0, 709.0);
    let mut halvings = 0;
    while small.abs() > 0.5 {
        small /= 2.0;
        halvings += 1;
    }
    let mut power = 1.0;
    for term in (1..14).rev() {
        power = 1.0 + power * small / f64::from(term);
    }
    for _ in 0..halvings {
        power *= power;
    }
    power
}

/// The natural logarithm of `x`, which is above 0.
pub(crate) fn ln(x: f64) -> f64 {
    let mut near_one = x.clamp(f64::MIN_POSITIVE, f64::MAX);
    let mut doublings = 0.0;
    while near_one > 1.5 {
        near_one /= 2.0;
        doublings += 1.0;
    }
    while near_one < 0.75 {
        near_one *= 2.0;
        doublings -= 1.0;
    }
    // ln y = 2 artanh((y - 1) / (y + 1))
    let slope = (near_one - 1.0) / (near_one + 1.0);
    let mut series = 0.0;
    for term in (0..11).rev() {
        series = series * slope * slope + 1.0 / f64::from(2 * term + 1);
    }
    doublings * LN_2 + 2.0 * slope * series
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn exp_is_the_exponential(x in -700.0..700.0f64) {
            prop_assert!((exp(x) / x.exp() - 1.0).abs() < 1e-11, "{} {}", exp(x), x.exp());
        }

        #[test]
        fn ln_is_the_logarithm(x in 1e-9..1e15f64) {
            prop_assert!((ln(x) - x.ln()).abs() < 1e-12, "{} {}", ln(x), x.ln());
        }
    }

    #[test]
    fn no_number_is_too_much() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(ln(1.0), 0.0);
        assert!(exp(f64::NEG_INFINITY) < 1e-300);
        assert!(exp(f64::INFINITY) > 1e300 && ln(f64::INFINITY) > 700.0);
        assert!(ln(0.0) < -700.0);
        assert!(exp(f64::NAN).is_nan() && ln(f64::NAN).is_nan());
    }
}
