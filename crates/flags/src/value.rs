//! Values of flags: what each kind accepts, with kingpin's error texts.

use crate::Kind;

/// The value in its canonical spelling, or the error.
pub(crate) fn canonical(kind: Kind, text: &str) -> Result<String, String> {
    match kind {
        Kind::Bool | Kind::Text | Kind::Texts => Ok(text.to_string()),
        Kind::Choice(words) | Kind::Choices(words) => {
            if words.contains(&text) {
                Ok(text.to_string())
            } else {
                Err(format!("enum value must be one of {}, got '{text}'", words.join(",")))
            }
        }
        Kind::Int => int(text).map(|n| n.to_string()),
        Kind::Int64 => int64(text).map(|n| n.to_string()),
        Kind::Float => float(text).map(|_| text.to_string()),
        Kind::Duration => {
            let ms = model::parse_duration(text).map_err(|error| error.to_string())?;
            Ok(model::format_duration(ms))
        }
        Kind::GoDuration => go_duration_ms(text).map(|_| text.to_string()),
        Kind::Bytes => {
            let bytes = model::parse_bytes(text).map_err(|error| error.to_string())?;
            Ok(model::format_bytes(bytes))
        }
    }
}

pub(crate) fn int(text: &str) -> Result<i64, String> {
    let value = float(text)?;
    if value.is_nan() || value < i64::MIN as f64 || value >= i64::MAX as f64 {
        return Err(format!("strconv.ParseFloat: parsing {text:?}: value out of range"));
    }
    Ok(value as i64)
}

pub(crate) fn int64(text: &str) -> Result<i64, String> {
    let error = |why: &str| format!("strconv.ParseInt: parsing {text:?}: {why}");
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(error("invalid syntax"));
    }
    text.parse().map_err(|_| error("value out of range"))
}

pub(crate) fn float(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))
}

/// Milliseconds of a Go duration: decimal numbers with units, a sign in front.
pub(crate) fn go_duration_ms(text: &str) -> Result<i64, String> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1e-6),
        ("us", 1e-3),
        ("µs", 1e-3),
        ("μs", 1e-3),
        ("ms", 1.0),
        ("s", 1e3),
        ("m", 6e4),
        ("h", 3.6e6),
    ];
    let invalid = || format!("time: invalid duration {text:?}");
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total_ms = 0.0;
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let number_len = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_len);
        let unit_len = after.find(is_number).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let number: f64 = number.parse().map_err(|_| invalid())?;
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {text:?}"));
        }
        let Some((_, unit_ms)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("time: unknown unit {unit:?} in duration {text:?}"));
        };
        total_ms += number * unit_ms;
        rest = after;
    }
    // Go keeps nanoseconds in 64 bits.
    if total_ms > i64::MAX as f64 / 1e6 {
        return Err(invalid());
    }
    let ms = total_ms.round() as i64;
    Ok(if negative { -ms } else { ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: Kind, text: &str) -> String {
        canonical(kind, text).expect_err("must be refused")
    }

    #[test]
    fn canonical_spellings() {
        let check = |kind, text: &str, want: &str| assert_eq!(canonical(kind, text).as_deref(), Ok(want));
        check(Kind::Int, "5e7", "50000000");
        check(Kind::Int64, "-4", "-4");
        check(Kind::Duration, "60m", "1h");
        check(Kind::Bytes, "512MB", "512MiB");
        check(Kind::GoDuration, "1.5ms", "1.5ms");
        assert_eq!(go_duration_ms("1m30s"), Ok(90_000));
        assert_eq!(go_duration_ms("-2ms"), Ok(-2));
    }

    #[test]
    fn errors_read_as_upstream() {
        assert_eq!(error(Kind::Int, "foo"), r#"strconv.ParseFloat: parsing "foo": invalid syntax"#);
        assert_eq!(error(Kind::Int64, "x"), r#"strconv.ParseInt: parsing "x": invalid syntax"#);
        assert_eq!(error(Kind::Duration, "foo"), r#"not a valid duration string: "foo""#);
        assert_eq!(error(Kind::Duration, ""), "empty duration string");
        assert_eq!(error(Kind::Bytes, "foo"), "units: invalid foo");
        assert_eq!(error(Kind::Choice(&["a", "b"]), "x"), "enum value must be one of a,b, got 'x'");
        assert_eq!(error(Kind::GoDuration, "5"), r#"time: missing unit in duration "5""#);
    }
}
