//! Reading a file by position through one bounded buffer.

use std::path::Path;

use env::ReadFile;

use crate::Error;

/// Read where nothing is known about what comes next.
const READ_LEN_MIN: usize = 4 << 10;
/// Read when one read follows the other.
const READ_LEN_MAX: usize = 256 << 10;
/// A read that begins this close behind the last one follows it.
const GAP_LEN_MAX: u64 = 32 << 10;

/// The part of a file that was read last. Reads grow while they follow each other closely, and are small again after a
/// jump: a walk over neighbours costs few reads, a single look-up little memory.
pub(crate) struct Window<'a> {
    path: &'a Path,
    file: &'a dyn ReadFile,
    file_len: u64,
    start: u64,
    bytes: Vec<u8>,
    ahead: usize,
}

impl<'a> Window<'a> {
    pub fn new(path: &'a Path, file: &'a dyn ReadFile, file_len: u64) -> Window<'a> {
        Window { path, file, file_len, start: 0, bytes: Vec::new(), ahead: READ_LEN_MIN }
    }

    /// `len` bytes from `offset`, or what the file has of them.
    pub fn up_to(&mut self, offset: u64, len: usize) -> Result<&[u8], Error> {
        let left = self.file_len.saturating_sub(offset);
        let len = usize::try_from(left).map_or(len, |left| left.min(len));
        let end = self.start + self.bytes.len() as u64;
        if offset < self.start || offset + len as u64 > end {
            let follows = offset >= self.start && offset <= end + GAP_LEN_MAX && !self.bytes.is_empty();
            self.ahead = if follows { (self.ahead * 2).min(READ_LEN_MAX) } else { READ_LEN_MIN };
            let read = usize::try_from(left).map_or(self.ahead, |left| left.min(self.ahead)).max(len);
            self.bytes.resize(read, 0);
            self.start = offset;
            if let Err(e) = self.file.read_exact_at(offset, &mut self.bytes) {
                self.bytes.clear();
                return Err(Error::io(self.path)(e));
            }
        }
        let at = (offset - self.start) as usize;
        Ok(&self.bytes[at..at + len])
    }

    /// Exactly `len` bytes from `offset`.
    pub fn exact(&mut self, offset: u64, len: u64) -> Result<&[u8], Error> {
        if offset.checked_add(len).is_none_or(|end| end > self.file_len) {
            let what = format_args!("{len} bytes are declared here; the file has {}", self.file_len);
            return Err(Error::corrupt(self.path, offset, what));
        }
        self.up_to(offset, len as usize)
    }
}
