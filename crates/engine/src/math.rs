//! The exponential and the logarithm, by their series.
//!
//! So that a decision is the same on every host: the standard library's functions
//! are each platform's own, and differ in the last place. (They are also a
//! thousand characters each where the engine is plain JavaScript.) Both are within
//! 1e-11 of the exact value, which is enough to compare times.

use std::f64::consts::LN_2;

/// What the powers of `x` in the series of `e^x` are multiplied with: 1/0!, 1/1!, 1/2! and so on. A division would take
/// three times as long as all else of a term.
const FACTORIALS: [f64; 14] = {
    let mut inverse = [1.0; 14];
    let mut term = 1;
    while term < inverse.len() {
        inverse[term] = inverse[term - 1] / term as f64;
        term += 1;
    }
    inverse
};

/// And those of the area tangent: 1, 1/3, 1/5 and so on.
const ODDS: [f64; 11] = {
    let mut inverse = [1.0; 11];
    let mut term = 1;
    while term < inverse.len() {
        inverse[term] = 1.0 / (2 * term + 1) as f64;
        term += 1;
    }
    inverse
};

/// e to the power of `x`.
pub(crate) fn exp(x: f64) -> f64 {
    // e^x = (e^(x/2))^2: halved until a few terms of the series suffice.
    let mut small = x.clamp(-745.0, 709.0);
    let mut halvings = 0;
    while small.abs() > 0.5 {
        small /= 2.0;
        halvings += 1;
    }
    let mut power = series(&FACTORIALS, small);
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
    doublings * LN_2 + 2.0 * slope * series(&ODDS, slope * slope)
}

/// The sum of the powers of `x`, each multiplied with its factor.
fn series(factors: &[f64], x: f64) -> f64 {
    let terms = factors.iter().rev();
    terms.fold(0.0, |sum, factor| sum * x + factor)
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
