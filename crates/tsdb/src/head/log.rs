//! The head's side of the log: series records once each, the side file of labels, when to sync.
//!
//! `twin/series` tells a start which labels a ref stands for without reading the whole log. A frame is there
//! before the record is in the log, so after a crash the newest frames may name series the log does not know.
//! `twin/confirmed` says from where on a start has to compare: so many series of the file stand in segments
//! before segment N, and N was the newest segment we wrote. Without it, or when there is a segment behind N
//! (another program wrote to the log), the labels are read from the log.
//!
//! Invariants
//! * A series whose frame is in the side file and whose record is not known to be in the log is written with the
//!   next commit, whoever's that is.
//!
//! Does not know: samples, memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::Fs;
use storage::Error;

use super::series_index::SeriesIndex;
use crate::error::io_error;
use crate::options::{Options, SyncPolicy};

/// The marker's size is bounded by its two numbers.
const MARKER_BYTES_MAX: u64 = 256;
/// Records kept for rewriting while no sync has covered them.
const UNSYNCED_BYTES_MAX: usize = 64 << 20;

/// What `twin/confirmed` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marker {
    pub segment: u64,
    /// Series of the side file that stand in earlier segments.
    pub series: u64,
}

impl Marker {
    fn path(dir: &Path) -> PathBuf {
        dir.join("twin").join("confirmed")
    }

    /// The marker of a data directory; `None` when absent or unreadable.
    pub fn read(fs: &dyn Fs, dir: &Path) -> Option<Marker> {
        let bytes = fs.read(&Marker::path(dir), MARKER_BYTES_MAX).ok()?;
        let value: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        Some(Marker { segment: value.get("segment")?.as_u64()?, series: value.get("series")?.as_u64()? })
    }

    fn write(self, fs: &dyn Fs, dir: &Path) -> Result<(), Error> {
        let path = Marker::path(dir);
        let text = serde_json::json!({"segment": self.segment, "series": self.series}).to_string();
        fs.write_atomic(&path, text.as_bytes()).map_err(|e| io_error(&path, &e))
    }

    fn remove(fs: &dyn Fs, dir: &Path) -> Result<(), Error> {
        let path = Marker::path(dir);
        match fs.remove_file(&path) {
            Ok(()) => fs.sync_dir(&dir.join("twin")).map_err(|e| io_error(&path, &e)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(io_error(&path, &e)),
        }
    }
}

/// Why a batch was not written.
pub enum WriteError {
    /// A sync has to end first; it runs in another thread.
    Syncing,
    Failed(Error),
}

/// The log of one data directory, open for writing.
pub struct Log {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    /// `None` when closed.
    writer: Option<wal::Writer>,
    series: wal::SeriesFile,
    /// Series told by the side file, repetitions included.
    series_told: u64,
    marker: Option<Marker>,
    /// In the side file, not known to be in the log.
    unconfirmed: Vec<u32>,
    /// The side file tells nothing that the log does not know, but for `unconfirmed`.
    agree: bool,
    sync: SyncPolicy,
    syncing: bool,
    /// Samples go to the log only: older ones are still being read from it.
    pub replaying: bool,
    /// Open snapshots; kept to spare an allocation per commit.
    pub readers: Vec<u64>,
    /// What went wrong without harm to a commit, for the next report.
    pub problem: Option<Error>,
    pub fsyncs: u64,
}

pub fn wal_dir(dir: &Path) -> PathBuf {
    dir.join("wal")
}

pub fn series_path(dir: &Path) -> PathBuf {
    dir.join("twin").join("series")
}

/// An error of the log in the words of the contract.
pub fn wal_error(e: wal::Error) -> Error {
    match e {
        wal::Error::Io { doing, path, source } => {
            Error::Io { place: path.display().to_string(), what: format!("{doing}: {source}") }
        }
        other => Error::Corrupt { place: "wal".to_string(), what: other.to_string() },
    }
}

impl Log {
    /// Starts a new segment behind what is there. `series` and `series_told` are the side file as
    /// loaded; `agree` says that the log knows every series in it.
    pub fn open(
        fs: &Arc<dyn Fs>,
        dir: &Path,
        options: &Options,
        series: wal::SeriesFile,
        series_told: u64,
        agree: bool,
    ) -> Result<Log, Error> {
        let unsynced = if options.wal_sync == SyncPolicy::Segment { 0 } else { UNSYNCED_BYTES_MAX };
        let wal_options =
            wal::Options { segment_bytes_max: options.wal_segment_bytes, unsynced_bytes_max: unsynced };
        let writer = wal::Writer::open(fs.clone(), &wal_dir(dir), wal_options).map_err(wal_error)?;
        let mut log = Log {
            fs: fs.clone(),
            dir: dir.to_path_buf(),
            writer: Some(writer),
            series,
            series_told,
            marker: None,
            unconfirmed: Vec::new(),
            agree,
            sync: options.wal_sync,
            syncing: false,
            replaying: true,
            readers: Vec::new(),
            problem: None,
            fsyncs: 0,
        };
        log.mark(series_told);
        Ok(log)
    }

    fn writer(&mut self) -> Result<&mut wal::Writer, Error> {
        self.writer.as_mut().ok_or(Error::Closed)
    }

    /// Where followers read.
    pub fn published(&self) -> Option<Arc<wal::Published>> {
        self.writer.as_ref().map(wal::Writer::published)
    }

    pub fn segment(&self) -> u64 {
        self.writer.as_ref().map_or(0, wal::Writer::segment)
    }

    pub fn stats(&self) -> wal::Stats {
        self.writer.as_ref().map(wal::Writer::stats).unwrap_or_default()
    }

    /// A sync is under way in some thread.
    pub fn is_syncing(&self) -> bool {
        self.syncing
    }

    pub fn has_unconfirmed(&self) -> bool {
        !self.unconfirmed.is_empty()
    }

    /// Puts the records of new series into a batch and their labels into the side file.
    pub fn add_series(
        &mut self,
        records: &mut wal::Batch,
        fresh: &[u32],
        index: &SeriesIndex,
    ) -> Result<(), Error> {
        self.unconfirmed.extend_from_slice(fresh);
        self.unconfirmed.sort_unstable();
        self.unconfirmed.dedup();
        self.unconfirmed.retain(|&r| !index.pairs(r).is_empty());
        for &r in &self.unconfirmed {
            records.add_series(u64::from(r), index.pairs(r).iter().map(|&pair| index.texts.text(pair)));
        }
        self.series.append(records).map_err(wal_error)?;
        self.series_told += self.unconfirmed.len() as u64;
        Ok(())
    }

    /// Writes a batch to the log, durable if the policy says so.
    pub fn write(&mut self, records: &mut wal::Batch) -> Result<(), WriteError> {
        let writer = self.writer().map_err(WriteError::Failed)?;
        let mut written = writer.commit(records);
        if matches!(written, Err(wal::CommitError::Unsynced { .. })) {
            if self.syncing {
                return Err(WriteError::Syncing);
            }
            self.sync_now().map_err(WriteError::Failed)?;
            written = self.writer().map_err(WriteError::Failed)?.commit(records);
        }
        written.map_err(|e| WriteError::Failed(commit_error(&e)))?;
        if self.sync == SyncPolicy::Always {
            self.sync_now().map_err(WriteError::Failed)?;
        }
        Ok(())
    }

    /// After a write: the series whose record is now in the log.
    pub fn take_confirmed(&mut self) -> Vec<u32> {
        let confirmed = std::mem::take(&mut self.unconfirmed);
        if self.marker.is_none_or(|marker| marker.segment != self.segment()) {
            // Those of this batch stand in the new segment, which a start compares anyway.
            self.mark(self.series_told - confirmed.len() as u64);
        }
        confirmed
    }

    /// Says in `twin/confirmed` how far the side file and the log agree. Failing costs the next start time only.
    fn mark(&mut self, series: u64) {
        if !self.agree || !self.unconfirmed.is_empty() {
            return;
        }
        let marker = Marker { segment: self.segment(), series };
        match marker.write(&*self.fs, &self.dir) {
            Ok(()) => self.marker = Some(marker),
            Err(e) => self.problem = Some(e),
        }
    }

    /// Before the side file or old segments are rewritten: the next start reads the labels from the log, unless
    /// `tidied` is reached.
    pub fn begin_tidying(&mut self) -> Result<(), Error> {
        self.marker = None;
        Marker::remove(&*self.fs, &self.dir)
    }

    /// Drops series from the side file that the log does not need any more.
    pub fn tidied(&mut self, keep: &mut dyn FnMut(u64) -> bool) -> Result<(), Error> {
        let (kept, _) = self.series.prune(keep).map_err(wal_error)?;
        self.series_told = kept;
        self.agree = true;
        // The marker is durable at once; what it speaks of has to be.
        self.sync_now()?;
        // Frames of unconfirmed series are among the kept ones; `mark` waits until they are confirmed.
        self.mark(kept);
        Ok(())
    }

    pub fn next_segment(&mut self) -> Result<u64, Error> {
        let next = self.writer()?.next_segment().map_err(|e| commit_error(&e))?;
        Ok(next)
    }

    pub fn remove_segments_before(&mut self, index: u64) -> Result<(), Error> {
        self.writer()?.truncate_before(index).map_err(wal_error)
    }

    /// Makes everything committed durable while holding the log.
    pub fn sync_now(&mut self) -> Result<(), Error> {
        self.series.sync().map_err(wal_error)?;
        let dir = wal_dir(&self.dir);
        self.fsyncs += 1;
        let result = self.writer()?.sync();
        result.map_err(|e| io_error(&dir, &e))
    }

    /// The first half of a sync that runs without the log being held.
    pub fn begin_sync(&mut self) -> Result<Option<Sync>, Error> {
        if self.syncing {
            return Ok(None);
        }
        let dir = wal_dir(&self.dir);
        let series = self.series.sync_handle().map_err(wal_error)?;
        let ticket = self.writer()?.begin_sync().map_err(|e| io_error(&dir, &e))?;
        self.syncing = ticket.is_some();
        Ok(ticket.map(|ticket| Sync { series, ticket }))
    }

    /// The second half.
    pub fn end_sync(&mut self, sync: Sync, result: std::io::Result<()>) -> Result<(), Error> {
        self.syncing = false;
        self.fsyncs += 1;
        let dir = wal_dir(&self.dir);
        match &mut self.writer {
            Some(writer) => writer.end_sync(sync.ticket, result).map_err(|e| io_error(&dir, &e)),
            None => Ok(()),
        }
    }

    /// Makes everything durable and takes no more batches.
    pub fn close(&mut self) -> Result<(), Error> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        self.series.sync().map_err(wal_error)?;
        let dir = wal_dir(&self.dir);
        writer.close().map_err(|e| io_error(&dir, &e))
    }
}

/// A sync under way.
pub struct Sync {
    series: Box<dyn env::SyncHandle>,
    ticket: wal::SyncTicket,
}

impl Sync {
    /// The system calls. Blocks.
    pub fn run(&self) -> std::io::Result<()> {
        self.series.sync_data()?;
        self.ticket.run()
    }
}

fn commit_error(e: &wal::CommitError) -> Error {
    match e {
        wal::CommitError::Unsynced { bytes, bytes_max } => Error::Limit {
            what: format!(
                "{bytes} bytes of the log wait for the disk (limit {bytes_max}); the disk is too slow"
            ),
        },
        wal::CommitError::Write { path, .. }
        | wal::CommitError::Mend { path, .. }
        | wal::CommitError::Segment { path, .. } => {
            Error::Io { place: path.display().to_string(), what: e.to_string() }
        }
        wal::CommitError::Syncing => Error::Io { place: "wal".to_string(), what: e.to_string() },
    }
}
