#![doc = include_str!("../FORMAT.md")]
//!
//! # This crate
//!
//! [`XorAppender`] writes one sample after another into bytes the caller owns; [`decode`] turns a chunk's data into
//! columns, leaving out what lies outside a time range. [`naive`] is the decoder as the format reads, slow and
//! obvious, which the fast one must agree with.
//!
//! Does not know: series, files, checksums, when a chunk is full.

mod encoding;
pub mod naive;
mod xor;

pub use encoding::{Encoding, Error};
pub use xor::append::{SAMPLE_LEN_MAX, XorAppender, encode_xor};
pub use xor::decode::decode_xor;

use model::TimeRange;

/// Bytes before the payload: the number of samples.
pub const HEADER_LEN: usize = 2;

/// Number of samples in a chunk's data. The count stands at the same place in every encoding.
pub fn num_samples(data: &[u8]) -> Result<u16, Error> {
    Ok(codec::Cursor::new(data).u16()?)
}

/// Appends the samples of a chunk that lie in `range` (both ends inclusive) to two columns of equal length.
///
/// `data` begins with the number of samples. Reading stops at the first sample behind the range.
///
/// # Errors
/// The encoding is not supported, or the data are damaged; then the columns are as they were.
pub fn decode(
    encoding: Encoding,
    data: &[u8],
    range: TimeRange,
    timestamps: &mut Vec<i64>,
    values: &mut Vec<f64>,
) -> Result<(), Error> {
    match encoding {
        Encoding::Xor => {
            let num = num_samples(data)?;
            decode_xor(&data[HEADER_LEN..], num, range, timestamps, values)
        }
        other => Err(Error::NotSupported(other as u8)),
    }
}
