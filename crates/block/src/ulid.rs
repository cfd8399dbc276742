//! The name of a block: 48 bits of milliseconds, 80 bits of randomness, written as 26 characters that sort by time.

use std::fmt;
use std::str::FromStr;

/// Crockford's alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LEN: usize = 26;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ulid(pub u128);

impl Ulid {
    /// `ms` since the epoch (48 bits are kept) and 80 bits out of `random`.
    pub fn new(ms: u64, random: u128) -> Ulid {
        Ulid(u128::from(ms) << 80 | random & ((1 << 80) - 1))
    }

    /// When it was made, in milliseconds since the epoch.
    pub fn ms(self) -> u64 {
        (self.0 >> 80) as u64
    }
}

impl fmt::Display for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; LEN];
        for (i, out) in text.iter_mut().enumerate() {
            *out = ALPHABET[(self.0 >> (5 * (LEN - 1 - i)) & 31) as usize];
        }
        f.write_str(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
    }
}

/// The text is not a ULID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseUlidError;

impl fmt::Display for ParseUlidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a ULID: 26 characters of 0-9 and A-Z without I, L, O, U, the first at most 7")
    }
}

impl std::error::Error for ParseUlidError {}

impl FromStr for Ulid {
    type Err = ParseUlidError;

    fn from_str(text: &str) -> Result<Ulid, ParseUlidError> {
        let bytes = text.as_bytes();
        if bytes.len() != LEN || bytes[0] > b'7' {
            return Err(ParseUlidError);
        }
        let mut value = 0u128;
        for byte in bytes {
            let digit =
                ALPHABET.iter().position(|c| *c == byte.to_ascii_uppercase()).ok_or(ParseUlidError)?;
            value = value << 5 | digit as u128;
        }
        Ok(Ulid(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_are_one() {
        for text in ["01BKGV7JBM69T2G1BGBGM6KB12", "00000000000000000000000000", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"]
        {
            assert_eq!(text.parse::<Ulid>().expect("valid").to_string(), text);
        }
        assert_eq!(Ulid::new(1_505_000_000_000, u128::MAX).ms(), 1_505_000_000_000);
        assert!(Ulid::new(1, u128::MAX) < Ulid::new(2, 0));
    }

    #[test]
    fn what_is_no_ulid_is_refused() {
        for text in [
            "",
            "01BKGV7JBM69T2G1BGBGM6KB1",
            "81BKGV7JBM69T2G1BGBGM6KB12",
            "01BKGV7JBM69T2G1BGBGM6KBIL",
            "wal",
        ] {
            assert_eq!(text.parse::<Ulid>(), Err(ParseUlidError), "{text}");
        }
    }
}
