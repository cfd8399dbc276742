//! Unpacking gzip bodies whole.
//!
//! The whole body is there before unpacking starts, and gzip's last four bytes tell how long the result is, so one
//! call of a whole-buffer inflater does it, three times as fast as a streaming one. That length is the sender's claim:
//! it is believed only up to the limit. What the fast path cannot read (several members, a wrong length) goes through
//! the streaming inflater.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use libdeflater::{DecompressionError, Decompressor};

/// A body could not be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InflateError {
    /// Not gzip, or damaged.
    Data,
    /// The result is longer than the limit.
    Limit,
}

/// An inflater with its working memory.
pub struct Inflater {
    decompressor: Decompressor,
}

impl Default for Inflater {
    fn default() -> Self {
        Inflater { decompressor: Decompressor::new() }
    }
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inflater")
    }
}

impl Inflater {
    /// Unpacks `packed` into the front of `out`, which grows as needed and is never shortened: what it held before
    /// stays behind the result. Returns the result's length, at most `limit_bytes`.
    pub fn gzip(
        &mut self,
        packed: &[u8],
        limit_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, InflateError> {
        if let Some(&claimed) = packed.last_chunk::<4>() {
            let claimed = u32::from_le_bytes(claimed) as usize;
            // Deflate cannot shrink by more than 1,032 to 1: a larger claim is a lie, or a second member.
            if claimed <= limit_bytes && claimed / 1032 <= packed.len() {
                if out.len() < claimed {
                    out.resize(claimed, 0);
                }
                match self.decompressor.gzip_decompress(packed, &mut out[..claimed]) {
                    Ok(len) if one_member(packed, len) => return Ok(len),
                    Ok(_) | Err(DecompressionError::InsufficientSpace) => {}
                    Err(DecompressionError::BadData) => return Err(InflateError::Data),
                }
            }
        }
        inflate_streaming(packed, limit_bytes, out)
    }
}

/// Whether `packed` is one member that unpacked to `len` bytes. A second one would begin with gzip's magic number; where
/// those three bytes occur by chance, the streaming inflater decides.
fn one_member(packed: &[u8], len: usize) -> bool {
    packed.last_chunk::<4>().is_some_and(|claimed| u32::from_le_bytes(*claimed) as usize == len)
        && memchr::memmem::find(&packed[1..], &[0x1f, 0x8b, 0x08]).is_none()
}

fn inflate_streaming(packed: &[u8], limit_bytes: usize, out: &mut Vec<u8>) -> Result<usize, InflateError> {
    // One byte past the limit shows that there is more.
    let len_max = limit_bytes.saturating_add(1);
    let mut decoder = MultiGzDecoder::new(packed);
    let mut len = 0;
    while len < len_max {
        if out.len() == len {
            out.resize((len * 2).max(64 * 1024).min(len_max), 0);
        }
        let end = out.len().min(len_max);
        match decoder.read(&mut out[len..end]) {
            Ok(0) => return Ok(len),
            Ok(count) => len += count,
            Err(_) => return Err(InflateError::Data),
        }
    }
    Err(InflateError::Limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn check(packed: &[u8], limit: usize, want: Result<&[u8], InflateError>) {
        let mut out = vec![b'x'; 3];
        let got = Inflater::default().gzip(packed, limit, &mut out);
        assert_eq!(got.map(|len| &out[..len]), want);
    }

    #[test]
    fn a_body_is_unpacked_up_to_the_limit() {
        let text = b"metric 1\n".repeat(1000);
        let packed = gzip(&text);
        check(&packed, 9000, Ok(&text));
        check(&packed, 8999, Err(InflateError::Limit));
        check(&gzip(b""), 10, Ok(b""));
        check(&packed[..packed.len() / 2], 9000, Err(InflateError::Data));
        check(b"no gzip at all", 9000, Err(InflateError::Data));
        check(b"", 9000, Err(InflateError::Data));
    }

    #[test]
    fn members_follow_each_other() {
        let (one, two) = (b"a 1\n".repeat(50), b"b 2\n".repeat(50));
        let packed = [gzip(&one), gzip(&two)].concat();
        check(&packed, 10_000, Ok(&[one, two].concat()));
    }

    #[test]
    fn a_lying_length_costs_no_memory() {
        let mut packed = gzip(b"a 1\n");
        let at = packed.len() - 4;
        packed[at..].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut out = Vec::new();
        assert_eq!(Inflater::default().gzip(&packed, usize::MAX, &mut out), Err(InflateError::Data));
        assert!(out.len() <= 64 * 1024);
    }
}
