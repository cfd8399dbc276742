//! `/proc/loadavg`: how many want to run.

use crate::text::{ParseError, error, float, words};

/// Averages over 1, 5 and 15 minutes.
pub fn parse(text: &[u8]) -> Result<[f64; 3], ParseError> {
    let mut words = words(text);
    let mut next =
        || words.next().and_then(float).ok_or_else(|| error("loadavg", 1, "expected three numbers", text));
    Ok([next()?, next()?, next()?])
}

#[cfg(test)]
mod tests {
    #[test]
    fn three_numbers() {
        assert_eq!(super::parse(b"0.21 0.37 0.39 1/719 19737\n"), Ok([0.21, 0.37, 0.39]));
        assert!(super::parse(b"0.21 0.37\n").is_err());
    }
}
