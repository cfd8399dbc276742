//! Follows a writer: every record once, as soon as its commit is whole.

use std::path::PathBuf;
use std::sync::Arc;

use env::Fs;

use crate::error::Error;
use crate::published::Published;
use crate::segment_reader::{Record, SegmentReader};
use crate::segments::segment_path;

/// Reads what a writer has published, without ever running ahead of it.
#[derive(Debug)]
pub struct Tail {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    published: Arc<Published>,
    /// The segment to read, or the first there is behind it.
    segment: u64,
    reader: Option<SegmentReader>,
    /// Number of the next record of `reader`, and of the next one to hand out.
    at_record: u64,
    next_record: u64,
    missed: u64,
}

impl Tail {
    /// Starts at the first record of the writer's that is still there.
    pub fn new(fs: Arc<dyn Fs>, dir: impl Into<PathBuf>, published: Arc<Published>) -> Tail {
        Tail {
            fs,
            dir: dir.into(),
            published,
            segment: 0,
            reader: None,
            at_record: 0,
            next_record: 0,
            missed: 0,
        }
    }

    /// The next record, or `None` when there is none yet.
    #[allow(clippy::should_implement_trait, reason = "the record borrows the tail")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        loop {
            let Some(state) = self.published.at_or_after(self.segment) else { return Ok(None) };
            if self.reader.is_none() || state.index != self.segment {
                let path = segment_path(&self.dir, state.index);
                self.reader = Some(SegmentReader::open(&*self.fs, &path, state.index)?);
                self.segment = state.index;
                self.at_record = state.first_record;
                if state.first_record > self.next_record {
                    self.missed += state.first_record - self.next_record;
                    self.next_record = state.first_record;
                }
            }
            let reader = self.reader.as_mut().expect("it was just opened");
            reader.set_end(state.end);
            if reader.step()? {
                self.at_record += 1;
                // Smaller when a segment was given up: its last records come again in the next.
                if self.at_record > self.next_record {
                    self.next_record = self.at_record;
                    break;
                }
            } else if state.closed {
                self.reader = None;
                self.segment += 1;
            } else {
                return Ok(None);
            }
        }
        Ok(self.reader.as_ref().and_then(SegmentReader::current))
    }

    /// Records that were gone before this tail could read them: their segments were removed.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}
