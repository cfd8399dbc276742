//! What a scalar means: go-yaml v2's reading of YAML 1.1.

/// A scalar's meaning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Only numbers above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Text,
    /// Looks like a date; kept as text, but named so in messages.
    Timestamp,
    /// Base64 text, decoded.
    Binary(Vec<u8>),
}

impl Scalar {
    /// The tag that messages name it by.
    pub fn tag(&self) -> &'static str {
        match self {
            Scalar::Null => "!!null",
            Scalar::Bool(_) => "!!bool",
            Scalar::Int(_) | Scalar::Uint(_) => "!!int",
            Scalar::Float(_) => "!!float",
            Scalar::Text => "!!str",
            Scalar::Timestamp => "!!timestamp",
            Scalar::Binary(_) => "!!binary",
        }
    }
}

/// The meaning of `text`, written plain or quoted, under `tag` (empty for none). The error is go-yaml's sentence.
pub(crate) fn resolve(tag: &str, text: &str, plain: bool) -> Result<Scalar, String> {
    match tag {
        "" if !plain => Ok(Scalar::Text),
        "!!str" | "!" => Ok(Scalar::Text),
        "!!binary" => base64(text)
            .map(Scalar::Binary)
            .ok_or_else(|| "!!binary value contains invalid base64 data".to_string()),
        "" => Ok(untagged(text)),
        "!!bool" | "!!int" | "!!float" | "!!null" | "!!timestamp" => match (tag, untagged(text)) {
            ("!!float", Scalar::Int(n)) => Ok(Scalar::Float(n as f64)),
            (_, scalar) if scalar.tag() == tag => Ok(scalar),
            (_, scalar) => Err(format!("cannot decode {} `{text}` as a {tag}", scalar.tag())),
        },
        _ => Ok(Scalar::Text),
    }
}

fn untagged(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes()[0] {
        b'.' => gomath_float(text).map_or(Scalar::Text, Scalar::Float),
        b'0'..=b'9' | b'+' | b'-' => number(text),
        _ => Scalar::Text,
    }
}

fn number(text: &str) -> Scalar {
    if is_timestamp(text) {
        return Scalar::Timestamp;
    }
    let bare: String = text.chars().filter(|c| *c != '_').collect();
    if let Some(scalar) = integer(&bare) {
        return scalar;
    }
    if is_float_form(&bare)
        && let Some(value) = gomath_float(&bare)
    {
        return Scalar::Float(value);
    }
    Scalar::Text
}

/// Go's integer literals of base 0: `0x`, `0o`, `0b` and a leading zero for octal, with a sign.
fn integer(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let prefix = digits.get(..2).unwrap_or_default();
    let (radix, digits) = match prefix {
        "0x" | "0X" => (16, &digits[2..]),
        "0o" | "0O" => (8, &digits[2..]),
        "0b" | "0B" => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|b| (b as char).is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0i64.checked_sub_unsigned(magnitude).map(Scalar::Int);
    }
    match i64::try_from(magnitude) {
        Ok(value) => Some(Scalar::Int(value)),
        // Go reads an unsigned number only without a sign.
        Err(_) => (!text.starts_with('+')).then_some(Scalar::Uint(magnitude)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float_form(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mantissa_holds = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_holds = exponent.is_none_or(|part| {
        let part = part.strip_prefix(['-', '+']).unwrap_or(part);
        !part.is_empty() && digits(part)
    });
    mantissa_holds && exponent_holds
}

fn gomath_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    // Go reports a range error where Rust returns infinity.
    value.is_finite().then_some(value)
}

/// `2006-1-2`, alone or with a time after `T`, `t` or a space.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some((&text[at..at + 1], &text[at + 1..]))),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let year = parts.next().and_then(|part| part.parse::<u32>().ok());
    let month = parts.next().and_then(|part| small_number(part, 1, 12));
    let (Some(year), Some(month)) = (year, month) else { return false };
    let days = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if parts.next().and_then(|part| small_number(part, 1, days)).is_none() {
        return false;
    }
    match time {
        None => true,
        Some((" ", clock)) => is_clock(clock),
        Some((_, rest)) => match rest.find(['Z', '+', '-']) {
            Some(at) => {
                let (clock, zone) = rest.split_at(at);
                let zone_holds = zone == "Z"
                    || zone[1..].split_once(':').is_some_and(|(hours, minutes)| {
                        hours.len() == 2
                            && minutes.len() == 2
                            && small_number(hours, 0, 24).is_some()
                            && small_number(minutes, 0, 60).is_some()
                    });
                zone_holds && is_clock(clock)
            }
            None => false,
        },
    }
}

fn is_clock(text: &str) -> bool {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.split(':');
    let mut part = |max| parts.next().and_then(|part| small_number(part, 0, max)).is_some();
    part(23)
        && part(59)
        && part(59)
        && parts.next().is_none()
        && fraction.is_none_or(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// One or two digits between `min` and `max`.
fn small_number(text: &str, min: u32, max: u32) -> Option<u32> {
    if text.is_empty() || text.len() > 2 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|value| (min..=max).contains(value))
}

/// Standard base64 with padding; line breaks are skipped, as Go does.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let symbols: Vec<u8> = text.bytes().filter(|b| *b != b'\n' && *b != b'\r').collect();
    if !symbols.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(symbols.len() / 4 * 3);
    let groups = symbols.len() / 4;
    for (index, group) in symbols.chunks_exact(4).enumerate() {
        let padding = group.iter().rev().take_while(|b| **b == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 != groups) {
            return None;
        }
        let mut word = 0u32;
        for &symbol in &group[..4 - padding] {
            word = word << 6 | sextet(symbol)?;
        }
        word <<= 6 * padding as u32;
        let three = [(word >> 16) as u8, (word >> 8) as u8, word as u8];
        bytes.extend_from_slice(&three[..3 - padding]);
    }
    Some(bytes)
}

fn sextet(symbol: u8) -> Option<u32> {
    let value = match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Scalar) {
        let got = resolve("", text, true).unwrap();
        match (&got, &want) {
            (Scalar::Float(a), Scalar::Float(b)) if a.is_nan() && b.is_nan() => {}
            _ => assert_eq!(got, want, "{text}"),
        }
    }

    #[test]
    fn words_of_yaml_1_1() {
        check("yes", Scalar::Bool(true));
        check("Off", Scalar::Bool(false));
        check("y", Scalar::Bool(true));
        check("~", Scalar::Null);
        check("", Scalar::Null);
        check("nULL", Scalar::Text);
        check("<<", Scalar::Text);
        check(".NaN", Scalar::Float(f64::NAN));
    }

    #[test]
    fn numbers() {
        check("5", Scalar::Int(5));
        check("017", Scalar::Int(15));
        check("0o17", Scalar::Int(15));
        check("0x1F", Scalar::Int(31));
        check("0b101", Scalar::Int(5));
        check("-0b101", Scalar::Int(-5));
        check("1_000", Scalar::Int(1000));
        check("9223372036854775808", Scalar::Uint(1 << 63));
        check("-9223372036854775808", Scalar::Int(i64::MIN));
        check("1e3", Scalar::Float(1000.0));
        check(".5", Scalar::Float(0.5));
        check("5.", Scalar::Float(5.0));
        check("1e999", Scalar::Text);
        check("5s", Scalar::Text);
        check("08", Scalar::Float(8.0));
        check("1:30", Scalar::Text);
    }

    #[test]
    fn dates_are_named_timestamps() {
        check("2024-02-29", Scalar::Timestamp);
        check("2023-02-29", Scalar::Text);
        check("2024-1-2T3:4:5Z", Scalar::Timestamp);
        check("2024-01-02 03:04:05.5", Scalar::Timestamp);
        check("2024-01-02T03:04:05", Scalar::Text);
    }

    #[test]
    fn quotes_and_tags_decide() {
        assert_eq!(resolve("", "5", false), Ok(Scalar::Text));
        assert_eq!(resolve("!!str", "5", true), Ok(Scalar::Text));
        assert_eq!(resolve("!!float", "5", true), Ok(Scalar::Float(5.0)));
        assert_eq!(resolve("!!binary", "/w==", false), Ok(Scalar::Binary(vec![0xff])));
        assert!(resolve("!!binary", "/w==$1", false).unwrap_err().contains("invalid base64"));
        assert_eq!(resolve("!!int", "x", true).unwrap_err(), "cannot decode !!str `x` as a !!int");
    }
}
