//! Sine, cosine, tangent: Cephes' polynomials on one octant.

use super::reduce::octant;

const SIN: [f64; 6] = [
    1.589_623_015_765_465_680_60e-10,
    -2.505_074_776_285_780_728_66e-8,
    2.755_731_362_138_572_452_13e-6,
    -1.984_126_982_958_953_859_96e-4,
    8.333_333_333_322_118_588_78e-3,
    -1.666_666_666_666_663_072_95e-1,
];
const COS: [f64; 6] = [
    -1.135_853_652_138_768_173_00e-11,
    2.087_570_084_197_473_167_78e-9,
    -2.755_731_417_929_673_881_12e-7,
    2.480_158_728_885_170_453_48e-5,
    -1.388_888_888_887_305_641_16e-3,
    4.166_666_666_666_659_292_18e-2,
];
const TAN_P: [f64; 3] =
    [-1.309_369_391_813_837_776_46e4, 1.153_516_648_385_874_161_40e6, -1.795_652_519_764_848_779_88e7];
const TAN_Q: [f64; 4] = [
    1.368_129_634_706_929_546_78e4,
    -1.320_892_344_402_109_674_47e6,
    2.500_838_018_233_579_158_39e7,
    -5.386_957_559_294_546_298_81e7,
];

/// Horner's rule, highest power first.
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    coefficients[1..].iter().fold(coefficients[0], |sum, coefficient| sum * x + coefficient)
}

fn sin_octant(z: f64) -> f64 {
    let zz = z * z;
    z + z * zz * polynomial(zz, &SIN)
}

fn cos_octant(z: f64) -> f64 {
    let zz = z * z;
    1.0 - 0.5 * zz + zz * zz * polynomial(zz, &COS)
}

pub fn sin(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() {
        return x;
    }
    if x.is_infinite() {
        return f64::NAN;
    }
    let (mut j, z) = octant(x.abs());
    let mut negative = x < 0.0;
    if j > 3 {
        negative = !negative;
        j -= 4;
    }
    let y = if j == 1 || j == 2 { cos_octant(z) } else { sin_octant(z) };
    if negative { -y } else { y }
}

pub fn cos(x: f64) -> f64 {
    if !x.is_finite() {
        return f64::NAN;
    }
    let (mut j, z) = octant(x.abs());
    let mut negative = false;
    if j > 3 {
        j -= 4;
        negative = true;
    }
    if j > 1 {
        negative = !negative;
    }
    let y = if j == 1 || j == 2 { sin_octant(z) } else { cos_octant(z) };
    if negative { -y } else { y }
}

pub fn tan(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() {
        return x;
    }
    if x.is_infinite() {
        return f64::NAN;
    }
    let (j, z) = octant(x.abs());
    let zz = z * z;
    let mut y = z;
    if zz > 1e-14 {
        let [q1, q2, q3, q4] = TAN_Q;
        let divisor = (((zz + q1) * zz + q2) * zz + q3) * zz + q4;
        y = z + z * (zz * polynomial(zz, &TAN_P) / divisor);
    }
    if j & 2 == 2 {
        y = -1.0 / y;
    }
    if x < 0.0 { -y } else { y }
}
