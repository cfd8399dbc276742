//! Angles brought into one octant.

use std::f64::consts::FRAC_PI_4;

/// π/4 in three parts.
const PI_4: [f64; 3] =
    [7.853_981_256_484_985_351_56e-1, 3.774_894_707_930_798_176_68e-8, 2.695_151_429_079_059_526_45e-15];
/// 4/π.
const FOUR_OVER_PI: f64 = 1.273_239_544_735_162_686_151_070_106_980_1;
/// From here on three parts of π/4 are not enough.
const LARGE: f64 = (1u64 << 29) as f64;

/// `x = j × π/4 + z` for x ≥ 0; j is even, and modulo 8 it is the octant.
pub(super) fn octant(x: f64) -> (u64, f64) {
    if x >= LARGE {
        return octant_of_large(x);
    }
    let mut j = (x * FOUR_OVER_PI) as u64;
    let mut y = j as f64;
    if j & 1 == 1 {
        j += 1;
        y += 1.0;
    }
    (j & 7, ((x - y * PI_4[0]) - y * PI_4[1]) - y * PI_4[2])
}

/// Payne and Hanek's method: only those bits of 4/π are multiplied that the result depends on.
fn octant_of_large(x: f64) -> (u64, f64) {
    const MANTISSA_BITS: u32 = 52;
    const BIAS: i32 = 1023;
    let bits = x.to_bits();
    let exponent = ((bits >> MANTISSA_BITS) & 0x7ff) as i32 - BIAS - MANTISSA_BITS as i32;
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1) | 1 << MANTISSA_BITS;
    let (digit, shift) = ((exponent + 61) as usize / 64, (exponent + 61) as u32 % 64);
    let part = |i: usize| {
        let (high, low) = (DIGITS[digit + i], DIGITS[digit + i + 1]);
        if shift == 0 { high } else { high << shift | low >> (64 - shift) }
    };
    let product = |digits: u64| u128::from(digits) * u128::from(mantissa);
    let z2_high = (product(part(2)) >> 64) as u64;
    let z1 = product(part(1));
    let z0_low = part(0).wrapping_mul(mantissa);
    let (low, carry) = (z1 as u64).overflowing_add(z2_high);
    let high = z0_low.wrapping_add((z1 >> 64) as u64).wrapping_add(u64::from(carry));
    let mut j = high >> 61;
    let high = high << 3 | low >> 61;
    let zeros = high.leading_zeros();
    let scale = (BIAS - (zeros as i32 + 1)) as u64;
    let fraction = high.checked_shl(zeros + 1).unwrap_or(0) | low.checked_shr(64 - (zeros + 1)).unwrap_or(0);
    let mut z = f64::from_bits(fraction >> (64 - MANTISSA_BITS) | scale << MANTISSA_BITS);
    if j & 1 == 1 {
        j = (j + 1) & 7;
        z -= 1.0;
    }
    (j, z * FRAC_PI_4)
}

/// The binary digits of 4/π.
static DIGITS: [u64; 20] = [
    0x0000_0000_0000_0001,
    0x45f3_06dc_9c88_2a53,
    0xf84e_afa3_ea69_bb81,
    0xb6c5_2b32_7887_2083,
    0xfca2_c757_bd77_8ac3,
    0x6e48_dc74_849b_a5c0,
    0x0c92_5dd4_13a3_2439,
    0xfc3b_d639_6253_4e7d,
    0xd104_6bea_5d76_8909,
    0xd338_e04d_68be_fc82,
    0x7323_ac73_06a6_73e9,
    0x3908_bf17_7bf2_5076,
    0x3ff1_2fff_bc0b_301f,
    0xde5e_2316_b414_da3e,
    0xda6c_fd9e_4f96_136e,
    0x9e8c_7ecd_3cbf_d45a,
    0xea4f_758f_d7cb_e2f6,
    0x7a0e_73ef_14a5_25d4,
    0xd7f6_bf62_3f1a_ba10,
    0xac06_608d_f8f6_d757,
];
