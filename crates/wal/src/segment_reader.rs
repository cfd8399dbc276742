//! The records of one segment, past any damage.
//!
//! Invariants
//! * A record is handed out only when the checksums of all its fragments held and they followed each other.
//! * Damage costs the record it hits. The next is searched at every byte of the page behind the bad fragment, then at
//!   the start of the next page.

use std::path::{Path, PathBuf};

use env::{Fs, ReadFile};

use crate::damage::{Damage, DamageKind, DamageReport};
use crate::error::Error;
use crate::fragment::{self, Found, HEADER_BYTES, Kind, PAGE_BYTES, SNAPPY, ZSTD};
use crate::record;

/// Bytes read at once: whole pages.
const READ_BYTES: usize = 1 << 20;
/// A record that claims to decompress to more is damaged. Writers of this crate stay far below.
const RECORD_BYTES_MAX: usize = 1 << 30;

/// A record, decompressed; its first byte is its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub bytes: &'a [u8],
    /// Number of the segment, as given to the reader.
    pub segment: u64,
    /// Where its first fragment begins.
    pub offset: u64,
}

/// Reads one segment front to back.
pub struct SegmentReader {
    file: Box<dyn ReadFile>,
    path: PathBuf,
    segment: u64,
    /// The file is read up to here; grows when a writer is followed.
    end: u64,
    /// The next fragment.
    offset: u64,
    pages: Vec<u8>,
    pages_start: u64,
    /// Fragments of the record being put together.
    parts: Vec<u8>,
    pending: Option<Pending>,
    /// After damage: fragments that continue an unknown record are skipped without another word.
    recovering: bool,
    snappy: snap::raw::Decoder,
    record: Vec<u8>,
    found: Option<(u64, Whole)>,
    last_record_end: u64,
    damage: DamageReport,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    start: u64,
    /// The next fragment has to begin here.
    next: u64,
    suspect: bool,
}

/// Where the bytes of a record are.
enum Whole {
    Plain { start: usize, len: usize },
    Parts,
    Decompressed,
}

impl std::fmt::Debug for SegmentReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut s = f.debug_struct("SegmentReader");
        s.field("path", &self.path)
            .field("offset", &self.offset)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl SegmentReader {
    /// Opens a segment file; `segment` is the number its records will carry.
    pub fn open(fs: &dyn Fs, path: &Path, segment: u64) -> Result<SegmentReader, Error> {
        let file = fs.open(path).map_err(|e| Error::io("open log segment", path, e))?;
        let end = file.len().map_err(|e| Error::io("read log segment", path, e))?;
        Ok(SegmentReader {
            file,
            path: path.to_owned(),
            segment,
            end,
            offset: 0,
            pages: Vec::new(),
            pages_start: 0,
            parts: Vec::new(),
            pending: None,
            recovering: false,
            snappy: snap::raw::Decoder::new(),
            record: Vec::new(),
            found: None,
            last_record_end: 0,
            damage: DamageReport::default(),
        })
    }

    /// The next record, or `None` at the end. Damage is no error: it is skipped, and told by
    /// [`damage`](SegmentReader::damage).
    #[allow(clippy::should_implement_trait, reason = "the record borrows the reader")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        self.step()?;
        Ok(self.current())
    }

    /// Goes to the next record; `false` at the end.
    pub(crate) fn step(&mut self) -> Result<bool, Error> {
        self.found = self.advance()?;
        Ok(self.found.is_some())
    }

    /// The record `step` went to.
    pub(crate) fn current(&self) -> Option<Record<'_>> {
        let (offset, whole) = self.found.as_ref()?;
        let bytes = match whole {
            Whole::Plain { start, len } => &self.pages[*start..start + len],
            Whole::Parts => &self.parts[..],
            Whole::Decompressed => &self.record[..],
        };
        Some(Record { bytes, segment: self.segment, offset: *offset })
    }

    pub fn damage(&self) -> &DamageReport {
        &self.damage
    }

    /// The file is read up to here.
    pub(crate) fn set_end(&mut self, end: u64) {
        self.end = end;
    }

    /// Where the last record ends that could be read.
    pub(crate) fn last_record_end(&self) -> u64 {
        self.last_record_end
    }

    /// Bytes read so far, for progress.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn advance(&mut self) -> Result<Option<(u64, Whole)>, Error> {
        loop {
            if self.offset >= self.end {
                if let Some(pending) = self.pending.take() {
                    self.report(pending.start, DamageKind::Torn);
                }
                return Ok(None);
            }
            let page_start = self.offset / PAGE_BYTES as u64 * PAGE_BYTES as u64;
            match self.load(page_start)? {
                Load::Ready => {}
                Load::Refused => {
                    self.lose(self.offset, DamageKind::Unreadable);
                    self.offset = page_start + PAGE_BYTES as u64;
                    continue;
                }
                Load::Shorter => continue,
            }
            let start = (self.offset - self.pages_start) as usize;
            let room = PAGE_BYTES - (self.offset - page_start) as usize;
            let len = room.min((self.end - self.offset) as usize);
            let bytes = &self.pages[start..start + len];
            match fragment::parse(bytes, room) {
                Found::Fragment { kind, flags, data } => {
                    let len = data.len();
                    if let Some(whole) = self.fragment(kind, flags, start + HEADER_BYTES, len, room) {
                        return Ok(Some(whole));
                    }
                }
                Found::Padding => self.padding(start, len, room),
                Found::Short if len == room => self.resync(DamageKind::Padding, start, len, room, 1),
                Found::Short => {
                    let kind = DamageKind::Torn;
                    self.resync(kind, start, len, room, 1);
                }
                Found::BadType { found, skip } => {
                    self.resync(DamageKind::Type { found }, start, len, room, skip)
                }
                Found::BadLength { found } => {
                    let room_for_data = room - HEADER_BYTES;
                    self.resync(DamageKind::Length { found, room: room_for_data }, start, len, room, 1);
                }
                Found::BadChecksum { stored, computed } => {
                    self.resync(DamageKind::Checksum { stored, computed }, start, len, room, 1);
                }
            }
        }
    }

    /// Takes one fragment that can be believed; gives the record if it completes one.
    fn fragment(
        &mut self,
        kind: Kind,
        flags: u8,
        data: usize,
        len: usize,
        room: usize,
    ) -> Option<(u64, Whole)> {
        let here = self.offset;
        self.offset += (HEADER_BYTES + len) as u64;
        let expected = self.pending.is_some_and(|p| p.next == here);
        match kind {
            Kind::Whole | Kind::First => {
                // A middle fragment fills its page. Where one is expected and this fills the page, its type may be
                // what was damaged; then only decompression tells.
                let suspect = expected && room == PAGE_BYTES && HEADER_BYTES + len == PAGE_BYTES;
                if let Some(pending) = self.pending.take() {
                    self.report(pending.start, DamageKind::Sequence);
                }
                self.recovering = false;
                if kind == Kind::Whole {
                    return self.finish(here, flags, suspect, Some((data, len)));
                }
                self.parts.clear();
                self.parts.extend_from_slice(&self.pages[data..data + len]);
                self.pending = Some(Pending { start: here, next: self.offset, suspect });
                None
            }
            Kind::Middle | Kind::Last => {
                let Some(pending) = &mut self.pending else {
                    if !self.recovering {
                        self.report(here, DamageKind::Sequence);
                        self.recovering = true;
                    }
                    return None;
                };
                pending.next = self.offset;
                self.parts.extend_from_slice(&self.pages[data..data + len]);
                if kind == Kind::Middle {
                    return None;
                }
                let pending = self.pending.take().expect("it was there a moment ago");
                self.finish(pending.start, flags, pending.suspect, None)
            }
        }
    }

    /// All fragments are there: decompresses. `plain` is where a record of one fragment lies in `pages`.
    fn finish(
        &mut self,
        start: u64,
        flags: u8,
        suspect: bool,
        plain: Option<(usize, usize)>,
    ) -> Option<(u64, Whole)> {
        let packed = match plain {
            Some((at, len)) => &self.pages[at..at + len],
            None => &self.parts[..],
        };
        let whole = if flags & SNAPPY != 0 {
            if !decompress(&mut self.snappy, packed, &mut self.record) {
                self.report(start, DamageKind::Compression);
                return None;
            }
            Whole::Decompressed
        } else if flags & ZSTD != 0 {
            self.report(start, DamageKind::NotSupported("zstd"));
            // The bytes are good, only not for this program: nobody may cut them.
            self.last_record_end = self.offset;
            return None;
        } else if suspect {
            self.report(start, DamageKind::Sequence);
            return None;
        } else {
            match plain {
                Some((start, len)) => Whole::Plain { start, len },
                None => Whole::Parts,
            }
        };
        self.last_record_end = self.offset;
        Some((start, whole))
    }

    /// A zero where a fragment should be: the rest of the page is empty, if it is.
    fn padding(&mut self, start: usize, len: usize, room: usize) {
        let zeros = self.pages[start..start + len].iter().all(|&b| b == 0);
        let page_is_empty = room == PAGE_BYTES && self.offset + (room as u64) < self.end;
        if !zeros {
            self.resync(DamageKind::Padding, start, len, room, 1);
        } else {
            if page_is_empty {
                self.lose(self.offset, DamageKind::Padding);
            }
            self.offset += len as u64;
        }
    }

    /// After damage at `start`: goes to the next fragment that can be believed, at least `skip` bytes on.
    fn resync(&mut self, kind: DamageKind, start: usize, len: usize, room: usize, skip: usize) {
        self.lose(self.offset, kind);
        // Only whole pages and the last bytes of the file are searched, so `room` ends the page.
        let rest = &self.pages[start + skip.min(len)..start + len];
        let (snappy, scratch) = (&mut self.snappy, &mut self.record);
        let is_believed = |flags: u8, data: &[u8]| match flags {
            0 => record::is_sound(data),
            SNAPPY => decompress(snappy, data, scratch) && record::is_sound(scratch),
            _ => false,
        };
        match fragment::search(rest, is_believed) {
            Some(at) => self.offset += (skip + at) as u64,
            None => self.offset += room as u64,
        }
        self.offset = self.offset.min(self.end);
    }

    fn lose(&mut self, offset: u64, kind: DamageKind) {
        let lost_start = self.pending.take().map(|p| p.start);
        self.recovering = true;
        self.report(lost_start.map_or(offset, |start| start.min(offset)), kind);
    }

    fn report(&mut self, offset: u64, kind: DamageKind) {
        self.damage.add(Damage { path: self.path.clone(), offset, kind });
    }

    /// Brings the page at `page_start` into memory.
    fn load(&mut self, page_start: u64) -> Result<Load, Error> {
        let wanted_end = (page_start + PAGE_BYTES as u64).min(self.end);
        let loaded_end = self.pages_start + self.pages.len() as u64;
        if page_start >= self.pages_start && wanted_end <= loaded_end {
            return Ok(Load::Ready);
        }
        self.pages_start = page_start;
        // One bad sector should not cost the megabyte around it: then the page alone.
        for len in [READ_BYTES.min((self.end - page_start) as usize), (wanted_end - page_start) as usize] {
            self.pages.resize(len, 0);
            if self.file.read_exact_at(page_start, &mut self.pages).is_ok() {
                return Ok(Load::Ready);
            }
        }
        self.pages.clear();
        let len = self.file.len().map_err(|e| Error::io("read log segment", &self.path, e))?;
        if len < self.end {
            // A writer cut it back after a failed sync.
            self.end = len;
            return Ok(Load::Shorter);
        }
        Ok(Load::Refused)
    }
}

/// Replaces `out` with the content of `packed`; `false` when it cannot be one.
fn decompress(snappy: &mut snap::raw::Decoder, packed: &[u8], out: &mut Vec<u8>) -> bool {
    let len = snap::raw::decompress_len(packed).unwrap_or(usize::MAX);
    // Snappy's densest element makes 64 bytes of 3.
    if len > RECORD_BYTES_MAX || len / 64 > packed.len() {
        return false;
    }
    out.resize(len, 0);
    snappy.decompress(packed, out).is_ok()
}

enum Load {
    Ready,
    /// The disk does not give the page back.
    Refused,
    /// The file ends earlier than it did.
    Shorter,
}
