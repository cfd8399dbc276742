//! Lists of processors as sysfs writes them: `1,3-5,9`.

use crate::text::{ParseError, error, trimmed, unsigned};

/// More processors than any Linux kernel is built for.
const CPUS_MAX: u64 = 65_536;

pub fn parse(text: &[u8]) -> Result<Vec<u32>, ParseError> {
    let mut found = Vec::new();
    let text = trimmed(text);
    if text.is_empty() {
        return Ok(found);
    }
    for part in text.split(|&b| b == b',') {
        let wrong = || error("cpu list", 1, "expected N or N-M", part);
        let (from, to) = match part.iter().position(|&b| b == b'-') {
            Some(dash) => (unsigned(&part[..dash]), unsigned(&part[dash + 1..])),
            None => (unsigned(part), unsigned(part)),
        };
        let (from, to) = (from.ok_or_else(wrong)?, to.ok_or_else(wrong)?);
        if to >= CPUS_MAX || from > to {
            return Err(wrong());
        }
        found.extend(from as u32..=to as u32);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges() {
        assert_eq!(parse(b"1,3-5,9\n"), Ok(vec![1, 3, 4, 5, 9]));
        assert_eq!(parse(b"\n"), Ok(vec![]));
        for bad in [&b"a"[..], b"1-", b"5-3", b"0-99999999", b"1,,2"] {
            assert!(parse(bad).is_err());
        }
    }
}
