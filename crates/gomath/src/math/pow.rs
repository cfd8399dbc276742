//! Powers.

use super::exp::exp;
use super::float::{frexp, ldexp};
use super::log::ln;

fn is_odd_integer(v: f64) -> bool {
    v.abs() < (1u64 << 53) as f64 && v.fract() == 0.0 && (v as i64) & 1 == 1
}

/// x^y.
pub fn pow(x: f64, y: f64) -> f64 {
    match special(x, y) {
        Some(result) => result,
        None => ordinary(x, y),
    }
}

fn special(x: f64, y: f64) -> Option<f64> {
    if y == 0.0 || x == 1.0 {
        return Some(1.0);
    }
    if y == 1.0 {
        return Some(x);
    }
    if x.is_nan() || y.is_nan() {
        return Some(f64::NAN);
    }
    if x == 0.0 {
        let signed = x.is_sign_negative() && is_odd_integer(y);
        return Some(match y < 0.0 {
            true if signed => f64::NEG_INFINITY,
            true => f64::INFINITY,
            false if signed => x,
            false => 0.0,
        });
    }
    if y.is_infinite() {
        return Some(saturated(x, y));
    }
    if x == f64::NEG_INFINITY {
        return Some(pow(1.0 / x, -y));
    }
    if x == f64::INFINITY {
        return Some(if y < 0.0 { 0.0 } else { f64::INFINITY });
    }
    if y == 0.5 {
        return Some(x.sqrt());
    }
    if y == -0.5 {
        return Some(1.0 / x.sqrt());
    }
    None
}

/// For exponents so large that only the magnitude of the base matters.
fn saturated(x: f64, y: f64) -> f64 {
    if x == -1.0 {
        return 1.0;
    }
    if (x.abs() < 1.0) == (y > 0.0) { 0.0 } else { f64::INFINITY }
}

fn ordinary(x: f64, y: f64) -> f64 {
    let magnitude = y.abs();
    let mut integer = magnitude.trunc();
    let mut fraction = magnitude - integer;
    if fraction != 0.0 && x < 0.0 {
        return f64::NAN;
    }
    if integer >= (1u64 << 63) as f64 {
        return saturated(x, y);
    }
    // The result is mantissa × 2^exponent.
    let (mut mantissa, mut exponent) = (1.0, 0i64);
    if fraction != 0.0 {
        if fraction > 0.5 {
            fraction -= 1.0;
            integer += 1.0;
        }
        mantissa = exp(fraction * ln(x));
    }
    // The integer part by repeated squaring.
    let (mut square, square_exponent) = frexp(x);
    let mut square_exponent = i64::from(square_exponent);
    let mut rest = integer as i64;
    while rest != 0 {
        if !(-(1 << 12)..=1 << 12).contains(&square_exponent) {
            // Beyond any float: overflow or underflow is certain.
            exponent += square_exponent;
            break;
        }
        if rest & 1 == 1 {
            mantissa *= square;
            exponent += square_exponent;
        }
        square *= square;
        square_exponent <<= 1;
        if square < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        rest >>= 1;
    }
    if y < 0.0 {
        mantissa = 1.0 / mantissa;
        exponent = -exponent;
    }
    ldexp(mantissa, exponent)
}
