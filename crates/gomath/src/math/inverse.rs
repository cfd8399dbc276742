//! Arc functions: Cephes' arctangent, the others reduced to it.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// 3π/4.
const THREE_QUARTERS_PI: f64 = 2.356_194_490_192_344_928_846_982_537_459_6;

/// For |x| ≤ 0.66.
fn atan_small(x: f64) -> f64 {
    const P: [f64; 5] = [
        -8.750_608_600_031_904_122_785e-1,
        -1.615_753_718_733_365_076_637e1,
        -7.500_855_792_314_704_667_340e1,
        -1.228_866_684_490_136_173_410e2,
        -6.485_021_904_942_025_371_773e1,
    ];
    const Q: [f64; 5] = [
        2.485_846_490_142_306_297_962e1,
        1.650_270_098_316_988_542_046e2,
        4.328_810_604_912_902_668_951e2,
        4.853_903_996_359_136_964_868e2,
        1.945_506_571_482_613_964_425e2,
    ];
    let z = x * x;
    let p = (((P[0] * z + P[1]) * z + P[2]) * z + P[3]) * z + P[4];
    let q = ((((z + Q[0]) * z + Q[1]) * z + Q[2]) * z + Q[3]) * z + Q[4];
    let z = z * p / q;
    x * z + x
}

/// For x > 0.
fn atan_positive(x: f64) -> f64 {
    /// What π/2 has beyond its float.
    const MORE_BITS: f64 = 6.123_233_995_736_765_886_130e-17;
    /// tan(3π/8).
    const TAN_3_PI_8: f64 = 2.414_213_562_373_095_048_80;
    if x <= 0.66 {
        return atan_small(x);
    }
    if x > TAN_3_PI_8 {
        return FRAC_PI_2 - atan_small(1.0 / x) + MORE_BITS;
    }
    FRAC_PI_4 + atan_small((x - 1.0) / (x + 1.0)) + 0.5 * MORE_BITS
}

pub fn atan(x: f64) -> f64 {
    if x == 0.0 {
        return x;
    }
    if x > 0.0 { atan_positive(x) } else { -atan_positive(-x) }
}

pub fn asin(x: f64) -> f64 {
    if x == 0.0 {
        return x;
    }
    let magnitude = x.abs();
    if magnitude > 1.0 || x.is_nan() {
        return f64::NAN;
    }
    let other = (1.0 - magnitude * magnitude).sqrt();
    let angle = if magnitude > 0.7 {
        FRAC_PI_2 - atan_positive(other / magnitude)
    } else {
        atan_positive(magnitude / other)
    };
    if x < 0.0 { -angle } else { angle }
}

pub fn acos(x: f64) -> f64 {
    FRAC_PI_2 - asin(x)
}

/// The angle of the point (x, y).
pub fn atan2(y: f64, x: f64) -> f64 {
    if y.is_nan() || x.is_nan() {
        return f64::NAN;
    }
    if y == 0.0 {
        return if x >= 0.0 && x.is_sign_positive() { 0f64.copysign(y) } else { PI.copysign(y) };
    }
    if x == 0.0 {
        return FRAC_PI_2.copysign(y);
    }
    if x.is_infinite() {
        let angle = match (x > 0.0, y.is_infinite()) {
            (true, true) => FRAC_PI_4,
            (true, false) => 0.0,
            (false, true) => THREE_QUARTERS_PI,
            (false, false) => PI,
        };
        return angle.copysign(y);
    }
    if y.is_infinite() {
        return FRAC_PI_2.copysign(y);
    }
    let q = atan(y / x);
    if x >= 0.0 {
        return q;
    }
    if q <= 0.0 { q + PI } else { q - PI }
}
