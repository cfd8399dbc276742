//! Hyperbolic functions and their inverses.

use std::f64::consts::LN_2;

use super::exp::exp;
use super::log::{ln, ln_1p};

const NEAR_ZERO: f64 = 1.0 / (1u64 << 28) as f64;
const LARGE: f64 = (1u64 << 28) as f64;

pub fn sinh(x: f64) -> f64 {
    const P: [f64; 4] = [
        -0.630_767_364_049_771_699_118_478_725_1e6,
        -0.899_127_202_203_950_935_539_801_351_1e5,
        -0.289_421_135_598_956_380_728_466_036_6e4,
        -0.263_056_321_339_749_706_281_948_9e2,
    ];
    const Q: [f64; 3] = [
        -0.630_767_364_049_771_699_121_207_727_7e6,
        0.152_151_737_879_001_907_069_648_517_6e5,
        -0.173_678_953_558_233_699_533_450_911e3,
    ];
    // Not `abs`: the sign of zero stays.
    let magnitude = if x < 0.0 { -x } else { x };
    let y = if magnitude > 21.0 {
        exp(magnitude) * 0.5
    } else if magnitude > 0.5 {
        let e = exp(magnitude);
        (e - 1.0 / e) * 0.5
    } else {
        let square = magnitude * magnitude;
        let p = (((P[3] * square + P[2]) * square + P[1]) * square + P[0]) * magnitude;
        p / (((square + Q[2]) * square + Q[1]) * square + Q[0])
    };
    if x < 0.0 { -y } else { y }
}

pub fn cosh(x: f64) -> f64 {
    let magnitude = x.abs();
    if magnitude > 21.0 {
        return exp(magnitude) * 0.5;
    }
    let e = exp(magnitude);
    (e + 1.0 / e) * 0.5
}

pub fn tanh(x: f64) -> f64 {
    const P: [f64; 3] =
        [-9.643_991_794_250_522_386_28e-1, -9.928_772_310_019_185_865_64e1, -1.614_687_684_417_084_479_52e3];
    const Q: [f64; 3] =
        [1.128_116_784_916_329_314_02e2, 2.235_488_390_601_004_485_83e3, 4.844_063_053_251_254_860_48e3];
    /// ln(2^127).
    const MAX_LOG: f64 = 8.802_969_193_111_305_429_598_8e1;
    let magnitude = x.abs();
    if magnitude > 0.5 * MAX_LOG {
        return if x < 0.0 { -1.0 } else { 1.0 };
    }
    if magnitude >= 0.625 {
        let y = 1.0 - 2.0 / (exp(2.0 * magnitude) + 1.0);
        return if x < 0.0 { -y } else { y };
    }
    if x == 0.0 {
        return x;
    }
    let s = x * x;
    x + x * s * ((P[0] * s + P[1]) * s + P[2]) / (((s + Q[0]) * s + Q[1]) * s + Q[2])
}

pub fn asinh(x: f64) -> f64 {
    if !x.is_finite() {
        return x;
    }
    let v = x.abs();
    let y = if v > LARGE {
        ln(v) + LN_2
    } else if v > 2.0 {
        ln(2.0 * v + 1.0 / ((v * v + 1.0).sqrt() + v))
    } else if v < NEAR_ZERO {
        v
    } else {
        ln_1p(v + v * v / (1.0 + (1.0 + v * v).sqrt()))
    };
    if x < 0.0 {
        -y
    } else if x == 0.0 {
        x
    } else {
        y
    }
}

pub fn acosh(x: f64) -> f64 {
    if x < 1.0 || x.is_nan() {
        return f64::NAN;
    }
    if x == 1.0 {
        return 0.0;
    }
    if x >= LARGE {
        return ln(x) + LN_2;
    }
    if x > 2.0 {
        return ln(2.0 * x - 1.0 / (x + (x * x - 1.0).sqrt()));
    }
    let t = x - 1.0;
    ln_1p(t + (2.0 * t + t * t).sqrt())
}

pub fn atanh(x: f64) -> f64 {
    if !(-1.0..=1.0).contains(&x) {
        return f64::NAN;
    }
    if x.abs() == 1.0 {
        return f64::INFINITY.copysign(x);
    }
    let v = x.abs();
    let y = if v < NEAR_ZERO {
        v
    } else if v < 0.5 {
        let twice = v + v;
        0.5 * ln_1p(twice + twice * v / (1.0 - v))
    } else {
        0.5 * ln_1p((v + v) / (1.0 - v))
    };
    if x < 0.0 {
        -y
    } else if x == 0.0 {
        x
    } else {
        y
    }
}
