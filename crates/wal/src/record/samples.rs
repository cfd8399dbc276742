//! Sample records: the hot path of the log.

use codec::{Cursor, Put, varint};

use super::{DecodeError, Type, body};

/// Decoded samples as three columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    pub refs: Vec<u64>,
    /// Milliseconds since 1970.
    pub timestamps: Vec<i64>,
    pub values: Vec<f64>,
}

impl Samples {
    pub fn len(&self) -> usize {
        self.refs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.refs.is_empty()
    }

    pub fn clear(&mut self) {
        self.refs.clear();
        self.timestamps.clear();
        self.values.clear();
    }

    fn resize(&mut self, len: usize) {
        self.refs.resize(len, 0);
        self.timestamps.resize(len, 0);
        self.values.resize(len, 0.0);
    }
}

/// Bytes before the first sample: type, first ref, first timestamp.
const HEAD_BYTES: usize = 17;
/// Two varints and a value.
const SAMPLE_BYTES_MAX: usize = 2 * varint::LEN_MAX + 8;
const SAMPLE_BYTES_MIN: usize = 10;

/// Appends a record of samples that share a timestamp, as a scrape makes them. The slices are equally long.
pub fn encode_samples_at<R: Copy + Into<u64>>(t: i64, refs: &[R], values: &[f64], out: &mut Vec<u8>) {
    assert_eq!(refs.len(), values.len(), "BUG: columns of different length");
    encode(refs.len(), |i| (refs[i].into(), t, values[i]), out);
}

/// Appends a record of samples. The slices are equally long.
pub fn encode_samples<R: Copy + Into<u64>>(
    refs: &[R],
    timestamps: &[i64],
    values: &[f64],
    out: &mut Vec<u8>,
) {
    assert!(refs.len() == timestamps.len() && refs.len() == values.len(), "BUG: columns of different length");
    encode(refs.len(), |i| (refs[i].into(), timestamps[i], values[i]), out);
}

#[inline(always)]
fn encode(count: usize, sample: impl Fn(usize) -> (u64, i64, f64), out: &mut Vec<u8>) {
    out.put_u8(Type::Samples as u8);
    if count == 0 {
        return;
    }
    let (first_ref, first_t, _) = sample(0);
    out.put_u64(first_ref);
    out.put_i64(first_t);
    // Stores of fixed width into room for the worst case, so that no store depends on a length.
    let mut at = out.len();
    out.resize(at + count * SAMPLE_BYTES_MAX, 0);
    for i in 0..count {
        let (series, t, value) = sample(i);
        let room: &mut [u8; SAMPLE_BYTES_MAX] =
            out[at..].first_chunk_mut().expect("BUG: room was made for the longest sample");
        let mut len = put_varint(room, 0, series.wrapping_sub(first_ref) as i64);
        len += put_varint(room, len, t.wrapping_sub(first_t));
        room[len..len + 8].copy_from_slice(&value.to_bits().to_be_bytes());
        at += len + 8;
    }
    out.truncate(at);
}

#[inline(always)]
fn put_varint(room: &mut [u8; SAMPLE_BYTES_MAX], at: usize, value: i64) -> usize {
    let folded = varint::zigzag(value);
    if folded < 1 << 7 {
        room[at] = folded as u8;
        1
    } else if folded < 1 << 14 {
        room[at] = folded as u8 | 0x80;
        room[at + 1] = (folded >> 7) as u8;
        2
    } else {
        let long = varint::encode(folded);
        let bytes = long.as_slice();
        room[at..at + bytes.len()].copy_from_slice(bytes);
        bytes.len()
    }
}

/// Appends the samples of a record to `out`; on error `out` is as it was.
pub fn decode_samples(record: &[u8], out: &mut Samples) -> Result<(), DecodeError> {
    let before = out.len();
    let cursor = body(record, Type::Samples)?;
    if cursor.is_empty() {
        return Ok(());
    }
    decode(cursor, out).map_err(|source| {
        out.resize(before);
        DecodeError::Body { in_type: Type::Samples, source }
    })
}

fn decode(mut cursor: Cursor<'_>, out: &mut Samples) -> Result<(), codec::Error> {
    let first_ref = cursor.u64()?;
    let first_t = cursor.i64()?;
    let mut bytes = cursor.rest();
    let mut at = out.len();
    out.resize(at + bytes.len() / SAMPLE_BYTES_MIN);
    let (refs, timestamps, values) = (&mut out.refs[..], &mut out.timestamps[..], &mut out.values[..]);
    // While the longest sample fits, bounds are checked once.
    while let Some(room) = bytes.first_chunk::<SAMPLE_BYTES_MAX>() {
        let Some((dref, n)) = short_varint(room, 0) else { break };
        let Some((dt, m)) = short_varint(room, n) else { break };
        let len = n + m;
        let value = u64::from_be_bytes(room[len..len + 8].try_into().expect("the range is 8 bytes wide"));
        refs[at] = first_ref.wrapping_add(dref as u64);
        timestamps[at] = first_t.wrapping_add(dt);
        values[at] = f64::from_bits(value);
        at += 1;
        bytes = &bytes[len + 8..];
    }
    // The last samples, and those whose numbers take more than three bytes.
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_empty() {
        let dref = cursor.varint()?;
        let dt = cursor.varint()?;
        let value = cursor.f64()?;
        refs[at] = first_ref.wrapping_add(dref as u64);
        timestamps[at] = first_t.wrapping_add(dt);
        values[at] = value;
        at += 1;
    }
    out.resize(at);
    Ok(())
}

/// A varint of at most three bytes.
#[inline(always)]
fn short_varint(room: &[u8; SAMPLE_BYTES_MAX], at: usize) -> Option<(i64, usize)> {
    let a = u64::from(room[at]);
    if a < 0x80 {
        return Some((varint::unzigzag(a), 1));
    }
    let b = u64::from(room[at + 1]);
    if b < 0x80 {
        return Some((varint::unzigzag(a & 0x7f | b << 7), 2));
    }
    let c = u64::from(room[at + 2]);
    if c < 0x80 {
        return Some((varint::unzigzag(a & 0x7f | (b & 0x7f) << 7 | c << 14), 3));
    }
    None
}

/// The timestamp of the first sample of a record of samples, exemplars or histograms, without decoding the rest.
/// `None` when the record has no sample or is of another type.
pub fn first_timestamp(record: &[u8]) -> Option<i64> {
    match Type::of(record)? {
        Type::Samples
        | Type::Exemplars
        | Type::Histograms
        | Type::FloatHistograms
        | Type::CustomBucketsHistograms
        | Type::CustomBucketsFloatHistograms => {
            let bytes = record.get(HEAD_BYTES - 8..HEAD_BYTES)?;
            Some(i64::from_be_bytes(bytes.try_into().expect("the range is 8 bytes wide")))
        }
        Type::SamplesV2 | Type::HistogramsV2 | Type::FloatHistogramsV2 => {
            let mut cursor = Cursor::at(record, 1);
            cursor.varint().ok()?;
            cursor.varint().ok()
        }
        Type::Series | Type::Tombstones | Type::MmapMarkers | Type::Metadata => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use env::{Rng, SeededRng};

    #[test]
    fn bytes_are_those_of_the_format() {
        let mut out = Vec::new();
        encode_samples(&[10u64, 9, 300], &[1000, 1001, 1000], &[1.0, 2.0, f64::NAN], &mut out);
        let mut want = vec![2];
        want.put_u64(10);
        want.put_i64(1000);
        for (dref, dt, v) in [(0, 0, 1.0), (-1, 1, 2.0), (290, 0, f64::NAN)] {
            want.put_varint(dref);
            want.put_varint(dt);
            want.put_f64(v);
        }
        assert_eq!(out, want);
        assert_eq!(first_timestamp(&out), Some(1000));
    }

    #[test]
    fn what_goes_in_comes_out() {
        for seed in 0..300 {
            let rng = SeededRng::new(seed);
            let count = rng.below(50) as usize;
            let bits = 1 + rng.below(64);
            let mut wanted = Samples::default();
            for _ in 0..count {
                wanted.refs.push(rng.next_u64() >> (64 - bits));
                wanted.timestamps.push(rng.next_u64() as i64 >> (64 - bits));
                wanted.values.push(rng.unit());
            }
            let mut record = Vec::new();
            encode_samples(&wanted.refs, &wanted.timestamps, &wanted.values, &mut record);
            let mut found = Samples::default();
            decode_samples(&record, &mut found).unwrap();
            assert_eq!(found, wanted, "seed {seed}");
            decode_samples(&record, &mut found).unwrap();
            assert_eq!(found.len(), 2 * count, "appends");
        }
    }

    #[test]
    fn a_cut_record_is_an_error_and_changes_nothing() {
        let mut record = Vec::new();
        encode_samples_at(5, &[1u64, 100_000, 3], &[1.0, 2.0, 3.0], &mut record);
        let mut out = Samples::default();
        let mut whole = 0;
        for len in 1..record.len() {
            match decode_samples(&record[..len], &mut out) {
                Ok(()) => whole += 1,
                Err(e) => assert!(matches!(e, DecodeError::Body { .. }), "{e}"),
            }
        }
        // An empty body, only the head, and cuts right behind a sample are valid records.
        assert_eq!((whole, out.len()), (4, 3));
        assert!(matches!(decode_samples(&[], &mut out), Err(DecodeError::WrongType { found: None, .. })));
    }
}
