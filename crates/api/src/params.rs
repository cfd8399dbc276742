//! Parameters as the API reads them: times, durations, limits, selectors.

use http_server::Params;
use model::{Matcher, TimeRange};

use crate::ApiError;

/// The default of `start`: upstream's least time, in milliseconds.
pub const MIN_TIME_MS: i64 = (i64::MIN / 1000 + 62_135_596_801) * 1000;
/// The default of `end`: upstream's greatest time, in milliseconds.
pub const MAX_TIME_MS: i64 = (i64::MAX / 1000 - 62_135_596_801) * 1000 + 999;
const MIN_TIME_TEXT: &str = "-292273086-05-16T16:47:06Z";
const MAX_TIME_TEXT: &str = "+292277025-08-18T07:12:54.999999999Z";

/// A float of seconds or an RFC 3339 time, in milliseconds.
pub fn parse_time(text: &str) -> Result<i64, String> {
    let cannot = || format!("cannot parse {} to a valid timestamp", gomath::quote(text));
    if let Some(seconds) = go_float(text) {
        let (whole, fraction) = (seconds.trunc(), seconds.fract());
        // Halves away from zero, as Go rounds.
        let fraction_ms = (fraction * 1000.0).round();
        return Ok((whole as i64).saturating_mul(1000).saturating_add(fraction_ms as i64));
    }
    match text {
        MIN_TIME_TEXT | "-292273086-05-16T16:47:06.000Z" => return Ok(MIN_TIME_MS),
        MAX_TIME_TEXT => return Ok(MAX_TIME_MS),
        _ => {}
    }
    // jiff accepts more than RFC 3339: hold it to the shape Go asks for.
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[10] == b'T'
        && bytes[13] == b':'
        && bytes[16] == b':'
        && (bytes.ends_with(b"Z") || matches!(bytes[bytes.len() - 6], b'+' | b'-'));
    if !shaped {
        return Err(cannot());
    }
    let moment: jiff::Timestamp = text.parse().map_err(|_| cannot())?;
    Ok(moment.as_nanosecond().div_euclid(1_000_000) as i64)
}

/// A float of seconds or a Prometheus duration, in milliseconds.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    Ok(parse_nanoseconds(text)? / 1_000_000)
}

/// The same, in nanoseconds.
pub fn parse_nanoseconds(text: &str) -> Result<i64, String> {
    if let Some(seconds) = go_float(text) {
        let nanoseconds = seconds * 1e9;
        if !(i64::MIN as f64..=i64::MAX as f64).contains(&nanoseconds) {
            return Err(format!(
                "cannot parse {} to a valid duration. It overflows int64",
                gomath::quote(text)
            ));
        }
        return Ok(nanoseconds as i64);
    }
    model::parse_duration(text)
        .map(|ms| ms.saturating_mul(1_000_000))
        .map_err(|_| format!("cannot parse {} to a valid duration", gomath::quote(text)))
}

/// Go's `strconv.ParseFloat`, for what people send: Rust's grammar less what Go refuses.
fn go_float(text: &str) -> Option<f64> {
    if text.is_empty()
        || text.starts_with("+n")
        || text.starts_with("-n")
        || text.starts_with("+N")
        || text.starts_with("-N")
    {
        return None;
    }
    let v: f64 = text.parse().ok()?;
    let named = text.trim_start_matches(['+', '-']).starts_with(['i', 'I']);
    (v.is_finite() || v.is_nan() || named).then_some(v)
}

/// A time parameter with a default.
pub fn time(params: &Params, name: &str, default_ms: i64) -> Result<i64, ApiError> {
    match params.get(name) {
        "" => Ok(default_ms),
        text => parse_time(text).map_err(|why| {
            ApiError::invalid_parameter(name, format!("invalid time value for '{name}': {why}"))
        }),
    }
}

/// `start` and `end`, both optional.
pub fn time_range(params: &Params) -> Result<TimeRange, ApiError> {
    let mint = time(params, "start", MIN_TIME_MS)?;
    let maxt = time(params, "end", MAX_TIME_MS)?;
    Ok(TimeRange::new(mint, maxt))
}

/// `limit`; 0 = none.
pub fn limit(params: &Params) -> Result<usize, ApiError> {
    let text = params.get("limit");
    if text.is_empty() {
        return Ok(0);
    }
    let n = integer(text).map_err(|why| ApiError::invalid_parameter("limit", why))?;
    usize::try_from(n).map_err(|_| ApiError::invalid_parameter("limit", "limit must be non-negative"))
}

/// Go's `strconv.Atoi`, with its errors.
pub fn integer(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let why = if is_number { "value out of range" } else { "invalid syntax" };
    text.parse().map_err(|_| format!("strconv.Atoi: parsing {}: {why}", gomath::quote(text)))
}

/// Go's `strconv.ParseInt` to 32 bits, with its errors.
pub fn integer_of_32_bits(text: &str) -> Result<i64, String> {
    let n = integer(text).map_err(|why| why.replace("strconv.Atoi", "strconv.ParseInt"))?;
    if i32::try_from(n).is_ok() {
        return Ok(n);
    }
    Err(format!("strconv.ParseInt: parsing {}: value out of range", gomath::quote(text)))
}

/// Every `match[]`; each selector must exclude something.
pub fn matcher_sets(params: &Params) -> Result<Vec<Vec<Matcher>>, ApiError> {
    let mut sets = Vec::new();
    for text in params.all("match[]") {
        let matchers = promql_syntax::parse_metric_selector(text, &promql_syntax::Options::default())
            .map_err(|why| ApiError::bad_data(why.to_string()))?;
        if matchers.iter().all(|matcher| matcher.matches("")) {
            return Err(ApiError::bad_data("match[] must contain at least one non-empty matcher"));
        }
        sets.push(matchers);
    }
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_rfc_3339() {
        for (text, want) in [
            ("0", 0),
            ("1.5", 1_500),
            ("1435781451.781", 1_435_781_451_781),
            ("-1.25", -1_250),
            ("1e3", 1_000_000),
            ("2015-07-01T20:10:51.781Z", 1_435_781_451_781),
            ("2015-07-01T22:10:51+02:00", 1_435_781_451_000),
            ("-292273086-05-16T16:47:06Z", MIN_TIME_MS),
        ] {
            assert_eq!(parse_time(text), Ok(want), "{text}");
        }
        for text in ["", "foo", "2015-07-01", "2015-07-01 20:10:51Z", "+nan"] {
            assert_eq!(parse_time(text), Err(format!("cannot parse \"{text}\" to a valid timestamp")));
        }
    }

    #[test]
    fn durations_are_seconds_or_prometheus_durations() {
        assert_eq!(parse_duration("15"), Ok(15_000));
        assert_eq!(parse_duration("0.5"), Ok(500));
        assert_eq!(parse_duration("1h30m"), Ok(5_400_000));
        assert_eq!(
            parse_duration("1e20"),
            Err("cannot parse \"1e20\" to a valid duration. It overflows int64".to_string())
        );
        assert_eq!(parse_duration("x"), Err("cannot parse \"x\" to a valid duration".to_string()));
    }

    #[test]
    fn integers_fail_in_gos_words() {
        assert_eq!(integer("a"), Err("strconv.Atoi: parsing \"a\": invalid syntax".to_string()));
        assert_eq!(
            integer("99999999999999999999"),
            Err("strconv.Atoi: parsing \"99999999999999999999\": value out of range".to_string())
        );
    }
}
