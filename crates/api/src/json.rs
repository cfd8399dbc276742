//! JSON as upstream's encoder spells it, appended to a buffer.
//!
//! Numbers in results keep Go's shape: timestamps are seconds with up to three decimals, values are quoted.

use gomath::FloatFormat;
use model::Labels;

/// A string with `<`, `>`, `&` and the two line separators escaped, as Go's encoder does for everything but labels.
pub fn text(out: &mut Vec<u8>, text: &str) {
    escaped(out, text, true);
}

/// A string as upstream writes label names and values.
pub fn label_text(out: &mut Vec<u8>, text: &str) {
    escaped(out, text, false);
}

fn escaped(out: &mut Vec<u8>, text: &str, html: bool) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut clean_from = 0;
    for (at, &b) in bytes.iter().enumerate() {
        let separator = html && b == 0xe2 && matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9]));
        if b >= 0x20 && b != b'"' && b != b'\\' && !(html && matches!(b, b'<' | b'>' | b'&')) && !separator {
            continue;
        }
        out.extend_from_slice(&bytes[clean_from..at]);
        clean_from = at + 1;
        match b {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0xe2 => {
                out.extend_from_slice(if bytes[at + 2] == 0xa8 { b"\\u2028" } else { b"\\u2029" });
                clean_from = at + 3;
            }
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
            }
        }
    }
    out.extend_from_slice(&bytes[clean_from..]);
    out.push(b'"');
}

/// Milliseconds as seconds: `1435781451.781`.
pub fn timestamp(out: &mut Vec<u8>, t_ms: i64) {
    if t_ms < 0 {
        out.push(b'-');
    }
    let t_ms = t_ms.unsigned_abs();
    integer(out, (t_ms / 1000) as i64);
    let fraction = t_ms % 1000;
    if fraction != 0 {
        let digits = [
            b'.',
            b'0' + (fraction / 100) as u8,
            b'0' + (fraction / 10 % 10) as u8,
            b'0' + (fraction % 10) as u8,
        ];
        out.extend_from_slice(&digits);
    }
}

/// A sample's value, quoted.
pub fn value(out: &mut Vec<u8>, v: f64) {
    out.push(b'"');
    let magnitude = v.abs();
    let exponent = magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude);
    gomath::append_float(out, v, if exponent { FloatFormat::Exponent } else { FloatFormat::Fixed });
    out.push(b'"');
}

/// `[1435781451.781,"1"]`.
pub fn point(out: &mut Vec<u8>, t_ms: i64, v: f64) {
    out.push(b'[');
    timestamp(out, t_ms);
    out.push(b',');
    value(out, v);
    out.push(b']');
}

pub fn integer(out: &mut Vec<u8>, n: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// A float as a JSON number.
pub fn number(out: &mut Vec<u8>, v: f64) {
    let magnitude = v.abs();
    if !v.is_finite() {
        out.extend_from_slice(b"null");
    } else if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        // Go writes e-7 where strconv writes e-07.
        let written = gomath::format_float(v, FloatFormat::Exponent).replace("e-0", "e-");
        out.extend_from_slice(written.as_bytes());
    } else {
        gomath::append_float(out, v, FloatFormat::Fixed);
    }
}

pub fn labels(out: &mut Vec<u8>, labels: &Labels) {
    out.push(b'{');
    for (i, (name, value)) in labels.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        label_text(out, name);
        out.push(b':');
        label_text(out, value);
    }
    out.push(b'}');
}

/// `[a,b,…]` of anything.
pub fn array<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

/// Writes `{"a":…,"b":…}` field by field.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    pub fn open(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object { out, first: true }
    }

    /// The buffer, with the field's name and colon already written.
    pub fn field(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        text(self.out, name);
        self.out.push(b':');
        self.out
    }

    pub fn text(&mut self, name: &str, value: &str) -> &mut Object<'a> {
        text(self.field(name), value);
        self
    }

    pub fn integer(&mut self, name: &str, value: i64) -> &mut Object<'a> {
        integer(self.field(name), value);
        self
    }

    pub fn number(&mut self, name: &str, value: f64) -> &mut Object<'a> {
        number(self.field(name), value);
        self
    }

    pub fn boolean(&mut self, name: &str, value: bool) -> &mut Object<'a> {
        self.field(name).extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    pub fn close(self) {
        self.out.push(b'}');
    }
}

/// A moment as Go's `time.Time` marshals: RFC 3339 in UTC; `None` is Go's zero time.
pub fn moment(t_ms: Option<i64>) -> String {
    let zero = || "0001-01-01T00:00:00Z".to_string();
    match t_ms {
        None => zero(),
        Some(t_ms) => jiff::Timestamp::from_millisecond(t_ms).map_or_else(|_| zero(), |t| t.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn timestamps_have_at_most_three_decimals() {
        for (t_ms, want) in [
            (0, "0"),
            (1_000, "1"),
            (1_435_781_451_781, "1435781451.781"),
            (1_010, "1.010"),
            (-1_500, "-1.500"),
            (5, "0.005"),
        ] {
            assert_eq!(written(|out| timestamp(out, t_ms)), want);
        }
    }

    #[test]
    fn values_are_quoted_and_switch_to_exponents_at_the_ends() {
        for (v, want) in [
            (1.0, "\"1\""),
            (0.0, "\"0\""),
            (1e-7, "\"1e-07\""),
            (1e-6, "\"0.000001\""),
            (1e21, "\"1e+21\""),
            (f64::NAN, "\"NaN\""),
            (f64::NEG_INFINITY, "\"-Inf\""),
        ] {
            assert_eq!(written(|out| value(out, v)), want);
        }
    }

    #[test]
    fn text_is_safe_in_pages_labels_are_upstreams() {
        assert_eq!(
            written(|out| text(out, "a<b>&\"\\\n\u{1}\u{2028}é")),
            r#""a\u003cb\u003e\u0026\"\\\n\u0001\u2028é""#
        );
        assert_eq!(written(|out| label_text(out, "a<b>&")), r#""a<b>&""#);
    }

    #[test]
    fn moments_are_rfc_3339() {
        assert_eq!(moment(Some(1_435_781_451_781)), "2015-07-01T20:10:51.781Z");
        assert_eq!(moment(None), "0001-01-01T00:00:00Z");
    }
}
