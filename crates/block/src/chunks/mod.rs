//! Chunk segment files.

pub(crate) mod read;
pub(crate) mod write;

pub(crate) const MAGIC: u32 = 0x85bd_40dd;
pub(crate) const VERSION: u8 = 1;
/// Magic, version, three zeros.
pub(crate) const HEADER_LEN: u64 = 8;
/// A segment is cut before it grows past this; a chunk larger than a segment gets one of its own.
pub(crate) const SEGMENT_LEN_MAX: u64 = 512 << 20;
/// Folder of the segments inside a block.
pub(crate) const DIR: &str = "chunks";

/// Where a chunk is: segment in the upper, offset in the lower half.
pub(crate) fn unpack(reference: u64) -> (usize, u64) {
    ((reference >> 32) as usize, reference & u64::from(u32::MAX))
}

/// Name of segment `n` (from 0): names count from 1.
pub(crate) fn segment_name(n: usize) -> String {
    format!("{:06}", n + 1)
}
