//! The index file: symbols, series, postings.

pub(crate) mod offsets;
pub(crate) mod read;
pub(crate) mod series;
pub(crate) mod symbols;
pub(crate) mod write;

use codec::{Cursor, Put, crc};

pub(crate) const INDEX_FILE: &str = "index";
pub(crate) const MAGIC: u32 = 0xbaaa_d700;
pub(crate) const HEADER_LEN: u64 = 5;
/// Series begin at multiples of this, and their id is the multiple (but in version 1, where it is the offset).
pub(crate) const SERIES_ALIGN: u64 = 16;
/// Six offsets and a checksum.
pub(crate) const TOC_LEN: usize = 6 * 8 + 4;
/// Every so many entries of a sorted table one is kept in memory.
pub(crate) const SAMPLE_EVERY: usize = 32;

/// Where the sections begin; 0 for one that is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Toc {
    pub symbols: u64,
    pub series: u64,
    pub label_indices: u64,
    pub label_indices_table: u64,
    pub postings: u64,
    pub postings_table: u64,
}

impl Toc {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TOC_LEN);
        let sections = [
            self.symbols,
            self.series,
            self.label_indices,
            self.label_indices_table,
            self.postings,
            self.postings_table,
        ];
        for offset in sections {
            out.put_u64(offset);
        }
        let sum = crc::checksum(&out);
        out.put_u32(sum);
        out
    }

    /// From the last [`TOC_LEN`] bytes of the file; `None` when the checksum does not hold.
    pub fn decode(bytes: &[u8; TOC_LEN]) -> Option<Toc> {
        let mut cursor = Cursor::new(bytes);
        let mut next = || cursor.u64().ok();
        let toc = Toc {
            symbols: next()?,
            series: next()?,
            label_indices: next()?,
            label_indices_table: next()?,
            postings: next()?,
            postings_table: next()?,
        };
        (cursor.u32().ok()? == crc::checksum(&bytes[..TOC_LEN - 4])).then_some(toc)
    }
}

/// A chunk as the index knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkMeta {
    /// Time of the first sample, ms.
    pub mint: i64,
    /// Time of the last sample, ms.
    pub maxt: i64,
    /// Segment (from 0) in the upper, offset in the lower 32 bits.
    pub reference: u64,
}
