use crate::varint;

/// Writing what [`Cursor`](crate::Cursor) reads: fixed-width numbers big-endian, varints as Go's.
pub trait Put {
    fn put_bytes(&mut self, bytes: &[u8]);

    fn put_u8(&mut self, value: u8) {
        self.put_bytes(&[value]);
    }

    fn put_u16(&mut self, value: u16) {
        self.put_bytes(&value.to_be_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.put_bytes(&value.to_be_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.put_bytes(&value.to_be_bytes());
    }

    fn put_i64(&mut self, value: i64) {
        self.put_bytes(&value.to_be_bytes());
    }

    fn put_f64(&mut self, value: f64) {
        self.put_u64(value.to_bits());
    }

    fn put_uvarint(&mut self, value: u64) {
        self.put_bytes(varint::encode(value).as_slice());
    }

    fn put_varint(&mut self, value: i64) {
        self.put_uvarint(varint::zigzag(value));
    }

    /// The length as uvarint, then the bytes.
    fn put_uvarint_bytes(&mut self, bytes: &[u8]) {
        self.put_uvarint(bytes.len() as u64);
        self.put_bytes(bytes);
    }
}

impl Put for Vec<u8> {
    #[inline]
    fn put_bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn put_uvarint(&mut self, value: u64) {
        if value < 0x80 {
            self.push(value as u8);
        } else {
            self.extend_from_slice(varint::encode(value).as_slice());
        }
    }
}
