use crate::Error;
use crate::varint::{self, Decoded};

/// A position in a byte slice, moving forward as numbers are read.
///
/// Every method either moves past what it returns or fails and stays where it was.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes, offset: 0 }
    }

    /// Starts at `offset`, which may lie behind the end: then everything is truncated.
    pub fn at(bytes: &'a [u8], offset: usize) -> Cursor<'a> {
        Cursor { bytes, offset: offset.min(bytes.len()) }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.offset
    }

    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// Everything not read yet; does not move.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.offset..]
    }

    /// The next `count` bytes.
    #[inline]
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Error> {
        match self.rest().get(..count) {
            Some(found) => {
                self.offset += count;
                Ok(found)
            }
            None => Err(Error::Truncated { offset: self.offset, wanted: count }),
        }
    }

    pub fn skip(&mut self, count: usize) -> Result<(), Error> {
        self.bytes(count).map(drop)
    }

    /// Skips zero bytes; stops at the first other byte or the end.
    pub fn skip_zeros(&mut self) {
        let zeros = self.rest().iter().take_while(|&&b| b == 0).count();
        self.offset += zeros;
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        match self.rest().first_chunk::<N>() {
            Some(found) => {
                self.offset += N;
                Ok(*found)
            }
            None => Err(Error::Truncated { offset: self.offset, wanted: N }),
        }
    }

    #[inline]
    pub fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[b]| b)
    }

    /// Two bytes, big-endian; so are all fixed-width numbers here.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    #[inline]
    pub fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    #[inline]
    pub fn i64(&mut self) -> Result<i64, Error> {
        self.array().map(i64::from_be_bytes)
    }

    /// The bits of a float, big-endian.
    #[inline]
    pub fn f64(&mut self) -> Result<f64, Error> {
        self.u64().map(f64::from_bits)
    }

    #[inline]
    pub fn uvarint(&mut self) -> Result<u64, Error> {
        match varint::decode(self.rest()) {
            Decoded::Value(value, len) => {
                self.offset += len;
                Ok(value)
            }
            Decoded::Truncated => Err(Error::Truncated { offset: self.offset, wanted: self.remaining() + 1 }),
            Decoded::Overflow => Err(Error::VarintOverflow { offset: self.offset }),
        }
    }

    #[inline]
    pub fn varint(&mut self) -> Result<i64, Error> {
        self.uvarint().map(varint::unzigzag)
    }

    /// A uvarint that counts bytes or entries of which each takes at least one byte of what remains: a larger count
    /// is truncation, so that nobody allocates for a number that cannot be true.
    #[inline]
    pub fn count(&mut self) -> Result<usize, Error> {
        let before = *self;
        let value = self.uvarint()?;
        match usize::try_from(value) {
            Ok(count) if count <= self.remaining() => Ok(count),
            _ => {
                let offset = self.offset;
                *self = before;
                Err(Error::Truncated { offset, wanted: usize::try_from(value).unwrap_or(usize::MAX) })
            }
        }
    }

    /// Bytes behind their uvarint length.
    #[inline]
    pub fn uvarint_bytes(&mut self) -> Result<&'a [u8], Error> {
        let count = self.count()?;
        self.bytes(count)
    }

    /// UTF-8 text behind its uvarint length.
    #[inline]
    pub fn uvarint_str(&mut self) -> Result<&'a str, Error> {
        let before = *self;
        let bytes = self.uvarint_bytes()?;
        std::str::from_utf8(bytes).map_err(|e| {
            let offset = self.offset - bytes.len() + e.valid_up_to();
            *self = before;
            Error::NotUtf8 { offset }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Put;

    #[test]
    fn reads_back_what_put_wrote() {
        let mut out = Vec::new();
        out.put_u8(7);
        out.put_u16(0xabcd);
        out.put_u32(0xdead_beef);
        out.put_u64(1 << 60);
        out.put_i64(-5);
        out.put_f64(2.5);
        out.put_uvarint(300);
        out.put_varint(-301);
        out.put_uvarint_bytes("größe".as_bytes());
        let mut c = Cursor::new(&out);
        assert_eq!(c.u8(), Ok(7));
        assert_eq!(c.u16(), Ok(0xabcd));
        assert_eq!(c.u32(), Ok(0xdead_beef));
        assert_eq!(c.u64(), Ok(1 << 60));
        assert_eq!(c.i64(), Ok(-5));
        assert_eq!(c.f64(), Ok(2.5));
        assert_eq!(c.uvarint(), Ok(300));
        assert_eq!(c.varint(), Ok(-301));
        assert_eq!(c.uvarint_str(), Ok("größe"));
        assert!(c.is_empty());
    }

    #[test]
    fn an_error_does_not_move() {
        let mut c = Cursor::new(&[5, b'a', b'b']);
        assert_eq!(c.u32(), Err(Error::Truncated { offset: 0, wanted: 4 }));
        assert_eq!(c.uvarint_bytes(), Err(Error::Truncated { offset: 1, wanted: 5 }));
        assert_eq!(c.offset(), 0);
        let mut c = Cursor::new(&[3, b'a', 0xff, b'b']);
        assert_eq!(c.uvarint_str(), Err(Error::NotUtf8 { offset: 2 }));
        assert_eq!(c.offset(), 0);
        let mut c = Cursor::at(&[1, 2], 9);
        assert_eq!(c.u8(), Err(Error::Truncated { offset: 2, wanted: 1 }));
    }

    #[test]
    fn a_length_nobody_could_store_is_truncation() {
        let mut out = Vec::new();
        out.put_uvarint(u64::MAX);
        out.put_u8(1);
        assert!(matches!(Cursor::new(&out).uvarint_bytes(), Err(Error::Truncated { offset: 10, .. })));
    }

    #[test]
    fn zeros_are_skipped_up_to_the_end() {
        let mut c = Cursor::new(&[0, 0, 4, 0]);
        c.skip_zeros();
        assert_eq!(c.u8(), Ok(4));
        c.skip_zeros();
        assert!(c.is_empty());
    }
}
