//! Writing XOR chunks, sample by sample.

use codec::bits::{BitSink, BitWriter};
use codec::varint::zigzag;
use model::Sample;

use crate::{Error, HEADER_LEN};

/// No sample takes more bytes than this.
pub const SAMPLE_LEN_MAX: usize = 19;

/// `leading` of an appender that has not declared a window yet.
const NO_WINDOW: u8 = 0xff;

/// What must be known of a chunk to append to it: 32 bytes, a plain value. The bytes live in a sink of the caller's;
/// they are the chunk's payload, without the number of samples in front (see [`header`](Self::header)).
///
/// Invariants
/// * The sink holds exactly what this appender wrote, `writer.free()` bits short of whole bytes.
/// * `leading + trailing < 64`, or there is no window yet.
#[derive(Clone, Copy, Debug)]
pub struct XorAppender {
    t: i64,
    v: f64,
    t_delta: u64,
    num: u16,
    leading: u8,
    trailing: u8,
    writer: BitWriter,
}

impl XorAppender {
    /// An empty chunk.
    pub const fn new() -> XorAppender {
        XorAppender {
            t: 0,
            v: 0.0,
            t_delta: 0,
            num: 0,
            leading: NO_WINDOW,
            trailing: 0,
            writer: BitWriter::new(),
        }
    }

    /// Goes on behind the `num` samples of a payload, which must end with the byte that holds the last bit of the last
    /// sample: the next bits go right behind.
    ///
    /// # Errors
    /// The payload is damaged.
    pub fn resume(payload: &[u8], num: u16) -> Result<XorAppender, Error> {
        let end = super::decode::replay(payload, num)?;
        Ok(XorAppender {
            t: end.t,
            v: f64::from_bits(end.v),
            t_delta: end.t_delta,
            num,
            leading: end.window.map_or(NO_WINDOW, |w| w.0),
            trailing: end.window.map_or(0, |w| w.1),
            writer: BitWriter::resume((end.bits.wrapping_neg() % 8) as u8),
        })
    }

    /// Number of samples appended.
    pub fn num_samples(&self) -> u16 {
        self.num
    }

    /// The sample appended last.
    pub fn last(&self) -> Option<Sample> {
        (self.num > 0).then_some(Sample { t: self.t, v: self.v })
    }

    /// The two bytes that stand before the payload in a chunk's data.
    pub fn header(&self) -> [u8; HEADER_LEN] {
        self.num.to_be_bytes()
    }

    /// Appends a sample. Timestamps may be any numbers; the caller keeps them rising.
    ///
    /// # Panics
    /// The chunk holds 65,535 samples already: whoever cuts chunks does so long before.
    #[inline]
    pub fn append(&mut self, t: i64, v: f64, sink: &mut impl BitSink) {
        match self.num {
            0 => {
                self.writer.write_uvarint(zigzag(t), sink);
                self.writer.write(v.to_bits(), 64, sink);
            }
            1 => {
                self.t_delta = t.wrapping_sub(self.t) as u64;
                self.writer.write_uvarint(self.t_delta, sink);
                self.append_value(0, 0, v, sink);
            }
            u16::MAX => panic!("BUG: sample appended to a chunk of {} samples", u16::MAX),
            _ => {
                let t_delta = t.wrapping_sub(self.t) as u64;
                let dod = t_delta.wrapping_sub(self.t_delta) as i64;
                self.t_delta = t_delta;
                if dod == 0 {
                    self.append_value(0, 1, v, sink);
                } else {
                    let (bits, count) = self.delta_of_deltas(dod, sink);
                    self.append_value(bits, count, v, sink);
                }
            }
        }
        self.t = t;
        self.v = v;
        self.num += 1;
    }

    /// The bits of a delta of deltas that is not 0. The 64-bit form is written at once, but for its prefix' sake.
    fn delta_of_deltas(&mut self, dod: i64, sink: &mut impl BitSink) -> (u64, u32) {
        let field = |bits: u32| dod as u64 & ((1 << bits) - 1);
        if fits(dod, 14) {
            (0b10 << 14 | field(14), 16)
        } else if fits(dod, 17) {
            (0b110 << 17 | field(17), 20)
        } else if fits(dod, 20) {
            (0b1110 << 20 | field(20), 24)
        } else {
            self.writer.write(0b1111, 4, sink);
            self.writer.write(dod as u64 >> 32, 32, sink);
            (dod as u64 & u64::from(u32::MAX), 32)
        }
    }

    /// Writes `count` (at most 32) bits already decided, then the value.
    #[inline]
    fn append_value(&mut self, bits: u64, count: u32, v: f64, sink: &mut impl BitSink) {
        let xor = v.to_bits() ^ self.v.to_bits();
        if xor == 0 {
            self.writer.write(bits << 1, count + 1, sink);
            return;
        }
        // Five bits hold the number of leading zeros.
        let leading = (xor.leading_zeros() as u8).min(31);
        let trailing = xor.trailing_zeros() as u8;
        if self.leading != NO_WINDOW && leading >= self.leading && trailing >= self.trailing {
            let significant = 64 - u32::from(self.leading) - u32::from(self.trailing);
            let control = bits << 2 | 0b10;
            self.write_two(control, count + 2, xor >> self.trailing, significant, sink);
            return;
        }
        self.leading = leading;
        self.trailing = trailing;
        let significant = 64 - u32::from(leading) - u32::from(trailing);
        // 64 does not fit six bits and is written as 0, which cannot occur otherwise.
        let control = bits << 13 | 0b11 << 11 | u64::from(leading) << 6 | u64::from(significant) & 63;
        self.write_two(control, count + 13, xor >> trailing, significant, sink);
    }

    /// Writes two fields, in one step if they fit a word together.
    #[inline]
    fn write_two(&mut self, first: u64, count: u32, second: u64, then: u32, sink: &mut impl BitSink) {
        if count + then <= 64 {
            self.writer.write(first << then | second, count + then, sink);
        } else {
            self.writer.write(first, count, sink);
            self.writer.write(second, then, sink);
        }
    }
}

impl Default for XorAppender {
    fn default() -> XorAppender {
        XorAppender::new()
    }
}

/// Whether a field of `bits` bits holds the number; the field reaches one further up than down.
fn fits(x: i64, bits: u32) -> bool {
    let half = 1i64 << (bits - 1);
    -(half - 1) <= x && x <= half
}

/// The data of a chunk of these samples, number of samples in front.
///
/// # Panics
/// There are more than 65,535.
pub fn encode_xor(samples: &[(i64, f64)]) -> Vec<u8> {
    let mut data = vec![0; HEADER_LEN];
    let mut appender = XorAppender::new();
    for &(t, v) in samples {
        appender.append(t, v, &mut data);
    }
    data[..HEADER_LEN].copy_from_slice(&appender.header());
    data
}
