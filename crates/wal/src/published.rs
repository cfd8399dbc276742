//! How far a writer has come, for those who follow it.

use std::sync::{Mutex, MutexGuard};

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub segment: u64,
    /// Bytes from the start of the segment.
    pub offset: u64,
}

/// Segments one writer has written, and how far each may be read. Shared by the writer and its followers.
///
/// Records are numbered from 0 as the writer commits them. When a segment is given up and its last records are written
/// again into the next, they keep their numbers: so a follower knows which of them it has seen.
#[derive(Debug, Default)]
pub struct Published {
    segments: Mutex<Vec<SegmentState>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentState {
    pub(crate) index: u64,
    /// Number of its first record.
    pub(crate) first_record: u64,
    /// Whole commits end here.
    pub(crate) end: u64,
    pub(crate) closed: bool,
}

impl Published {
    /// Everything before this place is committed and may be read.
    pub fn position(&self) -> Option<Position> {
        self.lock().last().map(|s| Position { segment: s.index, offset: s.end })
    }

    pub(crate) fn start(&self, index: u64, first_record: u64) {
        let mut segments = self.lock();
        if let Some(last) = segments.last_mut() {
            last.closed = true;
        }
        segments.push(SegmentState { index, first_record, end: 0, closed: false });
    }

    pub(crate) fn advance(&self, end: u64) {
        if let Some(last) = self.lock().last_mut() {
            last.end = end;
        }
    }

    /// Forgets segments below `index`, which were removed.
    pub(crate) fn forget_before(&self, index: u64) {
        self.lock().retain(|s| s.index >= index);
    }

    /// The first segment at or behind `index`.
    pub(crate) fn at_or_after(&self, index: u64) -> Option<SegmentState> {
        self.lock().iter().find(|s| s.index >= index).copied()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SegmentState>> {
        self.segments.lock().expect("no code panics while it holds this lock")
    }
}
