//! Bytes in double quotes as Go's `%q` prints them, for messages.

use std::fmt;

/// Displays `bytes` as a Go string literal: printable characters as they are, the rest escaped, bytes that are
/// not UTF-8 as `\x…`.
pub fn quoted(bytes: &[u8]) -> Quoted<'_> {
    Quoted(bytes)
}

#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                write_char(f, c)?;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_str("\"")
    }
}

fn write_char(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '"' => f.write_str("\\\""),
        '\\' => f.write_str("\\\\"),
        '\x07' => f.write_str("\\a"),
        '\x08' => f.write_str("\\b"),
        '\x0c' => f.write_str("\\f"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\x0b' => f.write_str("\\v"),
        ' '..='~' => write!(f, "{c}"),
        '\0'..='\x7f' => write!(f, "\\x{:02x}", c as u32),
        _ if is_printable(c) => write!(f, "{c}"),
        '\u{80}'..='\u{ffff}' => write!(f, "\\u{:04x}", c as u32),
        _ => write!(f, "\\U{:08x}", c as u32),
    }
}

/// Go's `unicode.IsPrint` beyond ASCII: letters, marks, numbers, punctuation, symbols; no spaces.
fn is_printable(c: char) -> bool {
    // Behind another character `escape_debug` leaves combining marks alone, so what it still escapes is what is
    // not printable.
    let mut buf = [b'x'; 5];
    let len = c.encode_utf8(&mut buf[1..]).len();
    let text = std::str::from_utf8(&buf[..=len]).expect("an ASCII letter and one character are UTF-8");
    text.escape_debug().nth(1) == Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], want: &str) {
        assert_eq!(quoted(bytes).to_string(), want);
    }

    #[test]
    fn bytes_print_as_go_prints_them() {
        check(b"a\n\t\"\\", r#""a\n\t\"\\""#);
        check(b"\0\x7f\xff", r#""\x00\x7f\xff""#);
        check("ö€e\u{301}".as_bytes(), "\"ö€e\u{301}\"");
        check("\u{a0}\u{200b}\u{e000}".as_bytes(), r#""\u00a0\u200b\ue000""#);
    }
}
