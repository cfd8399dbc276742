//! Logarithms.

use std::f64::consts::{FRAC_1_SQRT_2, LOG2_E, LOG10_E};

use super::float::frexp;

pub(super) const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-1;
pub(super) const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
/// The series of ln((1 + s) / (1 - s)) in even powers of s, from the first.
pub(super) const SERIES: [f64; 7] = [
    6.666_666_666_666_735_130e-1,
    3.999_999_999_940_941_908e-1,
    2.857_142_874_366_239_149e-1,
    2.222_219_843_214_978_396e-1,
    1.818_357_216_161_805_012e-1,
    1.531_383_769_920_937_332e-1,
    1.479_819_860_511_658_591e-1,
];

/// The natural logarithm.
pub fn ln(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    // x = f × 2^k with f in [√½, √2)
    let (mut fraction, mut k) = split(x);
    if fraction < FRAC_1_SQRT_2 {
        fraction *= 2.0;
        k -= 1.0;
    }
    let f = fraction - 1.0;
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let [l1, l2, l3, l4, l5, l6, l7] = SERIES;
    let t1 = s2 * (l1 + s4 * (l3 + s4 * (l5 + s4 * l7)));
    let t2 = s4 * (l2 + s4 * (l4 + s4 * l6));
    let r = t1 + t2;
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + r) + k * LN2_LOW)) - f)
}

/// Go's routine for amd64 takes exponent and mantissa as they stand, also of subnormal numbers.
fn split(x: f64) -> (f64, f64) {
    let bits = x.to_bits();
    let fraction = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3fe0_0000_0000_0000);
    (fraction, f64::from((bits >> 52) as i32 - 0x3fe))
}

pub fn log10(x: f64) -> f64 {
    ln(x) * LOG10_E
}

/// Exact for powers of two.
pub fn log2(x: f64) -> f64 {
    let (fraction, exponent) = frexp(x);
    if fraction == 0.5 {
        return f64::from(exponent - 1);
    }
    ln(fraction) * LOG2_E + f64::from(exponent)
}

/// ln(1 + x), accurate near zero.
pub(super) fn ln_1p(x: f64) -> f64 {
    const SQRT_2_MINUS_1: f64 = 4.142_135_623_730_950_488_017e-1;
    const SQRT_HALF_MINUS_1: f64 = -2.928_932_188_134_524_755_992e-1;
    const SMALL: f64 = 1.0 / (1u64 << 29) as f64;
    const TINY: f64 = 1.0 / (1u64 << 54) as f64;
    if x < -1.0 || x.is_nan() {
        return f64::NAN;
    }
    if x == -1.0 {
        return f64::NEG_INFINITY;
    }
    if x == f64::INFINITY {
        return x;
    }
    let magnitude = x.abs();
    if magnitude < SMALL {
        return if magnitude < TINY { x } else { x - x * x * 0.5 };
    }
    let (f, k, correction, mantissa) = if magnitude < SQRT_2_MINUS_1 && x > SQRT_HALF_MINUS_1 {
        (x, 0.0, 0.0, 1)
    } else {
        reduce_1p(x, magnitude)
    };
    let half_square = 0.5 * f * f;
    if mantissa == 0 {
        if f == 0.0 {
            return if k == 0.0 { 0.0 } else { k * LN2_HIGH + (correction + k * LN2_LOW) };
        }
        let r = half_square * (1.0 - 0.666_666_666_666_666_66 * f);
        if k == 0.0 {
            return f - r;
        }
        return k * LN2_HIGH - ((r - (k * LN2_LOW + correction)) - f);
    }
    let s = f / (2.0 + f);
    let z = s * s;
    let [l1, l2, l3, l4, l5, l6, l7] = SERIES;
    let r = z * (l1 + z * (l2 + z * (l3 + z * (l4 + z * (l5 + z * (l6 + z * l7))))));
    if k == 0.0 {
        return f - (half_square - s * (half_square + r));
    }
    k * LN2_HIGH - ((half_square - (s * (half_square + r) + (k * LN2_LOW + correction))) - f)
}

/// 1 + x = (1 + f) × 2^k: f, k, what rounding 1 + x has lost, and the mantissa (0 when f is below 2^-20).
fn reduce_1p(x: f64, magnitude: f64) -> (f64, f64, f64, u64) {
    const SQRT_2_MANTISSA: u64 = 0x0006_a09e_667f_3bcd;
    let exponent_of = |u: f64| (u.to_bits() >> 52) as i64 - 1023;
    let (u, mut k, correction) = if magnitude < (1u64 << 53) as f64 {
        let u = 1.0 + x;
        let k = exponent_of(u);
        let lost = if k > 0 { 1.0 - (u - x) } else { x - (u - 1.0) };
        (u, k, lost / u)
    } else {
        (x, exponent_of(x), 0.0)
    };
    let mut mantissa = u.to_bits() & 0x000f_ffff_ffff_ffff;
    let u = if mantissa < SQRT_2_MANTISSA {
        f64::from_bits(mantissa | 0x3ff0_0000_0000_0000)
    } else {
        k += 1;
        let half = f64::from_bits(mantissa | 0x3fe0_0000_0000_0000);
        mantissa = (0x0010_0000_0000_0000 - mantissa) >> 2;
        half
    };
    (u - 1.0, k as f64, correction, mantissa)
}
