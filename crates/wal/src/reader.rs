//! The whole log, front to back: the newest checkpoint, then the segments behind it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::Fs;

use crate::damage::{Damage, DamageKind, DamageReport};
use crate::error::Error;
use crate::segment_reader::{Record, SegmentReader};
use crate::segments::{log_files, segment_path};

/// Reads segments one behind the other.
#[derive(Debug)]
pub struct Reader {
    fs: Arc<dyn Fs>,
    waiting: VecDeque<(PathBuf, u64)>,
    current: Option<SegmentReader>,
    damage: DamageReport,
}

impl Reader {
    /// The log in `dir`; an absent directory is an empty log.
    pub fn open(fs: Arc<dyn Fs>, dir: &Path) -> Result<Reader, Error> {
        let files = log_files(&*fs, dir)?;
        Ok(Reader::of_files(fs, files))
    }

    /// The given segments (file, number), in this order.
    pub fn of_files(fs: Arc<dyn Fs>, files: Vec<(PathBuf, u64)>) -> Reader {
        let mut damage = DamageReport::default();
        for pair in files.windows(2) {
            let ((before, a), (path, b)) = (&pair[0], &pair[1]);
            if before.parent() == path.parent() && *b > a + 1 {
                let kind = DamageKind::MissingSegments { from: a + 1, to: b - 1 };
                damage.add(Damage { path: path.clone(), offset: 0, kind });
            }
        }
        Reader { fs, waiting: files.into(), current: None, damage }
    }

    /// Segments `from..=to` of `dir`, without any checkpoint.
    pub fn of_range(fs: Arc<dyn Fs>, dir: &Path, from: u64, to: u64) -> Result<Reader, Error> {
        let found =
            crate::segments::list_segments(&*fs, dir)?.into_iter().filter(|i| (from..=to).contains(i));
        let files = found.map(|i| (segment_path(dir, i), i)).collect();
        Ok(Reader::of_files(fs, files))
    }

    /// The next record, or `None` at the end of the log. Damage is skipped and told by [`damage`](Reader::damage).
    #[allow(clippy::should_implement_trait, reason = "the record borrows the reader")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        loop {
            match &mut self.current {
                Some(reader) => {
                    if reader.step()? {
                        break;
                    }
                    self.damage.merge(reader.damage());
                    self.current = None;
                }
                None => {
                    let Some((path, index)) = self.waiting.pop_front() else { return Ok(None) };
                    self.current = Some(SegmentReader::open(&*self.fs, &path, index)?);
                }
            }
        }
        Ok(self.current.as_ref().and_then(SegmentReader::current))
    }

    /// What was found broken so far.
    pub fn damage(&self) -> DamageReport {
        let mut all = self.damage.clone();
        if let Some(reader) = &self.current {
            all.merge(reader.damage());
        }
        all
    }
}
