//! A block, open for reading.

use std::path::{Path, PathBuf};

use env::Fs;
use model::{Matcher, TimeRange};

use crate::chunks::read::Segments;
use crate::index::read::IndexReader;
use crate::meta::META_FILE;
use crate::scan::Scan;
use crate::tombstones::TOMBSTONES_FILE;
use crate::{BlockMeta, Error, Symbols, Tombstones};

/// An open block. In memory are its symbols, a sample of its postings table and its tombstones; everything else is
/// read from the files when it is asked for. Handles outlive the removal of the folder.
#[derive(Debug)]
pub struct Block {
    dir: PathBuf,
    meta: BlockMeta,
    pub(crate) index: IndexReader,
    pub(crate) segments: Segments,
    pub(crate) tombstones: Tombstones,
    len: u64,
}

impl Block {
    /// Opens the block in `dir` and verifies what stays in memory.
    pub fn open(fs: &dyn Fs, dir: &Path) -> Result<Block, Error> {
        let meta = BlockMeta::read(fs, dir)?;
        let index = IndexReader::open(fs, dir)?;
        let segments = Segments::open(fs, dir)?;
        let tombstones = Tombstones::read(fs, dir)?;
        let mut len = index.len() + segments.len();
        for name in [META_FILE, TOMBSTONES_FILE] {
            len += fs.metadata(&dir.join(name)).map_or(0, |m| m.len);
        }
        Ok(Block { dir: dir.to_path_buf(), meta, index, segments, tombstones, len })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn meta(&self) -> &BlockMeta {
        &self.meta
    }

    /// Bytes of its files.
    pub fn size_bytes(&self) -> u64 {
        self.len
    }

    /// The times of its samples, both ends inclusive.
    pub fn range(&self) -> TimeRange {
        TimeRange::new(self.meta.min_time, self.meta.max_time.saturating_sub(1))
    }

    /// Label names and values that occur.
    pub fn symbols(&self) -> &Symbols {
        self.index.symbols()
    }

    pub fn tombstones(&self) -> &Tombstones {
        &self.tombstones
    }

    /// The series that all matchers accept, in order of their labels, with the chunks as they stand in the files.
    pub fn scan(&self, matchers: &[Matcher]) -> Result<Scan<'_>, Error> {
        Scan::new(self, crate::matching::series_ids(&self.index, matchers)?)
    }

    /// Marks the samples of the matching series inside `range` as deleted and writes the tombstones file. Returns
    /// how many series have samples there.
    pub fn delete(&mut self, fs: &dyn Fs, range: TimeRange, matchers: &[Matcher]) -> Result<u64, Error> {
        let mut tombstones = self.tombstones.clone();
        let mut touched = 0;
        let mut scan = self.scan(matchers)?;
        while scan.advance()? {
            let (Some(first), Some(last)) = (scan.chunks().first(), scan.chunks().last()) else { continue };
            let stretch = range.intersect(TimeRange::new(first.mint, last.maxt));
            if !stretch.is_empty() {
                tombstones.add(scan.id(), stretch);
                touched += 1;
            }
        }
        tombstones.write(fs, &self.dir)?;
        self.meta.stats.num_tombstones = tombstones.count();
        self.meta.write(fs, &self.dir)?;
        self.tombstones = tombstones;
        Ok(touched)
    }
}
