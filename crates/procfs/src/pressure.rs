//! `/proc/pressure/RESOURCE`: time lost waiting for it.

use crate::text::{ParseError, error, lines, unsigned, words};

/// Microseconds since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// At least one task waited.
    pub some: Option<u64>,
    /// All tasks waited.
    pub full: Option<u64>,
}

pub fn parse(text: &[u8]) -> Result<Pressure, ParseError> {
    let mut out = Pressure::default();
    for (number, line) in lines(text) {
        let mut words = words(line);
        let slot = match words.next() {
            Some(b"some") => &mut out.some,
            Some(b"full") => &mut out.full,
            _ => continue,
        };
        let total = words.find_map(|word| word.strip_prefix(b"total="));
        let total =
            total.and_then(unsigned).ok_or_else(|| error("pressure", number, "expected total=N", line))?;
        *slot = Some(total);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_may_have_one_line_or_two() {
        let text = b"some avg10=0.10 avg60=2.00 avg300=3.85 total=15\nfull avg10=0.20 avg60=3.00 avg300=4.95 total=25\n";
        assert_eq!(parse(text), Ok(Pressure { some: Some(15), full: Some(25) }));
        assert_eq!(parse(b"full avg10=0.00 total=7"), Ok(Pressure { some: None, full: Some(7) }));
        assert!(parse(b"some avg10=0.00").is_err());
    }
}
