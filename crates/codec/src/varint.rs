//! Varints as Go's `encoding/binary` writes them: seven bits a byte, least significant group first; signed numbers
//! are zigzag-folded before.

/// Bytes of the longest varint.
pub const LEN_MAX: usize = 10;

/// A varint in a small buffer of its own.
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    bytes: [u8; LEN_MAX],
    len: u8,
}

impl Encoded {
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Encodes an unsigned number, 1 to 10 bytes.
#[inline]
pub fn encode(mut value: u64) -> Encoded {
    let mut out = Encoded { bytes: [0; LEN_MAX], len: 0 };
    while value >= 0x80 {
        out.bytes[usize::from(out.len)] = value as u8 | 0x80;
        out.len += 1;
        value >>= 7;
    }
    out.bytes[usize::from(out.len)] = value as u8;
    out.len += 1;
    out
}

/// Folds a signed number so that small magnitudes stay small: 0, -1, 1, -2 become 0, 1, 2, 3.
#[inline]
pub fn zigzag(value: i64) -> u64 {
    (value << 1) as u64 ^ (value >> 63) as u64
}

/// The inverse of [`zigzag`].
#[inline]
pub fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// What the start of a slice holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// The number and how many bytes it took.
    Value(u64, usize),
    /// The slice ends inside the number.
    Truncated,
    /// More than 64 bits.
    Overflow,
}

/// Reads an unsigned number from the start of `bytes`.
#[inline]
pub fn decode(bytes: &[u8]) -> Decoded {
    // Lengths and symbol references are mostly below 128.
    if let Some(&first) = bytes.first()
        && first < 0x80
    {
        return Decoded::Value(u64::from(first), 1);
    }
    decode_long(bytes)
}

fn decode_long(bytes: &[u8]) -> Decoded {
    let mut value = 0u64;
    for (i, &byte) in bytes.iter().take(LEN_MAX).enumerate() {
        let group = u64::from(byte & 0x7f);
        if i == LEN_MAX - 1 && byte > 1 {
            return Decoded::Overflow;
        }
        value |= group << (7 * i);
        if byte < 0x80 {
            return Decoded::Value(value, i + 1);
        }
    }
    Decoded::Truncated
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: u64, bytes: &[u8]) {
        assert_eq!(encode(value).as_slice(), bytes);
        assert_eq!(decode(bytes), Decoded::Value(value, bytes.len()));
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), Decoded::Truncated, "{value} cut at {end}");
        }
    }

    #[test]
    fn seven_bits_a_byte_lowest_first() {
        check(0, &[0]);
        check(127, &[127]);
        check(128, &[0x80, 1]);
        check(300, &[0xac, 2]);
        check(u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    }

    #[test]
    fn a_tenth_byte_above_one_overflows() {
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]), Decoded::Overflow);
        assert_eq!(decode(&[0x80; 11]), Decoded::Overflow);
    }

    #[test]
    fn zigzag_folds_and_unfolds() {
        for (signed, folded) in
            [(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MAX, u64::MAX - 1), (i64::MIN, u64::MAX)]
        {
            assert_eq!(zigzag(signed), folded);
            assert_eq!(unzigzag(folded), signed);
        }
    }
}
