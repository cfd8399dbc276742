//! The wall clock of the judge, in Unix milliseconds: the scale of the servers' sample times.
//!
//! Everything the judge compares happened on one machine, so one clock stamps kills, scrapes and answers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Sleeps until the wall clock shows `at_ms`; returns at once when that has passed.
pub fn sleep_until(at_ms: i64) {
    let left = at_ms - now_ms();
    if left > 0 {
        std::thread::sleep(Duration::from_millis(left.unsigned_abs()));
    }
}

/// `12:03:04.250`, UTC.
pub fn hms(at_ms: i64) -> String {
    let of_day = at_ms.rem_euclid(86_400_000);
    let (seconds, millis) = (of_day / 1000, of_day % 1000);
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Reads `250ms`, `5s`, `1m30s`, `2h`: a sequence of number and unit, largest unit first as Prometheus writes it.
pub fn parse_duration_ms(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit_end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..unit_end] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then_some(total)
}

/// `5s`, `1m30s`, `250ms`: what [`parse_duration_ms`] reads.
pub fn format_duration_ms(ms: i64) -> String {
    if ms == 0 {
        return "0s".into();
    }
    let mut text = String::new();
    let mut rest = ms;
    for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_as_written() {
        for (text, ms) in
            [("5s", 5000), ("1m30s", 90_000), ("250ms", 250), ("2h", 7_200_000), ("1s500ms", 1500)]
        {
            assert_eq!(parse_duration_ms(text), Some(ms), "{text}");
            assert_eq!(format_duration_ms(ms), text);
        }
        for text in ["", "5", "s", "5 s", "5x", "-5s"] {
            assert_eq!(parse_duration_ms(text), None, "{text:?}");
        }
    }

    #[test]
    fn time_of_day_is_utc() {
        assert_eq!(hms(1_700_000_000_123), "22:13:20.123");
    }
}
