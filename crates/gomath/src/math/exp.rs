//! The exponential function.

/// Above it the result is infinite.
const OVERFLOW: f64 = 7.09782712893384e+02;
/// ln 2 in two parts, so that a multiple of it can be taken away without rounding.
const LN2_UPPER: f64 = 0.693_147_180_559_662_956_511_601_805_686_950_683_593_75;
const LN2_LOWER: f64 = 0.282_352_905_630_315_771_225_884_481_750_134_360_255_254_120_68e-12;
/// 1/8!, 1/7!, …, 1/3!, 1/2!, 1: the Taylor series, highest power first.
const TAYLOR: [f64; 8] = [
    2.480_158_730_158_730_158_7e-5,
    1.984_126_984_126_984_127_0e-4,
    1.388_888_888_888_888_888_9e-3,
    8.333_333_333_333_333_333_3e-3,
    4.166_666_666_666_666_666_7e-2,
    1.666_666_666_666_666_666_7e-1,
    0.5,
    1.0,
];

/// e^x.
pub fn exp(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x == f64::NEG_INFINITY {
        return 0.0;
    }
    if x > OVERFLOW {
        return f64::INFINITY;
    }
    // x = exponent × ln 2 + r
    let exponent = (std::f64::consts::LOG2_E * x).round_ties_even() as i32;
    let k = f64::from(exponent);
    let r = (-k).mul_add(LN2_UPPER, x);
    let r = (-k).mul_add(LN2_LOWER, r) * 0.0625;
    // e^(r/16) - 1 by its series, then squared four times: (1 + y)² - 1 = y (y + 2).
    let series = TAYLOR[1..].iter().fold(TAYLOR[0], |sum, &coefficient| r.mul_add(sum, coefficient));
    let mut y = r * series;
    for _ in 0..3 {
        y *= y + 2.0;
    }
    scale(y.mul_add(y + 2.0, 1.0), exponent)
}

/// `v × 2^exponent`; too small becomes zero, too large infinite.
fn scale(v: f64, exponent: i32) -> f64 {
    let biased = exponent.saturating_add(0x3ff);
    if biased >= 0x7ff {
        return f64::INFINITY;
    }
    if biased > 0 {
        return v * f64::from_bits((biased as u64) << 52);
    }
    if biased < -52 {
        return 0.0;
    }
    v * f64::from_bits(((biased + 0x3fe) as u64) << 52) * f64::MIN_POSITIVE
}
