//! Prometheus' durations: `1y2w3d4h5m6s7ms`, each unit at most once and in this order.
//!
//! In memory a duration is a number of milliseconds, `i64`; the unit stands in the variable's name.

use std::fmt;

use gomath::quote;

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Go keeps durations in nanoseconds, so nothing longer than this (about 292 years) is a duration there.
const MAX_MS: i64 = i64::MAX / 1_000_000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DurationError {
    Empty,
    Invalid(String),
    UnknownUnit { unit: String, text: String },
    OutOfRange,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DurationError::Empty => f.write_str("empty duration string"),
            DurationError::Invalid(text) => write!(f, "not a valid duration string: {}", quote(text)),
            DurationError::UnknownUnit { unit, text } => {
                write!(f, "unknown unit {} in duration {}", quote(unit), quote(text))
            }
            DurationError::OutOfRange => f.write_str("duration out of range"),
        }
    }
}

impl std::error::Error for DurationError {}

/// Reads a duration, in milliseconds. `0` needs no unit; a sign is not allowed.
pub fn parse_duration(text: &str) -> Result<i64, DurationError> {
    match text {
        "" => return Err(DurationError::Empty),
        "0" => return Ok(0),
        _ => {}
    }
    let invalid = || DurationError::Invalid(text.to_string());
    let (mut rest, mut next_unit, mut total_ms) = (text, 0, 0i64);
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let amount = digits.parse::<u64>().map_err(|_| invalid())?;
        if unit.is_empty() {
            return Err(invalid());
        }
        let unknown = || DurationError::UnknownUnit { unit: unit.to_string(), text: text.to_string() };
        let at = UNITS.iter().position(|(name, _)| *name == unit).ok_or_else(unknown)?;
        if at < next_unit {
            return Err(invalid());
        }
        next_unit = at + 1;
        total_ms = i64::try_from(amount)
            .ok()
            .and_then(|n| n.checked_mul(UNITS[at].1))
            .and_then(|ms| total_ms.checked_add(ms))
            .filter(|&ms| ms <= MAX_MS)
            .ok_or(DurationError::OutOfRange)?;
        rest = after;
    }
    Ok(total_ms)
}

/// The duration as Prometheus prints it: years and weeks only where they leave nothing over.
pub fn format_duration(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_string();
    }
    let mut out = String::new();
    let mut rest = ms.unsigned_abs();
    if ms < 0 {
        out.push('-');
    }
    for (unit, unit_ms) in UNITS {
        let unit_ms = unit_ms as u64;
        let exact_only = matches!(unit, "y" | "w");
        if rest >= unit_ms && (!exact_only || rest.is_multiple_of(unit_ms)) {
            out.push_str(&(rest / unit_ms).to_string());
            out.push_str(unit);
            rest %= unit_ms;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, ms: i64, printed: &str) {
        assert_eq!(parse_duration(text), Ok(ms), "{text}");
        assert_eq!(format_duration(ms), printed);
    }

    #[test]
    fn reads_and_prints_as_prometheus_does() {
        check("0", 0, "0s");
        check("0w", 0, "0s");
        check("0s", 0, "0s");
        check("324ms", 324, "324ms");
        check("3s", 3_000, "3s");
        check("5m", 300_000, "5m");
        check("1h", 3_600_000, "1h");
        check("4d", 4 * 86_400_000, "4d");
        check("4d1h", 4 * 86_400_000 + 3_600_000, "4d1h");
        check("14d", 14 * 86_400_000, "2w");
        check("3w", 21 * 86_400_000, "3w");
        check("3w2d1h", 23 * 86_400_000 + 3_600_000, "23d1h");
        check("10y", 3650 * 86_400_000, "10y");
        check("1m30s", 90_000, "1m30s");
    }

    #[test]
    fn refuses_what_prometheus_refuses() {
        for text in ["1", "1y1m1d", "-1w", "d", "1d1d", "5s5m", "99999999999999999999s"] {
            assert_eq!(parse_duration(text), Err(DurationError::Invalid(text.to_string())), "{text}");
        }
        assert_eq!(parse_duration(""), Err(DurationError::Empty));
        assert_eq!(parse_duration("294y"), Err(DurationError::OutOfRange));
        for (text, unit) in [("1.5d", "."), ("1 s", " s"), ("1S", "S"), ("5y1hs", "hs")] {
            let problem = DurationError::UnknownUnit { unit: unit.to_string(), text: text.to_string() };
            assert_eq!(parse_duration(text), Err(problem), "{text}");
        }
        assert_eq!(
            parse_duration("foo").expect_err("not a duration").to_string(),
            "not a valid duration string: \"foo\""
        );
    }
}
