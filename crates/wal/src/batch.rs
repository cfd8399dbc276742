//! The records of one commit, encoded and compressed, not yet written.
//!
//! Filling a batch needs no lock: encoding and compression happen here, and the writer only adds headers and checksums.
//! A batch is reused for the next commit and then allocates nothing.

use std::ops::Range;

use crate::fragment::{self, SNAPPY};
use crate::record::{self, MetadataEntry, MmapMarker, Tombstone, Type};

/// How records are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    None,
    #[default]
    Snappy,
}

/// A record of series is closed at this size; longer ones would cost a reader memory for nothing.
const SERIES_RECORD_BYTES: usize = 1 << 20;
/// Samples of one record, for the same reason.
const SAMPLES_PER_RECORD: usize = 1 << 16;

/// The records of one commit. Series come first in the log, whatever the order of the calls.
pub struct Batch {
    compression: Compression,
    snappy: snap::raw::Encoder,
    /// The series record being filled.
    series: Vec<u8>,
    /// Another record before it is compressed.
    raw: Vec<u8>,
    packed: Vec<u8>,
    records: Vec<Packed>,
}

#[derive(Clone, Debug)]
struct Packed {
    range: Range<usize>,
    flags: u8,
    is_series: bool,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut s = f.debug_struct("Batch");
        s.field("records", &self.records.len()).field("bytes", &self.packed.len()).finish_non_exhaustive()
    }
}

impl Batch {
    pub fn new(compression: Compression) -> Batch {
        Batch {
            compression,
            snappy: snap::raw::Encoder::new(),
            series: Vec::new(),
            raw: Vec::new(),
            packed: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Forgets the records, keeps the memory.
    pub fn clear(&mut self) {
        self.series.clear();
        self.packed.clear();
        self.records.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.series.is_empty()
    }

    /// Bytes of the packed records, without headers; a series record still open is counted uncompressed.
    pub fn bytes(&self) -> usize {
        self.packed.len() + self.series.len()
    }

    /// Names the labels of a new ref, labels sorted by name. Once for each (ref, labels) while samples of it are in
    /// the log: Prometheus drops the samples before a second record.
    pub fn add_series<'l, I>(&mut self, series: u64, labels: I)
    where
        I: IntoIterator<Item = (&'l str, &'l str)>,
        I::IntoIter: Clone,
    {
        if self.series.is_empty() {
            self.series.push(Type::Series as u8);
        }
        record::append_series(series, labels.into_iter(), &mut self.series);
        if self.series.len() >= SERIES_RECORD_BYTES {
            self.seal();
        }
    }

    /// Samples that share a timestamp (ms); the slices are equally long.
    pub fn add_samples_at<R: Copy + Into<u64>>(&mut self, t: i64, refs: &[R], values: &[f64]) {
        for (refs, values) in refs.chunks(SAMPLES_PER_RECORD).zip(values.chunks(SAMPLES_PER_RECORD)) {
            self.raw.clear();
            record::encode_samples_at(t, refs, values, &mut self.raw);
            self.pack_raw();
        }
    }

    /// Samples with timestamps (ms) of their own; the slices are equally long.
    pub fn add_samples<R: Copy + Into<u64>>(&mut self, refs: &[R], timestamps: &[i64], values: &[f64]) {
        let columns = refs.chunks(SAMPLES_PER_RECORD).zip(timestamps.chunks(SAMPLES_PER_RECORD));
        for ((refs, timestamps), values) in columns.zip(values.chunks(SAMPLES_PER_RECORD)) {
            self.raw.clear();
            record::encode_samples(refs, timestamps, values, &mut self.raw);
            self.pack_raw();
        }
    }

    pub fn add_tombstones(&mut self, tombstones: &[Tombstone]) {
        self.raw.clear();
        record::encode_tombstones(tombstones, &mut self.raw);
        self.pack_raw();
    }

    pub fn add_mmap_markers(&mut self, markers: &[MmapMarker]) {
        self.raw.clear();
        record::encode_mmap_markers(markers, &mut self.raw);
        self.pack_raw();
    }

    pub fn add_metadata(&mut self, entries: &[MetadataEntry<'_>]) {
        self.raw.clear();
        record::encode_metadata(entries, &mut self.raw);
        self.pack_raw();
    }

    /// A record encoded elsewhere, type byte first.
    pub fn add_record(&mut self, record: &[u8]) {
        self.raw.clear();
        self.raw.extend_from_slice(record);
        self.pack_raw();
    }

    fn pack_raw(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        self.pack(&raw, Type::of(&raw) == Some(Type::Series));
        self.raw = raw;
    }

    /// Compresses the series record still open. The writer does it too.
    pub fn seal(&mut self) {
        if !self.series.is_empty() {
            let mut series = std::mem::take(&mut self.series);
            self.pack(&series, true);
            series.clear();
            self.series = series;
        }
    }

    fn pack(&mut self, raw: &[u8], is_series: bool) {
        let start = self.packed.len();
        let mut flags = 0;
        if self.compression == Compression::Snappy {
            self.packed.resize(start + snap::raw::max_compress_len(raw.len()), 0);
            match self.snappy.compress(raw, &mut self.packed[start..]) {
                Ok(len) if len < raw.len() => {
                    self.packed.truncate(start + len);
                    flags = SNAPPY;
                }
                // No gain, or 4 GiB and more: the record stays as it is.
                _ => self.packed.truncate(start),
            }
        }
        if flags == 0 {
            self.packed.extend_from_slice(raw);
        }
        self.records.push(Packed { range: start..self.packed.len(), flags, is_series });
    }

    /// (flags, packed record): those of series first. Call after [`seal`](Batch::seal).
    pub(crate) fn packed(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.packed_series().chain(self.packed_of(false))
    }

    /// Only those of series.
    pub(crate) fn packed_series(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.packed_of(true)
    }

    fn packed_of(&self, is_series: bool) -> impl Iterator<Item = (u8, &[u8])> {
        let records = self.records.iter().filter(move |r| r.is_series == is_series);
        records.map(|r| (r.flags, &self.packed[r.range.clone()]))
    }

    /// Bytes the records take in a segment, at most.
    pub(crate) fn framed_bytes_max(&self) -> usize {
        self.records.iter().map(|r| fragment::len_max(r.range.len())).sum()
    }
}
