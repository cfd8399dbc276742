//! Reading chunks: runs of neighbours in one read.

use std::path::{Path, PathBuf};

use chunk::Encoding;
use codec::{Cursor, crc};
use env::{Fs, ReadFile};

use super::{DIR, HEADER_LEN, MAGIC, VERSION, segment_name, unpack};
use crate::Error;

/// Neighbours no further apart than this are fetched together.
const GAP_LEN_MAX: u64 = 32 << 10;
/// No read is longer, but for a single chunk that is.
const READ_LEN_MAX: u64 = 256 << 10;
/// What is read behind the start of the last chunk of a run: its length stands only in the file, and a float chunk
/// stays below it.
const CHUNK_LEN_GUESS: u64 = 1100;
/// Nothing Prometheus writes comes near.
const CHUNK_LEN_MAX: u64 = 64 << 20;
/// A block has a segment per 512 MiB.
const SEGMENTS_MAX: usize = 1 << 20;

/// The segments of a block, open.
#[derive(Debug)]
pub(crate) struct Segments {
    files: Vec<(PathBuf, Box<dyn ReadFile>, u64)>,
}

impl Segments {
    pub fn open(fs: &dyn Fs, block_dir: &Path) -> Result<Segments, Error> {
        let dir = block_dir.join(DIR);
        let mut files = Vec::new();
        let entries = fs.read_dir(&dir).map_err(Error::io(&dir))?;
        let numbered = entries.iter().filter(|e| !e.is_dir && e.name.parse::<u64>().is_ok());
        for (n, entry) in numbered.take(SEGMENTS_MAX).enumerate() {
            let path = dir.join(&entry.name);
            if entry.name != segment_name(n) {
                let what = format!("segment {} is missing before it", segment_name(n));
                return Err(Error::corrupt(&path, 0, what));
            }
            let file = fs.open(&path).map_err(Error::io(&path))?;
            let len = file.len().map_err(Error::io(&path))?;
            let mut header = [0; HEADER_LEN as usize];
            file.read_exact_at(0, &mut header).map_err(Error::io(&path))?;
            let magic = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
            if magic != MAGIC {
                return Err(Error::corrupt(
                    &path,
                    0,
                    format_args!("magic {magic:#010x}, want {MAGIC:#010x}"),
                ));
            }
            if header[4] != VERSION {
                return Err(Error::NotSupported {
                    path,
                    name: format!("chunk segment version {}", header[4]),
                });
            }
            files.push((path, file, len));
        }
        Ok(Segments { files })
    }

    /// Bytes of all segments.
    pub fn len(&self) -> u64 {
        self.files.iter().map(|f| f.2).sum()
    }

    /// A chunk that could not be decoded, with its place.
    pub fn chunk_error(&self, reference: u64, error: chunk::Error) -> Error {
        match self.segment(reference) {
            Ok((path, ..)) => Error::chunk(path, unpack(reference).1, error),
            Err(e) => e,
        }
    }

    fn segment(&self, reference: u64) -> Result<&(PathBuf, Box<dyn ReadFile>, u64), Error> {
        let (segment, offset) = unpack(reference);
        self.files.get(segment).ok_or_else(|| {
            let last = self.files.last().map_or(PathBuf::new(), |f| f.0.clone());
            Error::corrupt(
                &last,
                offset,
                format!("the index names segment {segment}, there are {}", self.files.len()),
            )
        })
    }
}

/// Gives chunks by reference out of a buffer that is filled run by run.
#[derive(Debug, Default)]
pub(crate) struct ChunkBuffer {
    bytes: Vec<u8>,
    segment: usize,
    /// Offset of the first byte in the segment.
    start: u64,
}

impl ChunkBuffer {
    /// The encoding and data of the first chunk of `references`; the following ones say what else will be asked for
    /// next, so that neighbours come with one read. The checksum was verified.
    pub fn chunk<'a>(
        &'a mut self,
        segments: &Segments,
        references: impl Iterator<Item = u64>,
    ) -> Result<(Encoding, &'a [u8]), Error> {
        let mut references = references.peekable();
        let &reference = references.peek().expect("BUG: a chunk is asked for without a reference");
        let (path, file, file_len) = segments.segment(reference)?;
        let (segment, offset) = unpack(reference);
        if offset < HEADER_LEN || offset >= *file_len {
            return Err(Error::corrupt(
                path,
                offset,
                format_args!("the index names a chunk here; the file has {file_len} bytes"),
            ));
        }
        let held = segment == self.segment && offset >= self.start && offset < self.end();
        if !held || self.frame(offset).is_none() {
            let end = run_end(segment, offset, references).min(*file_len);
            self.fill(path, &**file, segment, offset, end)?;
            if self.frame(offset).is_none() {
                // The guess was too short for this chunk: now its length is known.
                let len = self.declared_len(path, offset)?;
                let end = offset.saturating_add(len);
                if len > CHUNK_LEN_MAX || end > *file_len {
                    let what = format_args!(
                        "chunk of {len} bytes; the file has {file_len}, at most {CHUNK_LEN_MAX} are read"
                    );
                    return Err(Error::corrupt(path, offset, what));
                }
                self.fill(path, &**file, segment, offset, end)?;
            }
        }
        let frame = self.frame(offset).expect("the whole chunk was read");
        let (body, sum) = frame.split_last_chunk::<4>().expect("a frame holds its checksum");
        let (want, got) = (u32::from_be_bytes(*sum), crc::checksum(body));
        if want != got {
            return Err(Error::corrupt(
                path,
                offset,
                format_args!("chunk checksum {got:08x}, want {want:08x}"),
            ));
        }
        let encoding = Encoding::from_byte(body[0]).map_err(|e| Error::chunk(path, offset, e))?;
        Ok((encoding, &body[1..]))
    }

    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Encoding byte, data and checksum of the chunk at `offset`, if the buffer has all of it.
    fn frame(&self, offset: u64) -> Option<&[u8]> {
        let bytes = self.bytes.get(usize::try_from(offset.checked_sub(self.start)?).ok()?..)?;
        let mut cursor = Cursor::new(bytes);
        let len = usize::try_from(cursor.uvarint().ok()?).ok()?;
        cursor.bytes(len.checked_add(5)?).ok()
    }

    /// Bytes of the whole chunk whose beginning is in the buffer.
    fn declared_len(&self, path: &Path, offset: u64) -> Result<u64, Error> {
        let mut cursor = Cursor::at(&self.bytes, (offset - self.start) as usize);
        let before = cursor.offset();
        let len = cursor.uvarint().map_err(|e| Error::corrupt(path, offset, e))?;
        Ok(len.saturating_add((cursor.offset() - before) as u64 + 5))
    }

    fn fill(
        &mut self,
        path: &Path,
        file: &dyn ReadFile,
        segment: usize,
        start: u64,
        end: u64,
    ) -> Result<(), Error> {
        self.bytes.resize((end - start) as usize, 0);
        (self.segment, self.start) = (segment, start);
        file.read_exact_at(start, &mut self.bytes).map_err(|e| {
            self.bytes.clear();
            Error::io(path)(e)
        })
    }
}

/// How far to read: behind the last of the chunks that follow closely and upwards.
fn run_end(segment: usize, start: u64, references: impl Iterator<Item = u64>) -> u64 {
    let mut last = start;
    for reference in references {
        let (next_segment, next) = unpack(reference);
        if next_segment != segment || next < last || next - last > GAP_LEN_MAX {
            break;
        }
        if next + CHUNK_LEN_GUESS - start > READ_LEN_MAX {
            break;
        }
        last = next;
    }
    last + CHUNK_LEN_GUESS
}
