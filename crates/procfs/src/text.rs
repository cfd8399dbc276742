use std::fmt;

/// A line that is not as the kernel writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The kind of file: `stat`, `meminfo`.
    pub file: &'static str,
    /// From 1; 0 when the whole text is meant.
    pub line: usize,
    /// What was wrong with it.
    pub what: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

impl std::error::Error for ParseError {}

/// How much of a line an error quotes.
const QUOTED_BYTES_MAX: usize = 80;

pub(crate) fn error(file: &'static str, line: usize, what: &str, found: &[u8]) -> ParseError {
    let found = String::from_utf8_lossy(&found[..found.len().min(QUOTED_BYTES_MAX)]);
    ParseError { file, line, what: format!("{what}: {found:?}") }
}

/// Lines with their number from 1, without the newline; a last empty one is left out.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let count = if text.is_empty() { 0 } else { usize::MAX };
    text.split(|&b| b == b'\n').take(count).enumerate().map(|(i, line)| (i + 1, line))
}

/// Words between spaces and tabs.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty())
}

/// The text without white space around it.
pub fn trimmed(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Decimal digits as a number; `None` for anything else, and beyond 64 bits.
pub fn unsigned(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    let mut value = 0u64;
    for &b in word {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

pub(crate) fn float(word: &[u8]) -> Option<f64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

pub(crate) fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_only() {
        assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
        for bad in [&b""[..], b"18446744073709551616", b"-1", b"1 ", b"0x1"] {
            assert_eq!(unsigned(bad), None);
        }
    }

    #[test]
    fn an_empty_text_has_no_lines() {
        assert_eq!(lines(b"").count(), 0);
        assert_eq!(lines(b"a\n\nb\n").map(|l| l.1.len()).collect::<Vec<_>>(), [1, 0, 1]);
    }
}
