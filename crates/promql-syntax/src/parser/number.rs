//! Numbers as Go reads them.

use gomath::quote;

/// What Go calls its not-a-number.
const NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

/// An integer with Go's prefixes (`0x`, `0b`, `0o`, `0`) if it is one and fits, else a float. Errors carry the
/// text of Go's strconv.
pub(super) fn parse_number(text: &str) -> Result<f64, String> {
    match parse_int(text) {
        Some(int) => Ok(int as f64),
        None => parse_float(text),
    }
}

/// A count: decimal digits and nothing else.
pub(super) fn parse_uint(text: &str) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let problem = if digits { "value out of range" } else { "invalid syntax" };
    let parsed = if digits { text.parse().ok() } else { None };
    parsed.ok_or_else(|| format!("strconv.ParseUint: parsing {}: {problem}", quote(text)))
}

fn parse_int(text: &str) -> Option<i64> {
    if !underscores_separate(text) {
        return None;
    }
    let lower = text.to_ascii_lowercase().replace('_', "");
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    i64::from_str_radix(digits, base).ok()
}

fn parse_float(text: &str) -> Result<f64, String> {
    if text.eq_ignore_ascii_case("inf") {
        return Ok(f64::INFINITY);
    }
    if text.eq_ignore_ascii_case("nan") {
        return Ok(NAN);
    }
    let error = |problem: &str| format!("strconv.ParseFloat: parsing {}: {problem}", quote(text));
    let plain = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'_' | b'e' | b'E' | b'+' | b'-'));
    if !plain || !underscores_separate(text) {
        return Err(error("invalid syntax"));
    }
    match text.replace('_', "").parse::<f64>() {
        Ok(value) if value.is_infinite() => Err(error("value out of range")),
        Ok(value) => Ok(value),
        Err(_) => Err(error("invalid syntax")),
    }
}

/// Underscores must stand between digits; a base prefix counts as one.
fn underscores_separate(text: &str) -> bool {
    if !text.contains('_') {
        return true;
    }
    let bytes = text.as_bytes();
    let prefixed = bytes.len() >= 2 && bytes[0] == b'0' && matches!(bytes[1] | 0x20, b'x' | b'b' | b'o');
    let hex = prefixed && bytes[1] | 0x20 == b'x';
    let mut before = if prefixed { b'0' } else { b'^' };
    for &byte in &bytes[if prefixed { 2 } else { 0 }..] {
        if byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit()) {
            before = b'0';
        } else if byte == b'_' {
            if before != b'0' {
                return false;
            }
            before = b'_';
        } else {
            if before == b'_' {
                return false;
            }
            before = b'!';
        }
    }
    before != b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_gos() {
        for (text, value) in [
            ("0755", 493.0),
            ("08", 8.0),
            ("0xc", 12.0),
            ("0X_1f", 31.0),
            ("1_000.5", 1000.5),
            ("5.", 5.0),
            ("9223372036854775808", 9_223_372_036_854_775_808.0),
            ("Inf", f64::INFINITY),
        ] {
            assert_eq!(parse_number(text), Ok(value), "{text}");
        }
        for (text, problem) in
            [("1e400", "value out of range"), ("0x", "invalid syntax"), ("1e", "invalid syntax")]
        {
            let error = parse_number(text).expect_err("no number");
            assert_eq!(error, format!("strconv.ParseFloat: parsing \"{text}\": {problem}"));
        }
        assert_eq!(
            parse_uint("1.5").expect_err("no count"),
            "strconv.ParseUint: parsing \"1.5\": invalid syntax"
        );
    }
}
