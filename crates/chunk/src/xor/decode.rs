//! Reading XOR chunks into columns.
//!
//! One loop that looks at the next 57 bits once a sample, twice when the value is long; there is no error path per
//! bit: the reader gives zeros behind the end, and the end is checked once. The branches are those the data make
//! predictable: a series either changes every time or hardly ever, and its window of significant bits seldom moves.
//! Unchanged samples (two zero bits each) are counted in one look and written in blocks, past the end of their run into
//! room kept free, so that the length of a run decides no branch.

use codec::Cursor;
use codec::bits::{BitReader, PEEK_BITS};
use model::TimeRange;

use crate::Error;

/// Samples decoded between two looks at the end of the range.
const BATCH: usize = 64;

/// Unchanged samples written at once, and so the entries behind a batch that may be overwritten.
const BLOCK: usize = 8;

/// Appends the samples of a payload that lie in `range` to two columns of equal length; stops at the first sample
/// behind the range.
///
/// `num` is the number of samples to read, which may be fewer than the payload holds.
///
/// # Errors
/// The payload is damaged; then the columns are as they were.
pub fn decode_xor(
    payload: &[u8],
    num: u16,
    range: TimeRange,
    timestamps: &mut Vec<i64>,
    values: &mut Vec<f64>,
) -> Result<(), Error> {
    let start = timestamps.len();
    assert_eq!(start, values.len(), "BUG: columns of different length");
    let decoded = (|| {
        check_length(payload, num)?;
        let num = usize::from(num);
        timestamps.resize(start + num + BLOCK, 0);
        values.resize(start + num + BLOCK, 0.0);
        decode_into(payload, num, range.maxt, &mut timestamps[start..], &mut values[start..])
    })();
    let count = *decoded.as_ref().unwrap_or(&0);
    timestamps.truncate(start + count);
    values.truncate(start + count);
    decoded?;
    let before = timestamps[start..].iter().take_while(|&&t| t < range.mint).count();
    if before > 0 {
        timestamps.drain(start..start + before);
        values.drain(start..start + before);
    }
    Ok(())
}

/// Refuses a number of samples for which the payload is too short, before memory is set aside for them.
fn check_length(payload: &[u8], num: u16) -> Result<(), Error> {
    let bits = match usize::from(num) {
        0 => 0,
        1 => 72,
        n => 72 + 9 + 2 * (n - 2),
    };
    if payload.len() * 8 < bits {
        let wanted = bits.div_ceil(8) - payload.len();
        return Err(Error::Damaged(codec::Error::Truncated { offset: payload.len(), wanted }));
    }
    Ok(())
}

/// Fills the columns from the first sample on, up to `num` or the first timestamp behind `maxt`; returns how many. The
/// columns have room for `BLOCK` more.
fn decode_into(
    payload: &[u8],
    num: usize,
    maxt: i64,
    ts: &mut [i64],
    vs: &mut [f64],
) -> Result<usize, Error> {
    let mut state = State::new(payload);
    for i in 0..num.min(2) {
        state.head(i)?;
        ts[i] = state.t;
        vs[i] = f64::from_bits(state.v);
    }
    let mut read = num.min(2);
    while read < num && state.t <= maxt {
        let end = num.min(read + BATCH);
        state.batch(read, &mut ts[read..end + BLOCK], &mut vs[read..end + BLOCK])?;
        read = end;
    }
    state.bits.check()?;
    if state.t <= maxt {
        return Ok(read);
    }
    Ok(ts[..read].iter().take_while(|&&t| t <= maxt).count())
}

/// Where a payload ends, and what the next sample would be coded against.
pub(super) struct End {
    pub t: i64,
    /// The bits of the last value.
    pub v: u64,
    pub t_delta: u64,
    /// Leading and trailing zeros of the last window declared.
    pub window: Option<(u8, u8)>,
    /// Bits of the payload up to here.
    pub bits: usize,
}

/// Reads a payload to its end without keeping the samples.
pub(super) fn replay(payload: &[u8], num: u16) -> Result<End, Error> {
    check_length(payload, num)?;
    let mut state = State::new(payload);
    for i in 0..usize::from(num) {
        if i < 2 {
            state.head(i)?;
        } else {
            state.next(state.bits.peek(), i)?;
        }
    }
    state.bits.check()?;
    let window = (state.significant > 0).then(|| (64 - state.trailing - state.significant, state.trailing));
    Ok(End {
        t: state.t,
        v: state.v,
        t_delta: state.t_delta,
        window: window.map(|(leading, trailing)| (leading as u8, trailing as u8)),
        bits: state.bits.position(),
    })
}

/// The sample read last.
#[derive(Clone, Copy)]
struct State<'a> {
    payload: &'a [u8],
    bits: BitReader<'a>,
    t: i64,
    t_delta: u64,
    v: u64,
    /// Significant bits of the window; 0 while none was declared.
    significant: u32,
    trailing: u32,
}

impl<'a> State<'a> {
    #[inline(always)]
    fn new(payload: &'a [u8]) -> State<'a> {
        State { payload, bits: BitReader::new(payload), t: 0, t_delta: 0, v: 0, significant: 0, trailing: 0 }
    }

    /// Reads sample 0 or 1. Up to the second timestamp everything stands at byte boundaries.
    #[inline]
    fn head(&mut self, i: usize) -> Result<(), Error> {
        let mut cursor = Cursor::at(self.payload, self.bits.position() / 8);
        if i == 0 {
            self.t = cursor.varint()?;
            self.v = cursor.u64()?;
            self.bits.skip(cursor.offset() as u32 * 8);
            return Ok(());
        }
        let before = cursor.offset();
        self.t_delta = cursor.uvarint()?;
        self.bits.skip((cursor.offset() - before) as u32 * 8);
        self.t = self.t.wrapping_add(self.t_delta as i64);
        self.value(self.bits.peek(), 0, i)
    }

    /// Fills both columns with the next samples, of which `i` (at least 2) is the first, all but their last `BLOCK`
    /// entries. Works on a copy of the state, which then fits the registers.
    #[inline(never)]
    fn batch(&mut self, i: usize, ts: &mut [i64], vs: &mut [f64]) -> Result<(), Error> {
        let num = ts.len() - BLOCK;
        let vs = &mut vs[..num + BLOCK];
        let mut state = *self;
        let mut k = 0;
        while k < num {
            let bits = state.bits.peek();
            if bits >> 62 == 0 {
                let run = ((bits.leading_zeros().min(PEEK_BITS) / 2) as usize).min(num - k);
                state.bits.skip(2 * run as u32);
                state.t = repeat(state.t, state.t_delta, state.v, run, &mut ts[k..], &mut vs[k..]);
                k += run;
                continue;
            }
            state.next(bits, i + k)?;
            ts[k] = state.t;
            vs[k] = f64::from_bits(state.v);
            k += 1;
        }
        *self = state;
        Ok(())
    }

    /// Reads sample `i`, not one of the first two; `bits` are the next ones.
    #[inline(always)]
    fn next(&mut self, bits: u64, i: usize) -> Result<(), Error> {
        if bits >> 63 == 0 {
            self.t = self.t.wrapping_add(self.t_delta as i64);
            return self.value(bits << 1, 1, i);
        }
        let (taken, dod) = delta_of_deltas(self.bits, bits);
        self.bits.skip(taken);
        self.t_delta = self.t_delta.wrapping_add(dod as u64);
        self.t = self.t.wrapping_add(self.t_delta as i64);
        self.value(self.bits.peek(), 0, i)
    }

    /// Reads the value of sample `i`. `bits` are the next ones behind `ahead` (0 or 1), which are still to be skipped.
    #[inline(always)]
    fn value(&mut self, bits: u64, ahead: u32, i: usize) -> Result<(), Error> {
        if bits >> 63 == 0 {
            self.bits.skip(ahead + 1);
            return Ok(());
        }
        if bits >> 62 == 0b11 {
            let leading = (bits >> 57) as u32 & 31;
            // 0 stands for 64.
            let significant = ((bits >> 51) as u32).wrapping_sub(1) % 64 + 1;
            if leading + significant > 64 {
                let (leading, significant) = (leading as u8, significant as u8);
                return Err(Error::Window { sample: i, leading, significant });
            }
            self.significant = significant;
            self.trailing = 64 - leading - significant;
            self.bits.skip(ahead + 13);
            self.v ^= self.bits.read_long(significant) << self.trailing;
            return Ok(());
        }
        if self.significant == 0 {
            // Prometheus's decoder takes a window never declared to be all 64 bits.
            self.significant = 64;
        }
        if ahead + 2 + self.significant <= PEEK_BITS {
            self.v ^= bits << 2 >> (64 - self.significant) << self.trailing;
            self.bits.skip(ahead + 2 + self.significant);
        } else {
            self.bits.skip(ahead + 2);
            self.v ^= self.bits.read_long(self.significant) << self.trailing;
        }
        Ok(())
    }
}

/// A delta of deltas that is not 0, and its length in bits; `bits` are the next ones of the reader.
#[inline]
fn delta_of_deltas(mut reader: BitReader<'_>, bits: u64) -> (u32, i64) {
    let (prefix, count) = if bits >> 62 == 0b10 {
        (2, 14)
    } else if bits >> 61 == 0b110 {
        (3, 17)
    } else if bits >> 60 == 0b1110 {
        (4, 20)
    } else {
        reader.skip(4);
        return (4 + 64, reader.read_long(64) as i64);
    };
    // The field's upper half, without its lowest pattern, are the negative numbers.
    let field = (bits << prefix >> (64 - count)) as i64;
    let negative = i64::from(field > 1 << (count - 1));
    (prefix + count, field - (negative << count))
}

/// Writes `run` unchanged samples and up to a block of others behind them; returns the last timestamp. Out of line,
/// because its registers are no use to the loop around.
#[inline(never)]
fn repeat(t: i64, delta: u64, v: u64, run: usize, ts: &mut [i64], vs: &mut [f64]) -> i64 {
    let delta = delta as i64;
    let steps: [i64; BLOCK] = std::array::from_fn(|n| delta.wrapping_mul(n as i64 + 1));
    let blocks = ts.chunks_exact_mut(BLOCK).zip(vs.chunks_exact_mut(BLOCK)).take(run.div_ceil(BLOCK));
    let mut base = t;
    for (ts, vs) in blocks {
        for (out, step) in ts.iter_mut().zip(steps) {
            *out = base.wrapping_add(step);
        }
        vs.fill(f64::from_bits(v));
        base = base.wrapping_add(steps[BLOCK - 1]);
    }
    t.wrapping_add(delta.wrapping_mul(run as i64))
}
