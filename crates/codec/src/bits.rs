//! The bit stream of chunks: most significant bit first; the last byte is padded with zeros.
//!
//! [`BitWriter`] is one byte of state over a sink the caller owns, so that a million open chunks cost little.
//! [`BitReader`] is a position: looking at the next bits is one load and one shift, so what a decoder waits for is an
//! addition, not the bits before. Behind the end of the stream it gives zeros: decoders run without an error path per
//! bit and ask [`BitReader::check`] once.

use crate::Error;
use crate::varint::{self, LEN_MAX};

/// Where a [`BitWriter`] puts its bytes.
pub trait BitSink {
    /// Appends whole bytes, at most 9 a call.
    fn extend(&mut self, bytes: &[u8]);

    /// ORs bits into the byte appended last. Only called after at least one byte was appended.
    fn or_last(&mut self, bits: u8);
}

impl BitSink for Vec<u8> {
    #[inline]
    fn extend(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn or_last(&mut self, bits: u8) {
        *self.last_mut().expect("BUG: or_last on an empty sink") |= bits;
    }
}

/// Appends bits. Holds only how many bits of the last byte are still free (0 to 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BitWriter {
    free: u8,
}

impl BitWriter {
    /// An empty stream.
    pub const fn new() -> BitWriter {
        BitWriter { free: 0 }
    }

    /// Continues a stream whose last byte has `free` bits left (0 to 7).
    pub fn resume(free: u8) -> BitWriter {
        debug_assert!(free < 8);
        BitWriter { free }
    }

    /// Bits still free in the last byte, 0 to 7.
    pub fn free(self) -> u8 {
        self.free
    }

    /// Appends the `count` lowest bits of `value`, highest first; `count` is 1 to 64.
    #[inline]
    pub fn write(&mut self, value: u64, count: u32, sink: &mut impl BitSink) {
        debug_assert!((1..=64).contains(&count));
        let mut left = value << (64 - count);
        let free = u32::from(self.free);
        if free > 0 {
            sink.or_last((left >> (64 - free)) as u8);
            if count <= free {
                self.free = (free - count) as u8;
                return;
            }
            left <<= free;
        }
        let bits = count - free;
        let bytes = bits.div_ceil(8);
        sink.extend(&left.to_be_bytes()[..bytes as usize]);
        self.free = (bytes * 8 - bits) as u8;
    }

    /// Appends a varint, byte by byte into the bit stream.
    pub fn write_uvarint(&mut self, value: u64, sink: &mut impl BitSink) {
        for &byte in varint::encode(value).as_slice() {
            self.write(u64::from(byte), 8, sink);
        }
    }
}

/// Bits that [`BitReader::peek`] shows at least, as far as the stream has them.
pub const PEEK_BITS: u32 = 57;

/// Reads bits of a slice.
#[derive(Clone, Copy, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits consumed; may run past the end.
    position: usize,
}

impl<'a> BitReader<'a> {
    #[inline]
    pub fn new(bytes: &'a [u8]) -> BitReader<'a> {
        BitReader { bytes, position: 0 }
    }

    /// The next bits, left-aligned: at least [`PEEK_BITS`] of them are those of the stream, zeros behind its end.
    #[inline(always)]
    pub fn peek(&self) -> u64 {
        let start = self.position / 8;
        // One comparison instead of the two that a range of a slice takes.
        match self.bytes.len().checked_sub(8) {
            Some(last_word) if start <= last_word => word(self.bytes, start) << (self.position % 8),
            _ => peek_at_end(self.bytes, self.position),
        }
    }

    /// Goes on by `count` bits.
    #[inline(always)]
    pub fn skip(&mut self, count: u32) {
        self.position += count as usize;
    }

    /// The next `count` bits as a number, `count` 1 to 57; zeros behind the end.
    #[inline]
    pub fn read(&mut self, count: u32) -> u64 {
        debug_assert!((1..=PEEK_BITS).contains(&count));
        let value = self.peek() >> (64 - count);
        self.skip(count);
        value
    }

    /// The next `count` bits as a number, `count` 1 to 64; zeros behind the end.
    #[inline]
    pub fn read_long(&mut self, count: u32) -> u64 {
        if count <= PEEK_BITS {
            return self.read(count);
        }
        let high = self.read(count - 32);
        high << 32 | self.read(32)
    }

    /// A varint that lies byte by byte in the bit stream.
    pub fn read_uvarint(&mut self) -> Result<u64, Error> {
        let offset = self.position / 8;
        let mut bytes = [0; LEN_MAX];
        for byte in &mut bytes {
            *byte = self.read(8) as u8;
            if *byte < 0x80 {
                break;
            }
        }
        self.check()?;
        match varint::decode(&bytes) {
            varint::Decoded::Value(value, _) => Ok(value),
            _ => Err(Error::VarintOverflow { offset }),
        }
    }

    /// Bits consumed so far.
    #[inline]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Fails when more bits were consumed than the stream has.
    #[inline]
    pub fn check(&self) -> Result<(), Error> {
        let end = self.bytes.len();
        if self.position > end * 8 {
            return Err(Error::Truncated { offset: end, wanted: self.position - end * 8 });
        }
        Ok(())
    }
}

/// Eight bytes from `start`, which the caller found to lie inside.
#[inline(always)]
fn word(bytes: &[u8], start: usize) -> u64 {
    u64::from_be_bytes(bytes[start..start + 8].try_into().expect("eight bytes"))
}

/// What [`BitReader::peek`] gives where no whole word is left.
#[cold]
#[inline(never)]
fn peek_at_end(bytes: &[u8], position: usize) -> u64 {
    let mut word = [0; 8];
    if let Some(rest) = bytes.get(position / 8..) {
        word[..rest.len()].copy_from_slice(rest);
    }
    u64::from_be_bytes(word) << (position % 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator, so that the layer below everything needs no import.
    struct Lcg(u64);

    impl Lcg {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let x = self.0 ^ (self.0 >> 29);
            x.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (x >> 32)
        }
    }

    #[test]
    fn bits_come_back_in_order() {
        for seed in 0..200 {
            let mut rng = Lcg(seed);
            let items: Vec<(u64, u32)> = (0..100)
                .map(|_| {
                    let count = 1 + (rng.next() % 64) as u32;
                    (rng.next() >> (64 - count), count)
                })
                .collect();
            let mut out = Vec::new();
            let mut writer = BitWriter::default();
            for &(value, count) in &items {
                writer.write(value, count, &mut out);
            }
            let bits: u32 = items.iter().map(|i| i.1).sum();
            assert_eq!(out.len() * 8, bits as usize + usize::from(writer.free()), "seed {seed}");
            let mut reader = BitReader::new(&out);
            for &(value, count) in &items {
                assert_eq!(reader.read_long(count), value, "seed {seed}");
            }
            assert_eq!(reader.position(), bits as usize);
            assert_eq!(reader.check(), Ok(()));
        }
    }

    #[test]
    fn most_significant_bit_first() {
        let mut out = Vec::new();
        let mut writer = BitWriter::default();
        writer.write(1, 1, &mut out);
        writer.write(0b01, 2, &mut out);
        assert_eq!((&out[..], writer.free()), (&[0b1010_0000][..], 5));
        writer.write(u64::MAX, 64, &mut out);
        assert_eq!(out, [0b1011_1111, 255, 255, 255, 255, 255, 255, 255, 0b1110_0000]);
        assert_eq!(writer.free(), 5);
    }

    #[test]
    fn a_stream_goes_on_where_it_was_left() {
        let mut out = Vec::new();
        let mut writer = BitWriter::default();
        writer.write(0b101, 3, &mut out);
        let mut resumed = BitWriter::resume(writer.free());
        resumed.write_uvarint(300, &mut out);
        let mut reader = BitReader::new(&out);
        assert_eq!(reader.read(3), 0b101);
        assert_eq!(reader.read_uvarint(), Ok(300));
        assert_eq!(reader.position(), 19);
    }

    #[test]
    fn the_end_reads_as_zeros_and_is_noticed() {
        let mut reader = BitReader::new(&[0xff]);
        assert_eq!(reader.read(12), 0xff0);
        assert_eq!(reader.check(), Err(Error::Truncated { offset: 1, wanted: 4 }));
        assert_eq!(reader.read_long(64), 0);
        let mut reader = BitReader::new(&[0x80]);
        assert!(matches!(reader.read_uvarint(), Err(Error::Truncated { .. })));
    }
}
