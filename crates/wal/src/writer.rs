//! Appends batches to the log: whole, or not at all.
//!
//! Invariants
//! * The current segment ends with a whole commit, or `cut` says where it has to be cut first.
//! * `kept` holds every record behind `synced`, so that a segment whose sync failed can be given up.
//! * A segment that was given up ends at what an earlier sync covered, before the next one appears.
//! * A batch never crosses segments.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::{Fs, SyncHandle, WriteFile};

use crate::batch::Batch;
use crate::error::{CommitError, Error};
use crate::fragment::{self, PAGE_BYTES};
use crate::published::{Position, Published};
use crate::repair;
use crate::segments::{list_segments, next_index, segment_path};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A segment is closed when the next batch would make it larger.
    pub segment_bytes_max: u64,
    /// Packed records kept until a sync covers them. Bounds memory when the disk does not keep up: then commits are
    /// refused until a sync succeeds. 0 keeps none: a failed sync may lose what it did not cover.
    pub unsynced_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { segment_bytes_max: 128 << 20, unsynced_bytes_max: 64 << 20 }
    }
}

/// Counters since the writer was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub commits: u64,
    /// Bytes written, headers and padding included.
    pub bytes: u64,
    pub failed_writes: u64,
    pub failed_syncs: u64,
    /// Segments left because a sync failed.
    pub abandoned_segments: u64,
    /// Records written a second time for that.
    pub rewritten_records: u64,
    /// Bytes removed from the last segment when the log was opened.
    pub torn_bytes: u64,
}

/// The one writer of a log directory.
#[derive(Debug)]
pub struct Writer {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    options: Options,
    file: Box<dyn WriteFile>,
    index: u64,
    /// Bytes of a commit with headers; kept for its memory.
    out: Vec<u8>,
    /// A failed write left bytes behind this offset.
    cut: Option<u64>,
    /// A sync failed: the segment has to be left.
    poisoned: bool,
    /// What follows it, ready but for its name.
    leaving: Option<Box<dyn WriteFile>>,
    /// A sync runs elsewhere; the segment may not be left meanwhile, so it may grow beyond its size.
    syncing: bool,
    /// Bytes of the current segment an earlier sync covers.
    synced: u64,
    kept: Kept,
    /// Earlier segments nobody has synced (only when nothing is kept).
    closed: Vec<Box<dyn SyncHandle>>,
    /// Records committed so far.
    records: u64,
    published: Arc<Published>,
    stats: Stats,
}

/// Records not yet covered by a sync, oldest first.
#[derive(Debug, Default)]
struct Kept {
    packed: Vec<u8>,
    /// (length, flags) of each.
    records: Vec<(usize, u8)>,
}

impl Kept {
    fn push(&mut self, flags: u8, record: &[u8]) {
        self.packed.extend_from_slice(record);
        self.records.push((record.len(), flags));
    }

    fn forget(&mut self, records: usize) {
        let bytes: usize = self.records.drain(..records).map(|(len, _)| len).sum();
        self.packed.drain(..bytes);
    }

    fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let mut at = 0;
        self.records.iter().map(move |&(len, flags)| {
            at += len;
            (flags, &self.packed[at - len..at])
        })
    }
}

/// A sync on its way: run it without holding the writer, then give the result back with [`Writer::end_sync`].
#[derive(Debug)]
pub struct SyncTicket {
    handle: Box<dyn SyncHandle>,
    closed: Vec<Box<dyn SyncHandle>>,
    segment: u64,
    offset: u64,
    kept_records: usize,
}

impl SyncTicket {
    /// Everything before this place is durable when the sync has succeeded.
    pub fn position(&self) -> Position {
        Position { segment: self.segment, offset: self.offset }
    }

    /// The system call. Blocks.
    pub fn run(&self) -> io::Result<()> {
        for earlier in &self.closed {
            earlier.sync_data()?;
        }
        self.handle.sync_data()
    }
}

impl Writer {
    /// Opens the log for writing: creates the directory if absent, cuts the torn tail of the last segment (and repairs
    /// it if need be, see [`repair_segment`](crate::repair_segment)), and starts a new segment behind it.
    pub fn open(fs: Arc<dyn Fs>, dir: &Path, options: Options) -> Result<Writer, Error> {
        fs.create_dir_all(dir).map_err(|e| Error::io("create log directory", dir, e))?;
        if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs.sync_dir(parent).map_err(|e| Error::io("sync directory", parent, e))?;
        }
        let mut stats = Stats::default();
        finish_leaving(&*fs, dir)?;
        if let Some(&last) = list_segments(&*fs, dir)?.last() {
            stats.torn_bytes = repair::repair_segment(&*fs, &segment_path(dir, last))?.bytes_removed;
        }
        let index = next_index(&*fs, dir)?;
        let file = new_segment(&*fs, dir, index)
            .map_err(|e| Error::io("start log segment", segment_path(dir, index), e))?;
        let published = Arc::new(Published::default());
        published.start(index, 0);
        Ok(Writer {
            fs,
            dir: dir.to_owned(),
            options,
            file,
            index,
            out: Vec::new(),
            cut: None,
            poisoned: false,
            leaving: None,
            syncing: false,
            synced: 0,
            kept: Kept::default(),
            closed: Vec::new(),
            records: 0,
            published,
            stats,
        })
    }

    /// Writes the batch with one write where the system allows. On error nothing of it is in the log.
    pub fn commit(&mut self, batch: &mut Batch) -> Result<Position, CommitError> {
        batch.seal();
        self.mend()?;
        if batch.is_empty() {
            return Ok(self.position());
        }
        let keeps = self.options.unsynced_bytes_max > 0;
        let bytes_max = self.options.unsynced_bytes_max;
        if keeps && !self.kept.packed.is_empty() && self.kept.packed.len() + batch.bytes() > bytes_max {
            return Err(CommitError::Unsynced { bytes: self.kept.packed.len(), bytes_max });
        }
        let framed = batch.framed_bytes_max() as u64;
        if !self.file.is_empty() && self.file.len() + framed > self.options.segment_bytes_max && !self.syncing
        {
            self.next_segment()?;
        }
        let start = self.file.len();
        self.out.clear();
        let mut records = 0;
        for (flags, record) in batch.packed() {
            let at = start + self.out.len() as u64;
            fragment::append(&mut self.out, at, record, flags);
            records += 1;
        }
        self.write_out(start)?;
        if keeps {
            batch.packed().for_each(|(flags, record)| self.kept.push(flags, record));
        }
        self.records += records;
        self.stats.commits += 1;
        self.published.advance(self.file.len());
        Ok(self.position())
    }

    /// Writes `out` at `start`, the end of the segment; on error the segment is cut back.
    fn write_out(&mut self, start: u64) -> Result<(), CommitError> {
        let Err(e) = self.file.write_all(&self.out) else {
            self.stats.bytes += self.out.len() as u64;
            return Ok(());
        };
        self.stats.failed_writes += 1;
        if self.file.set_len(start).is_err() {
            self.cut = Some(start);
        }
        Err(CommitError::Write { path: self.path(), offset: start, source: e.source })
    }

    /// Finishes what an earlier failure left undone.
    fn mend(&mut self) -> Result<(), CommitError> {
        if let Some(len) = self.cut {
            self.file.set_len(len).map_err(|source| CommitError::Mend { path: self.path(), source })?;
            self.cut = None;
        }
        if self.poisoned && !self.syncing {
            self.leave_poisoned()?;
        }
        Ok(())
    }

    /// Closes the segment and starts the next; returns its number. What was kept is durable afterwards.
    pub fn next_segment(&mut self) -> Result<u64, CommitError> {
        if self.syncing {
            return Err(CommitError::Syncing);
        }
        self.mend()?;
        let in_page = (self.file.len() % PAGE_BYTES as u64) as usize;
        if in_page > 0 {
            let start = self.file.len();
            self.out.clear();
            self.out.resize(PAGE_BYTES - in_page, 0);
            self.write_out(start)?;
        }
        if self.options.unsynced_bytes_max == 0 {
            let handle = self.file.sync_handle().map_err(|source| self.segment_error(self.index, source))?;
            self.closed.push(handle);
        } else if let Err(source) = self.sync() {
            // The segment was left, or will be: either way there is a next one.
            return if self.poisoned { Err(self.segment_error(self.index, source)) } else { Ok(self.index) };
        }
        let next = self.index + 1;
        let file =
            new_segment(&*self.fs, &self.dir, next).map_err(|source| self.segment_error(next, source))?;
        self.enter(file, next, self.records);
        Ok(next)
    }

    fn enter(&mut self, file: Box<dyn WriteFile>, index: u64, first_record: u64) {
        self.file = file;
        self.index = index;
        self.synced = 0;
        self.published.start(index, first_record);
    }

    fn segment_error(&self, index: u64, source: io::Error) -> CommitError {
        CommitError::Segment { path: segment_path(&self.dir, index), source }
    }

    /// Makes everything committed durable. On error the segment is left, and what is kept is written again into the
    /// next one: then this call has failed, yet a later one covers it.
    pub fn sync(&mut self) -> io::Result<()> {
        match self.begin_sync()? {
            Some(ticket) => {
                let result = ticket.run();
                self.end_sync(ticket, result)
            }
            None => Ok(()),
        }
    }

    /// The first half of a sync; `None` when there is nothing to sync, or one is on its way.
    pub fn begin_sync(&mut self) -> io::Result<Option<SyncTicket>> {
        if self.poisoned && !self.syncing {
            self.leave_poisoned().map_err(|e| io::Error::other(e.to_string()))?;
        }
        let nothing = self.file.len() == self.synced && self.closed.is_empty();
        if nothing || self.syncing || self.poisoned {
            return Ok(None);
        }
        let handle = self.file.sync_handle()?;
        self.syncing = true;
        Ok(Some(SyncTicket {
            handle,
            closed: std::mem::take(&mut self.closed),
            segment: self.index,
            offset: self.cut.unwrap_or(self.file.len()),
            kept_records: self.kept.records.len(),
        }))
    }

    /// The second half of a sync: `result` is what [`SyncTicket::run`] said, and is returned.
    pub fn end_sync(&mut self, ticket: SyncTicket, result: io::Result<()>) -> io::Result<()> {
        self.syncing = false;
        match result {
            Ok(()) => {
                self.synced = ticket.offset;
                self.kept.forget(ticket.kept_records);
                Ok(())
            }
            Err(e) => {
                self.stats.failed_syncs += 1;
                self.poisoned = true;
                // When this fails too, every commit and sync tries it again.
                let _ = self.leave_poisoned();
                Err(e)
            }
        }
    }

    /// Leaves a segment whose sync failed. What no sync covered is kept in memory: it is written and synced under a name
    /// of its own, then the old segment is cut, then the new one gets its name. A kill at any point loses nothing;
    /// [`finish_leaving`] does what was left.
    fn leave_poisoned(&mut self) -> Result<(), CommitError> {
        let next = self.index + 1;
        let tmp = leaving_path(&self.dir, next, self.synced);
        let new = match self.leaving.take() {
            Some(new) => new,
            None => self.rewrite_kept(&tmp).map_err(|source| {
                // Best effort; the next try, and the next start, remove it too.
                let _ = self.fs.remove_file(&tmp);
                self.segment_error(next, source)
            })?,
        };
        if let Err(e) = self.swap(&tmp, next) {
            self.leaving = Some(new);
            return Err(e);
        }
        let first_record = self.records - self.kept.records.len() as u64;
        self.stats.abandoned_segments += 1;
        self.stats.rewritten_records += self.kept.records.len() as u64;
        self.enter(new, next, first_record);
        self.poisoned = false;
        self.kept.forget(self.kept.records.len());
        self.synced = self.file.len();
        self.published.advance(self.file.len());
        Ok(())
    }

    fn rewrite_kept(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let mut file = self.fs.create(path)?;
        let mut out = Vec::new();
        for (flags, record) in self.kept.iter() {
            let start = file.len() + out.len() as u64;
            fragment::append(&mut out, start, record, flags);
        }
        file.write_all(&out)?;
        file.sync_data()?;
        Ok(file)
    }

    fn swap(&mut self, tmp: &Path, next: u64) -> Result<(), CommitError> {
        if self.options.unsynced_bytes_max > 0 {
            self.file
                .set_len(self.synced)
                .map_err(|source| CommitError::Mend { path: self.path(), source })?;
            self.cut = None;
            self.published.advance(self.synced);
            // Best effort, on a disk that just refused: without it a power cut might bring the cut bytes back.
            let _ = self.file.sync_data();
        }
        let path = segment_path(&self.dir, next);
        self.fs.rename(tmp, &path).map_err(|source| self.segment_error(next, source))?;
        self.fs.sync_dir(&self.dir).map_err(|source| self.segment_error(next, source))
    }

    /// Removes segments below `index`, which a checkpoint covers.
    pub fn truncate_before(&mut self, index: u64) -> Result<(), Error> {
        crate::checkpoint::truncate_before(&*self.fs, &self.dir, index.min(self.index))?;
        self.published.forget_before(index.min(self.index));
        Ok(())
    }

    /// Syncs, for a clean stop. The last page stays short, as after every commit.
    pub fn close(mut self) -> io::Result<()> {
        self.mend().map_err(|e| io::Error::other(e.to_string()))?;
        self.sync()
    }

    /// The end of the log.
    pub fn position(&self) -> Position {
        Position { segment: self.index, offset: self.cut.unwrap_or(self.file.len()) }
    }

    pub fn segment(&self) -> u64 {
        self.index
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Packed bytes that wait for a sync.
    pub fn unsynced_bytes(&self) -> usize {
        self.kept.packed.len()
    }

    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// For followers.
    pub fn published(&self) -> Arc<Published> {
        self.published.clone()
    }

    fn path(&self) -> PathBuf {
        segment_path(&self.dir, self.index)
    }
}

fn new_segment(fs: &dyn Fs, dir: &Path, index: u64) -> io::Result<Box<dyn WriteFile>> {
    let file = fs.create(&segment_path(dir, index))?;
    fs.sync_dir(dir)?;
    Ok(file)
}

/// The name of a segment while the one before it, good up to `synced`, is being left.
fn leaving_path(dir: &Path, index: u64, synced: u64) -> PathBuf {
    dir.join(format!("{index:08}.tmp-{synced}"))
}

/// Finishes what [`Writer::leave_poisoned`] had begun when the process died: if the old segment was cut already, the new
/// one gets its name; otherwise it holds nothing the old one does not.
fn finish_leaving(fs: &dyn Fs, dir: &Path) -> Result<(), Error> {
    let entries = fs.read_dir(dir).map_err(|e| Error::io("list log directory", dir, e))?;
    for name in entries.into_iter().map(|e| e.name) {
        let Some((index, synced)) = name.split_once(".tmp-") else { continue };
        let (Ok(index), Ok(synced)) = (index.parse::<u64>(), synced.parse::<u64>()) else { continue };
        let tmp = dir.join(&name);
        let old_len =
            index.checked_sub(1).and_then(|i| fs.metadata(&segment_path(dir, i)).ok()).map(|m| m.len);
        let path = segment_path(dir, index);
        let result = if old_len.is_some_and(|len| len <= synced) && !fs.exists(&path) {
            fs.rename(&tmp, &path)
        } else {
            fs.remove_file(&tmp)
        };
        result.and_then(|()| fs.sync_dir(dir)).map_err(|e| Error::io("finish log segment", tmp, e))?;
    }
    Ok(())
}
