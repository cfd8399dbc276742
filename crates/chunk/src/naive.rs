//! The XOR decoder as the format reads: one bit at a time, one sample at a time. The oracle of the fast one.

use crate::Error;

/// Reads one bit at a time.
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Result<bool, Error> {
        let at = self.position / 8;
        let Some(&byte) = self.bytes.get(at) else {
            return Err(Error::Damaged(codec::Error::Truncated { offset: at, wanted: 1 }));
        };
        let bit = byte >> (7 - self.position % 8) & 1 == 1;
        self.position += 1;
        Ok(bit)
    }

    fn number(&mut self, count: u32) -> Result<u64, Error> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u64::from(self.bit()?);
        }
        Ok(value)
    }

    fn uvarint(&mut self) -> Result<u64, Error> {
        let offset = self.position / 8;
        let mut value = 0u64;
        for i in 0..10 {
            let byte = self.number(8)?;
            if i == 9 && byte > 1 {
                break;
            }
            value |= (byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::Damaged(codec::Error::VarintOverflow { offset }))
    }
}

/// All samples of a payload, in order.
///
/// # Errors
/// The payload is damaged.
pub fn decode_xor(payload: &[u8], num: u16) -> Result<Vec<(i64, f64)>, Error> {
    let mut bits = Bits { bytes: payload, position: 0 };
    let mut samples = Vec::new();
    let (mut t, mut t_delta, mut v) = (0i64, 0u64, 0u64);
    let (mut leading, mut trailing) = (0u32, 0u32);
    for sample in 0..usize::from(num) {
        if sample == 0 {
            t = codec::varint::unzigzag(bits.uvarint()?);
            v = bits.number(64)?;
            samples.push((t, f64::from_bits(v)));
            continue;
        }
        if sample == 1 {
            t_delta = bits.uvarint()?;
        } else {
            t_delta = t_delta.wrapping_add(delta_of_deltas(&mut bits)? as u64);
        }
        t = t.wrapping_add(t_delta as i64);
        if bits.bit()? {
            if bits.bit()? {
                leading = bits.number(5)? as u32;
                let significant = match bits.number(6)? as u32 {
                    0 => 64,
                    n => n,
                };
                if leading + significant > 64 {
                    return Err(Error::Window {
                        sample,
                        leading: leading as u8,
                        significant: significant as u8,
                    });
                }
                trailing = 64 - leading - significant;
            }
            v ^= bits.number(64 - leading - trailing)? << trailing;
        }
        samples.push((t, f64::from_bits(v)));
    }
    Ok(samples)
}

fn delta_of_deltas(bits: &mut Bits<'_>) -> Result<i64, Error> {
    let mut ones = 0;
    while ones < 4 && bits.bit()? {
        ones += 1;
    }
    let count = match ones {
        0 => return Ok(0),
        1 => 14,
        2 => 17,
        3 => 20,
        _ => return Ok(bits.number(64)? as i64),
    };
    let field = bits.number(count)? as i64;
    Ok(if field > 1 << (count - 1) { field - (1 << count) } else { field })
}
