//! Sample values and timestamps from bytes.
//!
//! Accepts what Go's `ParseFloat` accepts of decimal numbers, `Inf`, `Infinity` and `NaN`, and refuses what it
//! refuses (`+nan`, `1e400`). The short numbers of which pages consist go through one loop over digits; it gives up,
//! rather than round, when the result would not be exact to the last bit.

use model::NORMAL_NAN;

use crate::error::FloatError;

/// Ten to the n, all exact in a float.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Integers up to this fit into the 53 bits of a float, so that one multiplication or division by an exact power of
/// ten rounds once, as it must.
const EXACT_MAX: u64 = 1 << 53;

/// More digits than this may overflow the mantissa's 64 bits.
const DIGITS_MAX: usize = 19;

/// The value of a sample line.
#[inline]
pub(crate) fn parse_value(text: &[u8]) -> Result<f64, FloatError> {
    match parse_short(text) {
        Some(value) => Ok(value),
        None => parse_any(text),
    }
}

/// Plain decimals of fifteen or sixteen digits, with or without a small exponent; `None` for anything else.
#[inline]
pub(crate) fn parse_short(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut mantissa: u64 = 0;
    let mut count = 0;
    let mut at = 0;
    while let Some(digit) = digit_at(digits, at) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    count += at;
    let mut fraction = 0;
    if digits.get(at) == Some(&b'.') {
        at += 1;
        let from = at;
        while let Some(digit) = digit_at(digits, at) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(digit);
            at += 1;
        }
        fraction = at - from;
        count += fraction;
    }
    if count == 0 || count > DIGITS_MAX || mantissa > EXACT_MAX {
        return None;
    }
    let mut power = -(fraction as i32);
    if at < digits.len() {
        power += exponent(&digits[at..])?;
    }
    let value = mantissa as f64;
    let value = match power {
        0 => value,
        1..=22 => value * POWERS[power as usize],
        -22..=-1 => value / POWERS[-power as usize],
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

#[inline]
fn digit_at(text: &[u8], at: usize) -> Option<u64> {
    let digit = text.get(at)?.wrapping_sub(b'0');
    (digit < 10).then_some(u64::from(digit))
}

/// `e`, a sign or none, one to three digits, and nothing behind them.
fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'e' | b'E', b'-', digits @ ..] => (true, digits),
        [b'e' | b'E', b'+', digits @ ..] => (false, digits),
        [b'e' | b'E', digits @ ..] => (false, digits),
        _ => return None,
    };
    if digits.is_empty() || digits.len() > 3 {
        return None;
    }
    let mut value = 0;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i32::from(byte - b'0');
    }
    Some(if negative { -value } else { value })
}

#[cold]
fn parse_any(text: &[u8]) -> Result<f64, FloatError> {
    if text.iter().any(|b| matches!(b, b'p' | b'P' | b'_')) {
        return Err(FloatError::Unsupported);
    }
    let syntax = || FloatError::Syntax { found: text.to_vec() };
    let word = std::str::from_utf8(text).map_err(|_| syntax())?;
    let value: f64 = word.parse().map_err(|_| syntax())?;
    if value.is_nan() {
        // Go knows no signed NaN. Other payloads mark staleness, so every NaN becomes the ordinary one.
        return if word.len() == 3 { Ok(NORMAL_NAN) } else { Err(syntax()) };
    }
    if value.is_infinite() && text.iter().any(u8::is_ascii_digit) {
        return Err(FloatError::Range { found: text.to_vec() });
    }
    Ok(value)
}

/// Digits as a number; `None` when they are none, or too many for 64 bits.
#[inline]
pub(crate) fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let mut value: i64 = 0;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i64::from(digit))?;
    }
    (!text.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: f64) {
        let got = parse_value(text.as_bytes()).unwrap();
        assert_eq!(got.to_bits(), want.to_bits(), "{text}: {got} instead of {want}");
    }

    fn refuse(text: &str, want: FloatError) {
        assert_eq!(parse_value(text.as_bytes()), Err(want));
    }

    fn syntax(text: &str) -> FloatError {
        FloatError::Syntax { found: text.into() }
    }

    #[test]
    fn accepts_what_go_accepts() {
        check("0", 0.0);
        check("-0", -0.0);
        check("+1", 1.0);
        check("1.", 1.0);
        check(".5", 0.5);
        check("4.9351e-05", 4.9351e-05);
        check("7.424100000000001e-05", 7.424100000000001e-05);
        check("1.7976931348623157e+308", f64::MAX);
        check("1e-400", 0.0);
        check("18446744073709551616", 18446744073709551616.0);
        check("+Inf", f64::INFINITY);
        check("-infinity", f64::NEG_INFINITY);
        check("NaN", NORMAL_NAN);
        check("nAn", NORMAL_NAN);
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in ["", "-", ".", "1e", "1e+", "+nan", "-NaN", "true", "0x1f", "1\r", " 1"] {
            refuse(text, syntax(text));
        }
        refuse("1_2", FloatError::Unsupported);
        refuse("0x1p-3", FloatError::Unsupported);
        refuse("1e400", FloatError::Range { found: "1e400".into() });
    }

    /// The digit loop must give the very bits the standard library gives, or decline.
    #[test]
    fn short_numbers_are_exact() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for _ in 0..200_000 {
            let digits = next() % 10_u64.pow((next() % 18) as u32 + 1);
            let text = match next() % 4 {
                0 => format!("{digits}"),
                1 => format!("-{digits}.{}", next() % 1_000_000),
                2 => format!("{digits}e{}", next() as i8),
                _ => format!("{}", f64::from_bits(next())),
            };
            if let Some(got) = parse_short(text.as_bytes()) {
                let want: f64 = text.parse().unwrap();
                assert_eq!(got.to_bits(), want.to_bits(), "{text}");
            }
        }
    }
}
