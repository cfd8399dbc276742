//! Byte sizes with binary units: `512MB` and `512MiB` are both 512 × 2²⁰.
//!
//! In memory a size is a number of bytes, `i64`; the unit stands in the variable's name.

use std::fmt;

/// Each a factor 1024 above the one before.
const PREFIXES: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];

/// Why a text is no size. The texts are upstream's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ByteSizeError {
    Invalid(String),
    UnknownUnit { unit: String, text: String },
    OutOfRange,
}

impl fmt::Display for ByteSizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ByteSizeError::Invalid(text) => write!(f, "units: invalid {text}"),
            ByteSizeError::UnknownUnit { unit, text } => write!(f, "units: unknown unit {unit} in {text}"),
            ByteSizeError::OutOfRange => f.write_str("units: overflow parsing unit"),
        }
    }
}

impl std::error::Error for ByteSizeError {}

/// Reads a size, in bytes: numbers with units one after another, `1GiB512MiB`, fractions and a sign allowed.
/// Only `0` needs no unit.
pub fn parse_bytes(text: &str) -> Result<i64, ByteSizeError> {
    // Either all units are `KiB` or all are `KB`.
    parse(text, "iB").or_else(|_| parse(text, "B"))
}

fn parse(text: &str, suffix: &str) -> Result<i64, ByteSizeError> {
    let invalid = || ByteSizeError::Invalid(text.to_string());
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut bytes = 0.0f64;
    while !rest.is_empty() {
        let number_len = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let unit_len = rest[number_len..].bytes().take_while(|b| !b.is_ascii_digit() && *b != b'.').count();
        let number = &rest[..number_len];
        let unit = &rest[number_len..number_len + unit_len];
        let plausible = number.bytes().any(|b| b.is_ascii_digit()) && number.len() <= 40;
        let number: f64 = number.parse().ok().filter(|_| plausible).ok_or_else(invalid)?;
        let power = power_of(unit, suffix)
            .ok_or_else(|| ByteSizeError::UnknownUnit { unit: unit.to_string(), text: text.to_string() })?;
        bytes += number * 1024f64.powi(power);
        rest = &rest[number_len + unit_len..];
    }
    if negative {
        bytes = -bytes;
    }
    if bytes < i64::MIN as f64 || bytes > i64::MAX as f64 {
        return Err(ByteSizeError::OutOfRange);
    }
    Ok(bytes as i64)
}

/// Which power of 1024 `unit` stands for.
fn power_of(unit: &str, suffix: &str) -> Option<i32> {
    if unit == "B" {
        return Some(0);
    }
    let prefix = unit.strip_suffix(suffix)?;
    let at = PREFIXES.iter().position(|known| *known == prefix && !prefix.is_empty())?;
    i32::try_from(at).ok()
}

/// The size as Prometheus prints it: each unit that is not zero, `1GiB512MiB`.
pub fn format_bytes(bytes: i64) -> String {
    let mut parts = Vec::new();
    let mut rest = bytes;
    for (power, prefix) in PREFIXES.iter().enumerate() {
        if rest % 1024 != 0 || (power == 0 && rest == 0) {
            let suffix = if power == 0 { "B" } else { "iB" };
            parts.push(format!("{}{prefix}{suffix}", rest % 1024));
        }
        rest /= 1024;
        if rest == 0 {
            break;
        }
    }
    parts.reverse();
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, bytes: i64, printed: &str) {
        assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        assert_eq!(format_bytes(bytes), printed);
    }

    #[test]
    fn reads_and_prints_as_prometheus_does() {
        check("0", 0, "0B");
        check("100B", 100, "100B");
        check("1KB", 1024, "1KiB");
        check("512MB", 512 << 20, "512MiB");
        check("512MiB", 512 << 20, "512MiB");
        check("1GiB512MiB", 1536 << 20, "1GiB512MiB");
        check("1.5GB", 1536 << 20, "1GiB512MiB");
        check("-1GB", -(1 << 30), "-1GiB");
    }

    #[test]
    fn refuses_what_prometheus_refuses() {
        let error = |text: &str| parse_bytes(text).expect_err("not a size").to_string();
        assert_eq!(error("100"), "units: unknown unit  in 100");
        assert_eq!(error("1kB"), "units: unknown unit kB in 1kB");
        assert_eq!(error(""), "units: invalid ");
        assert_eq!(error("foo"), "units: invalid foo");
        assert_eq!(error("9999999EB"), "units: overflow parsing unit");
    }
}
