//! Go's `strconv.FormatFloat(v, verb, -1, 64)`: the shortest digits that read back as the same value, laid out
//! in one of Go's three shapes.
//!
//! Invariants
//! * The digits are the shortest that round-trip (Go and zmij agree on them).
//! * An exponent has a sign and at least two digits, as Go writes it.
//! * NaN prints `NaN` whatever its bits; infinities print `+Inf` and `-Inf`.

/// The three layouts of `strconv.FormatFloat` with precision -1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FloatFormat {
    /// `'f'`: never an exponent. `1e21` is `1000000000000000000000`.
    Fixed,
    /// `'e'`: always an exponent. `1` is `1e+00`.
    Exponent,
    /// `'g'`: an exponent when the decimal exponent is below -4 or at least 6. `1000000` is `1e+06`.
    General,
}

/// The value as text. See [`append_float`].
pub fn format_float(v: f64, format: FloatFormat) -> String {
    let mut out = Vec::with_capacity(24);
    append_float(&mut out, v, format);
    String::from_utf8(out).expect("digits, signs and letters are ASCII")
}

/// Appends the value to `out` as ASCII.
pub fn append_float(out: &mut Vec<u8>, v: f64, format: FloatFormat) {
    if v.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if v.is_infinite() {
        out.extend_from_slice(if v > 0.0 { b"+Inf" } else { b"-Inf" });
        return;
    }
    let plain_integers_below = match format {
        FloatFormat::Fixed => 1e15,
        FloatFormat::Exponent => 0.0,
        FloatFormat::General => 1e6,
    };
    if v.abs() < plain_integers_below && v.fract() == 0.0 && !(v == 0.0 && v.is_sign_negative()) {
        let mut buffer = itoa::Buffer::new();
        out.extend_from_slice(buffer.format(v as i64).as_bytes());
        return;
    }
    if v.is_sign_negative() {
        out.push(b'-');
    }
    let (digits, len, exponent) = shortest_digits(v.abs());
    let digits = &digits[..len];
    match format {
        FloatFormat::Fixed => append_fixed(out, digits, exponent),
        FloatFormat::Exponent => append_exponent(out, digits, exponent),
        // Go decides as for a precision of 6 when it prints the shortest digits.
        FloatFormat::General if !(-4..6).contains(&exponent) => append_exponent(out, digits, exponent),
        FloatFormat::General => append_fixed(out, digits, exponent),
    }
}

/// Decimal digits d1 d2 … dn and the exponent e so that the value is d1.d2…dn × 10^e; zero is (`0`, 0).
/// `v` is finite and not negative.
fn shortest_digits(v: f64) -> ([u8; 20], usize, i32) {
    let mut digits = [0u8; 20];
    if v == 0.0 {
        digits[0] = b'0';
        return (digits, 1, 0);
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(v).as_bytes();
    let (mantissa, written_exponent) = match text.iter().position(|&b| b == b'e') {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])),
        None => (text, 0),
    };
    let (mut len, mut point, mut leading_zeros, mut seen) = (0, None, 0, false);
    let mut integer_digits = 0;
    for &b in mantissa {
        if b == b'.' {
            point = Some(());
            continue;
        }
        if point.is_none() {
            integer_digits += 1;
        }
        if !seen && b == b'0' {
            leading_zeros += 1;
            continue;
        }
        seen = true;
        if len < digits.len() {
            digits[len] = b;
            len += 1;
        }
    }
    while len > 1 && digits[len - 1] == b'0' {
        len -= 1;
    }
    (digits, len, integer_digits - leading_zeros - 1 + written_exponent)
}

fn parse_exponent(text: &[u8]) -> i32 {
    let (negative, text) = match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let n = text.iter().fold(0, |n, b| n * 10 + i32::from(b - b'0'));
    if negative { -n } else { n }
}

fn append_fixed(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (-exponent - 1) as usize, b'0');
        out.extend_from_slice(digits);
        return;
    }
    let integer_len = exponent as usize + 1;
    if digits.len() <= integer_len {
        out.extend_from_slice(digits);
        out.resize(out.len() + integer_len - digits.len(), b'0');
    } else {
        out.extend_from_slice(&digits[..integer_len]);
        out.push(b'.');
        out.extend_from_slice(&digits[integer_len..]);
    }
}

fn append_exponent(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    out.push(b'e');
    out.push(if exponent < 0 { b'-' } else { b'+' });
    let magnitude = exponent.unsigned_abs();
    if magnitude < 10 {
        out.push(b'0');
    }
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(magnitude).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Value, then Go's 'f', 'e' and 'g' texts.
    const GO: &[(f64, &str, &str, &str)] = &[
        (0.0, "0", "0e+00", "0"),
        (-0.0, "-0", "-0e+00", "-0"),
        (1.0, "1", "1e+00", "1"),
        (-2.5, "-2.5", "-2.5e+00", "-2.5"),
        (100000.0, "100000", "1e+05", "100000"),
        (1234567.0, "1234567", "1.234567e+06", "1.234567e+06"),
        (1e21, "1000000000000000000000", "1e+21", "1e+21"),
        (1e20, "100000000000000000000", "1e+20", "1e+20"),
        (999999.5, "999999.5", "9.999995e+05", "999999.5"),
        (123456789012345680.0, "123456789012345680", "1.2345678901234568e+17", "1.2345678901234568e+17"),
        (0.0001, "0.0001", "1e-04", "0.0001"),
        (0.00001, "0.00001", "1e-05", "1e-05"),
        (0.1, "0.1", "1e-01", "0.1"),
        (5e-324, "", "5e-324", "5e-324"),
        (1.7976931348623157e308, "", "1.7976931348623157e+308", "1.7976931348623157e+308"),
        (f64::NAN, "NaN", "NaN", "NaN"),
        (f64::INFINITY, "+Inf", "+Inf", "+Inf"),
        (f64::NEG_INFINITY, "-Inf", "-Inf", "-Inf"),
    ];

    #[test]
    fn prints_as_go_does() {
        for &(v, f, e, g) in GO {
            if !f.is_empty() {
                assert_eq!(format_float(v, FloatFormat::Fixed), f, "'f' of {v:e}");
            }
            assert_eq!(format_float(v, FloatFormat::Exponent), e, "'e' of {v:e}");
            assert_eq!(format_float(v, FloatFormat::General), g, "'g' of {v:e}");
        }
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same_bits() {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let v = f64::from_bits(state);
            if !v.is_finite() {
                continue;
            }
            for format in [FloatFormat::Fixed, FloatFormat::Exponent, FloatFormat::General] {
                let text = format_float(v, format);
                let back: f64 = text.parse().expect("a float");
                assert_eq!(back.to_bits(), v.to_bits(), "{text}");
            }
        }
    }
}
