//! Checkpoints: old segments rewritten to what is still needed, then removed.
//!
//! Invariants
//! * A checkpoint appears under its name only when it is whole and durable.
//! * Segments are removed only after the checkpoint that covers them has appeared.
//! * Damage in an old segment costs the records it hits; the checkpoint is made nevertheless, and the report says so.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use env::Fs;

use crate::batch::{Batch, Compression};
use crate::damage::DamageReport;
use crate::error::{CommitError, Error};
use crate::reader::Reader;
use crate::record::{self, MetadataEntry, Samples, SeriesDecoder, Tombstone, Type};
use crate::segments::{
    checkpoint_path, list_checkpoints, list_segments, list_unfinished, log_files, segment_path,
};
use crate::writer::{Options, Writer};

/// Bytes gathered before they are written.
const FLUSH_BYTES: usize = 1 << 20;

/// What a checkpoint kept and dropped.
#[derive(Clone, Debug, Default)]
pub struct CheckpointStats {
    pub series: Counts,
    pub samples: Counts,
    pub tombstones: Counts,
    pub metadata: Counts,
    /// Records of types this program does not decode, by type: kept whole while their first timestamp is not below
    /// `mint`.
    pub undecoded: BTreeMap<Type, Counts>,
    /// Records whose checksum holds and whose content makes no sense, or whose type nobody has defined: dropped.
    pub senseless_records: u64,
    pub damage: DamageReport,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub kept: u64,
    pub dropped: u64,
}

impl Counts {
    fn add(&mut self, total: usize, kept: usize) {
        self.kept += kept as u64;
        self.dropped += (total - kept) as u64;
    }
}

/// Makes `checkpoint.<to>` of the last checkpoint and all segments up to `to`, which no writer may have open.
/// Kept are series `keep` says yes to, samples at or after `mint` (ms), tombstones of kept series that reach `mint`,
/// and the newest metadata of kept series. `keep` has to answer the same for one ref throughout.
///
/// `None` when a checkpoint covers `to` already.
pub fn create(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    to: u64,
    mint: i64,
    compression: Compression,
    keep: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<CheckpointStats>, Error> {
    let last = list_checkpoints(&**fs, dir)?.pop();
    if last.is_some_and(|l| l >= to) {
        return Ok(None);
    }
    let first_segment = list_segments(&**fs, dir)?.into_iter().find(|&i| last.is_none_or(|l| i > l));
    match (first_segment, last) {
        (Some(first), Some(l)) if first > l + 1 => {
            return Err(Error::CheckpointGap { last_checkpoint: last, first_segment: first });
        }
        (Some(first), None) if first > to => {
            return Err(Error::CheckpointGap { last_checkpoint: None, first_segment: first });
        }
        _ => {}
    }
    remove_unfinished(&**fs, dir)?;
    let from_checkpoint = |path: &Path| path.parent() != Some(dir);
    let files =
        log_files(&**fs, dir)?.into_iter().filter(|(path, i)| from_checkpoint(path) || *i <= to).collect();
    let mut reader = Reader::of_files(fs.clone(), files);

    let target = checkpoint_path(dir, to);
    let tmp = target.with_extension(format!("{to:08}.tmp"));
    let options = Options { unsynced_bytes_max: 0, ..Options::default() };
    let writer = Writer::open(fs.clone(), &tmp, options)?;
    let mut filter = Filter {
        writer,
        batch: Batch::new(compression),
        mint,
        keep,
        samples: Samples::default(),
        scratch: Vec::new(),
        tombstones: Vec::new(),
        metadata: BTreeMap::new(),
        stats: CheckpointStats::default(),
    };
    while let Some(record) = reader.next()? {
        filter.record(record.bytes)?;
    }
    let mut stats = filter.finish()?;
    stats.damage = reader.damage();
    fs.sync_dir(&tmp).map_err(|e| Error::io("sync checkpoint directory", &tmp, e))?;
    fs.rename(&tmp, &target).map_err(|e| Error::io("rename checkpoint to", &target, e))?;
    fs.sync_dir(dir).map_err(|e| Error::io("sync log directory", dir, e))?;
    Ok(Some(stats))
}

/// Removes segments below `index`.
pub fn truncate_before(fs: &dyn Fs, dir: &Path, index: u64) -> Result<(), Error> {
    for i in list_segments(fs, dir)?.into_iter().filter(|&i| i < index) {
        let path = segment_path(dir, i);
        fs.remove_file(&path).map_err(|e| Error::io("remove log segment", path, e))?;
    }
    fs.sync_dir(dir).map_err(|e| Error::io("sync log directory", dir, e))
}

/// Removes checkpoints below `index`.
pub fn delete_before(fs: &dyn Fs, dir: &Path, index: u64) -> Result<(), Error> {
    for i in list_checkpoints(fs, dir)?.into_iter().filter(|&i| i < index) {
        let path = checkpoint_path(dir, i);
        fs.remove_dir_all(&path).map_err(|e| Error::io("remove checkpoint", path, e))?;
    }
    fs.sync_dir(dir).map_err(|e| Error::io("sync log directory", dir, e))
}

/// Removes checkpoints that were never finished.
pub fn remove_unfinished(fs: &dyn Fs, dir: &Path) -> Result<(), Error> {
    for name in list_unfinished(fs, dir)? {
        let path = dir.join(name);
        fs.remove_dir_all(&path).map_err(|e| Error::io("remove unfinished checkpoint", path, e))?;
    }
    Ok(())
}

struct Filter<'k> {
    writer: Writer,
    batch: Batch,
    mint: i64,
    keep: &'k mut dyn FnMut(u64) -> bool,
    samples: Samples,
    scratch: Vec<u8>,
    tombstones: Vec<Tombstone>,
    /// Type, unit, help of each ref.
    metadata: BTreeMap<u64, (u8, String, String)>,
    stats: CheckpointStats,
}

impl Filter<'_> {
    fn record(&mut self, record: &[u8]) -> Result<(), Error> {
        let Some(kind) = Type::of(record) else {
            self.stats.senseless_records += 1;
            return Ok(());
        };
        let understood = match kind {
            Type::Series => self.series(record),
            Type::Samples => self.samples(record),
            Type::Tombstones => self.tombstones(record),
            Type::Metadata => self.metadata(record),
            // Markers belong to the out-of-order log, which has no checkpoints.
            Type::MmapMarkers => Ok(()),
            Type::Exemplars
            | Type::Histograms
            | Type::FloatHistograms
            | Type::CustomBucketsHistograms
            | Type::CustomBucketsFloatHistograms
            | Type::SamplesV2
            | Type::HistogramsV2
            | Type::FloatHistogramsV2 => {
                let is_kept = record::first_timestamp(record).is_some_and(|t| t >= self.mint);
                self.stats.undecoded.entry(kind).or_default().add(1, usize::from(is_kept));
                if is_kept {
                    self.batch.add_record(record);
                }
                Ok(())
            }
        };
        if understood.is_err() {
            self.stats.senseless_records += 1;
        }
        if self.batch.bytes() >= FLUSH_BYTES { self.flush() } else { Ok(()) }
    }

    fn series(&mut self, record: &[u8]) -> Result<(), record::DecodeError> {
        let mut decoder = SeriesDecoder::new(record)?;
        let mut labels = Vec::new();
        while let Some(series) = decoder.next(&mut labels)? {
            let is_kept = (self.keep)(series);
            self.stats.series.add(1, usize::from(is_kept));
            if is_kept {
                self.batch.add_series(series, labels.iter().copied());
            }
        }
        Ok(())
    }

    fn samples(&mut self, record: &[u8]) -> Result<(), record::DecodeError> {
        self.samples.clear();
        record::decode_samples(record, &mut self.samples)?;
        let total = self.samples.len();
        let kept = self.samples.timestamps.iter().filter(|&&t| t >= self.mint).count();
        self.stats.samples.add(total, kept);
        if kept == total && total > 0 {
            self.batch.add_record(record);
        } else if kept > 0 {
            let mut at = 0;
            for i in 0..total {
                if self.samples.timestamps[i] >= self.mint {
                    self.samples.refs[at] = self.samples.refs[i];
                    self.samples.timestamps[at] = self.samples.timestamps[i];
                    self.samples.values[at] = self.samples.values[i];
                    at += 1;
                }
            }
            self.scratch.clear();
            let s = &self.samples;
            record::encode_samples(&s.refs[..at], &s.timestamps[..at], &s.values[..at], &mut self.scratch);
            self.batch.add_record(&self.scratch);
        }
        Ok(())
    }

    fn tombstones(&mut self, record: &[u8]) -> Result<(), record::DecodeError> {
        self.tombstones.clear();
        record::decode_tombstones(record, &mut self.tombstones)?;
        let total = self.tombstones.len();
        self.tombstones.retain(|t| t.maxt >= self.mint && (self.keep)(t.series));
        self.stats.tombstones.add(total, self.tombstones.len());
        if !self.tombstones.is_empty() {
            self.batch.add_tombstones(&self.tombstones);
        }
        Ok(())
    }

    fn metadata(&mut self, record: &[u8]) -> Result<(), record::DecodeError> {
        let (metadata, keep, counts) = (&mut self.metadata, &mut self.keep, &mut self.stats.metadata);
        record::decode_metadata(record, |m| {
            let is_new = keep(m.series)
                && metadata.insert(m.series, (m.metric_type, m.unit.to_owned(), m.help.to_owned())).is_none();
            counts.add(1, usize::from(is_new));
        })
    }

    fn flush(&mut self) -> Result<(), Error> {
        let result = self.writer.commit(&mut self.batch);
        self.batch.clear();
        result.map(drop).map_err(|e| self.failed(e))
    }

    fn failed(&self, e: CommitError) -> Error {
        Error::io("write checkpoint", self.writer.dir(), std::io::Error::other(e.to_string()))
    }

    fn finish(mut self) -> Result<CheckpointStats, Error> {
        let metadata = std::mem::take(&mut self.metadata);
        let entries: Vec<MetadataEntry<'_>> = metadata
            .iter()
            .map(|(&series, (metric_type, unit, help))| MetadataEntry {
                series,
                metric_type: *metric_type,
                unit,
                help,
            })
            .collect();
        for entries in entries.chunks(10_000) {
            self.batch.add_metadata(entries);
        }
        self.flush()?;
        let dir = self.writer.dir().to_owned();
        self.writer.close().map_err(|e| Error::io("sync checkpoint", dir, e))?;
        Ok(self.stats)
    }
}
