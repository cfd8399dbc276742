//! The parts of a float, and Go's `Max` and `Min`.

const MANTISSA_BITS: u32 = 52;
const EXPONENT_MASK: u64 = 0x7ff;
const BIAS: i32 = 1023;

/// Go's `Max`: an infinity wins over NaN, NaN over numbers, +0 over -0.
pub fn max(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        return f64::INFINITY;
    }
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if a == 0.0 && a == b {
        return if a.is_sign_negative() { b } else { a };
    }
    if a > b { a } else { b }
}

/// Go's `Min`: the negative infinity wins over NaN, NaN over numbers, -0 over +0.
pub fn min(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if a == 0.0 && a == b {
        return if a.is_sign_negative() { a } else { b };
    }
    if a < b { a } else { b }
}

/// Brings a subnormal number into the normal range: `v = n × 2^e`.
fn normalize(v: f64) -> (f64, i32) {
    if v.abs() < f64::MIN_POSITIVE {
        (v * (1u64 << MANTISSA_BITS) as f64, -(MANTISSA_BITS as i32))
    } else {
        (v, 0)
    }
}

/// `v = fraction × 2^exponent` with the fraction in [½, 1). Zero, infinities and NaN come back with 0.
pub(super) fn frexp(v: f64) -> (f64, i32) {
    if v == 0.0 || !v.is_finite() {
        return (v, 0);
    }
    let (v, shift) = normalize(v);
    let bits = v.to_bits();
    let exponent = ((bits >> MANTISSA_BITS) & EXPONENT_MASK) as i32 - BIAS + 1;
    let fraction = bits & !(EXPONENT_MASK << MANTISSA_BITS) | ((BIAS - 1) as u64) << MANTISSA_BITS;
    (f64::from_bits(fraction), shift + exponent)
}

/// `fraction × 2^exponent`.
pub(super) fn ldexp(fraction: f64, exponent: i64) -> f64 {
    if fraction == 0.0 || !fraction.is_finite() {
        return fraction;
    }
    let (fraction, shift) = normalize(fraction);
    let bits = fraction.to_bits();
    let own = ((bits >> MANTISSA_BITS) & EXPONENT_MASK) as i64 - i64::from(BIAS);
    let mut exponent = exponent + i64::from(shift) + own;
    if exponent < -1075 {
        return 0f64.copysign(fraction);
    }
    if exponent > 1023 {
        return f64::INFINITY.copysign(fraction);
    }
    let mut scale = 1.0;
    if exponent < -1022 {
        exponent += 53;
        scale = 1.0 / (1u64 << 53) as f64;
    }
    let biased = (exponent + i64::from(BIAS)) as u64;
    scale * f64::from_bits(bits & !(EXPONENT_MASK << MANTISSA_BITS) | biased << MANTISSA_BITS)
}
