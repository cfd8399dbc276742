//! `twin/series`: which labels a ref stands for, beside the log.
//!
//! A series record is written to the log once. When damage hits it, or when a start cannot wait for the whole log,
//! this file knows the labels all the same.
//!
//! Invariants
//! * A frame is here before its series record is in the log.
//! * The file changes under its name only by appending, or by a rename of a whole, synced one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use codec::crc;
use env::{Fs, ReadFile, SyncHandle, WriteFile};

use crate::batch::{Batch, Compression};
use crate::error::Error;
use crate::fragment::SNAPPY;
use crate::record::{SeriesDecoder, Type};

const MAGIC: &[u8; 8] = b"TWINSER1";
const HEADER_BYTES: usize = 9;
/// Bounds what a damaged length can make the reader check. A batch closes its series records at 1 MiB.
const FRAME_BYTES_MAX: usize = 4 << 20;
const READ_BYTES: usize = 1 << 20;
/// Frames gathered before they are written while pruning.
const FLUSH_BYTES: usize = 1 << 20;

/// Called with a ref and its labels (name, value), sorted by name.
pub type EachSeries<'e> = &'e mut dyn FnMut(u64, &[(&str, &str)]);

/// The open file.
#[derive(Debug)]
pub struct SeriesFile {
    fs: Arc<dyn Fs>,
    path: PathBuf,
    file: Box<dyn WriteFile>,
    out: Vec<u8>,
    /// A failed write left bytes behind this offset.
    cut: Option<u64>,
}

/// What loading found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeriesFileReport {
    /// There was no file, or none of this format: build it from the log.
    pub is_new: bool,
    /// Refs told; one told twice counts twice.
    pub series: u64,
    /// Places that could not be believed.
    pub damaged: u64,
    /// Bytes cut from the end.
    pub torn_bytes: u64,
}

impl SeriesFile {
    /// Reads the file, calling `each` with every ref and its labels, and opens it for appending. A file that is absent
    /// or of another format is begun anew (the latter is kept under `<name>.damaged`).
    pub fn load(
        fs: Arc<dyn Fs>,
        path: &Path,
        each: EachSeries<'_>,
    ) -> Result<(SeriesFile, SeriesFileReport), Error> {
        let mut report = SeriesFileReport::default();
        let mut end = 0;
        match Frames::open(&*fs, path) {
            Ok(Some(mut frames)) => {
                while let Some(record) = frames.next()? {
                    report.damaged += u64::from(!tell(record, &mut |series, labels| {
                        report.series += 1;
                        each(series, labels);
                    }));
                }
                report.damaged += frames.damaged;
                end = frames.good_end;
                report.torn_bytes = frames.len - end;
            }
            Ok(None) => {
                let aside = path.with_extension("damaged");
                fs.rename(path, &aside).map_err(|e| Error::io("set aside", path, e))?;
                report.is_new = true;
            }
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                report.is_new = true
            }
            Err(e) => return Err(e),
        }
        let file = if report.is_new { begin(&*fs, path) } else { go_on(&*fs, path, end) };
        let file = file.map_err(|e| Error::io("open series file", path, e))?;
        Ok((SeriesFile { fs, path: path.to_owned(), file, out: Vec::new(), cut: None }, report))
    }

    /// Appends the series of a batch; call it before the batch is committed to the log. On error nothing is added.
    pub fn append(&mut self, batch: &mut Batch) -> Result<(), Error> {
        batch.seal();
        self.out.clear();
        for (flags, record) in batch.packed_series() {
            frame(&mut self.out, flags, record).map_err(|e| self.failed(e))?;
        }
        self.write_out()
    }

    /// A handle with which another thread makes the frames durable.
    pub fn sync_handle(&self) -> Result<Box<dyn SyncHandle>, Error> {
        self.file.sync_handle().map_err(|e| self.failed(e))
    }

    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(|e| self.failed(e))
    }

    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        self.file.len()
    }

    /// Whether the file names no series.
    pub fn is_empty(&self) -> bool {
        self.file.len() <= MAGIC.len() as u64
    }

    /// Rewrites the file with the refs `keep` says yes to; returns how many were kept and dropped. On error the old
    /// file is still in use.
    pub fn prune(&mut self, keep: &mut dyn FnMut(u64) -> bool) -> Result<(u64, u64), Error> {
        let tmp = self.path.with_extension("tmp");
        let failed = |e| Error::io("write series file", &tmp, e);
        let mut pruned = begin(&*self.fs, &tmp).map_err(failed)?;
        let (mut kept, mut dropped) = (0, 0);
        if let Some(mut frames) = Frames::open(&*self.fs, &self.path)? {
            let mut batch = Batch::new(Compression::Snappy);
            let mut out = Vec::new();
            while let Some(record) = frames.next()? {
                tell(record, &mut |series, labels| {
                    if keep(series) {
                        kept += 1;
                        batch.add_series(series, labels.iter().copied());
                    } else {
                        dropped += 1;
                    }
                });
                if batch.bytes() >= FLUSH_BYTES {
                    write_frames(&mut *pruned, &mut batch, &mut out).map_err(failed)?;
                }
            }
            write_frames(&mut *pruned, &mut batch, &mut out).map_err(failed)?;
        }
        pruned.sync_data().map_err(failed)?;
        self.fs.rename(&tmp, &self.path).map_err(failed)?;
        if let Some(dir) = self.path.parent() {
            self.fs.sync_dir(dir).map_err(failed)?;
        }
        self.file = pruned;
        self.cut = None;
        Ok((kept, dropped))
    }

    fn write_out(&mut self) -> Result<(), Error> {
        if let Some(len) = self.cut {
            self.file.set_len(len).map_err(|e| self.failed(e))?;
            self.cut = None;
        }
        let start = self.file.len();
        if let Err(e) = self.file.write_all(&self.out) {
            if self.file.set_len(start).is_err() {
                self.cut = Some(start);
            }
            return Err(self.failed(e.source));
        }
        Ok(())
    }

    fn failed(&self, e: std::io::Error) -> Error {
        Error::io("write series file", &self.path, e)
    }
}

fn write_frames(file: &mut dyn WriteFile, batch: &mut Batch, out: &mut Vec<u8>) -> std::io::Result<()> {
    batch.seal();
    out.clear();
    for (flags, record) in batch.packed_series() {
        frame(out, flags, record)?;
    }
    batch.clear();
    Ok(file.write_all(out)?)
}

fn begin(fs: &dyn Fs, path: &Path) -> std::io::Result<Box<dyn WriteFile>> {
    if let Some(dir) = path.parent() {
        fs.create_dir_all(dir)?;
    }
    let mut file = fs.create(path)?;
    file.write_all(MAGIC)?;
    if let Some(dir) = path.parent() {
        fs.sync_dir(dir)?;
    }
    Ok(file)
}

fn go_on(fs: &dyn Fs, path: &Path, end: u64) -> std::io::Result<Box<dyn WriteFile>> {
    let mut file = fs.append(path)?;
    if file.len() > end {
        file.set_len(end)?;
    }
    Ok(file)
}

fn frame(out: &mut Vec<u8>, flags: u8, record: &[u8]) -> std::io::Result<()> {
    if record.len() > FRAME_BYTES_MAX {
        let message =
            format!("labels of one series take {} bytes, at most {FRAME_BYTES_MAX} are kept", record.len());
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, message));
    }
    out.push(Type::Series as u8 | flags);
    out.extend_from_slice(&(record.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc::checksum(record).to_be_bytes());
    out.extend_from_slice(record);
    Ok(())
}

/// Calls `each` with the series of a record; `false` when it could not be read to its end.
fn tell(record: &[u8], each: EachSeries<'_>) -> bool {
    let Ok(mut decoder) = SeriesDecoder::new(record) else { return false };
    let mut labels = Vec::new();
    loop {
        match decoder.next(&mut labels) {
            Ok(Some(series)) => each(series, &labels),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Reads frames past damage.
struct Frames {
    file: Box<dyn ReadFile>,
    path: PathBuf,
    len: u64,
    /// Bytes of the file from `start` on.
    buf: Vec<u8>,
    start: u64,
    at: usize,
    good_end: u64,
    in_damage: bool,
    damaged: u64,
    snappy: snap::raw::Decoder,
    record: Vec<u8>,
}

impl Frames {
    /// `None` when the file does not begin as this format does.
    fn open(fs: &dyn Fs, path: &Path) -> Result<Option<Frames>, Error> {
        let failed = |e| Error::io("read series file", path, e);
        let file = fs.open(path).map_err(failed)?;
        let len = file.len().map_err(failed)?;
        let mut magic = [0; MAGIC.len()];
        if len < magic.len() as u64 {
            return Ok(None);
        }
        file.read_exact_at(0, &mut magic).map_err(failed)?;
        if magic != *MAGIC {
            return Ok(None);
        }
        let start = magic.len() as u64;
        Ok(Some(Frames {
            file,
            path: path.to_owned(),
            len,
            buf: Vec::new(),
            start,
            at: 0,
            good_end: start,
            in_damage: false,
            damaged: 0,
            snappy: snap::raw::Decoder::new(),
            record: Vec::new(),
        }))
    }

    /// The next series record.
    fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        loop {
            if !self.fill(HEADER_BYTES)? {
                self.damaged += u64::from(self.position() < self.len && !self.in_damage);
                return Ok(None);
            }
            if let Some(len) = self.frame_here()? {
                self.at += HEADER_BYTES + len;
                self.good_end = self.position();
                self.in_damage = false;
                break;
            }
            self.damaged += u64::from(!self.in_damage);
            self.in_damage = true;
            self.at += 1;
        }
        Ok(Some(&self.record))
    }

    fn position(&self) -> u64 {
        self.start + self.at as u64
    }

    /// If a frame that can be believed stands here: its record goes to `record`, its length is returned.
    fn frame_here(&mut self) -> Result<Option<usize>, Error> {
        let header = &self.buf[self.at..self.at + HEADER_BYTES];
        let flags = header[0] & !(Type::Series as u8);
        let is_series = header[0] & Type::Series as u8 != 0 && (flags == 0 || flags == SNAPPY);
        let len = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
        let stored = u32::from_be_bytes([header[5], header[6], header[7], header[8]]);
        if !is_series || len == 0 || len > FRAME_BYTES_MAX || !self.fill(HEADER_BYTES + len)? {
            return Ok(None);
        }
        let packed = &self.buf[self.at + HEADER_BYTES..self.at + HEADER_BYTES + len];
        if crc::checksum(packed) != stored {
            return Ok(None);
        }
        self.record.clear();
        if flags == 0 {
            self.record.extend_from_slice(packed);
            return Ok(Some(len));
        }
        let whole = snap::raw::decompress_len(packed).unwrap_or(usize::MAX);
        // Snappy's densest element makes 64 bytes of 3.
        if whole / 64 > packed.len() {
            return Ok(None);
        }
        self.record.resize(whole, 0);
        Ok(self.snappy.decompress(packed, &mut self.record).is_ok().then_some(len))
    }

    /// Brings `count` bytes from here into memory; `false` when the file ends before.
    fn fill(&mut self, count: usize) -> Result<bool, Error> {
        if self.buf.len() - self.at >= count {
            return Ok(true);
        }
        if self.len - self.position() < count as u64 {
            return Ok(false);
        }
        self.buf.drain(..self.at);
        self.start += self.at as u64;
        self.at = 0;
        let have = self.buf.len();
        let want = (count.max(READ_BYTES) as u64).min(self.len - self.start) as usize;
        self.buf.resize(want, 0);
        self.file
            .read_exact_at(self.start + have as u64, &mut self.buf[have..])
            .map_err(|e| Error::io("read series file", &self.path, e))?;
        Ok(true)
    }
}
