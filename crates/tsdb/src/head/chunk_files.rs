//! Full chunks of the head on disk: the `chunks_head` directory.
//!
//! Chunks are buffered and written in pieces of some 100 KiB; a chunk still in the buffer is read from there.
//! Losing the buffer in a crash loses nothing: the log has every sample of it.
//!
//! Invariants
//! * Files are numbered without gaps; only the newest is written to, and a start begins a new one.
//! * The chunks of one series lie in time order over all files.
//! * A chunk's place is fixed when it is put into the buffer, whatever the disk says later.
//!
//! Does not know: series, what is in a chunk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use codec::{Cursor, Put, crc};
use env::{Fs, ReadFile, WriteFile};
use storage::Error;

use super::stripe::ChunkSink;
use crate::error::io_error;

const MAGIC: u32 = 0x0130_BC91;
const VERSION: u8 = 1;
/// Magic, version, padding.
const HEADER_LEN: u64 = 8;
/// Series ref, mint, maxt, encoding.
const CHUNK_HEADER_LEN: usize = 8 + 8 + 8 + 1;
const CRC_LEN: usize = 4;
/// The highest bit of the encoding byte: the chunk holds out-of-order samples.
const OUT_OF_ORDER: u8 = 0x80;
/// A file is left when the next chunk would make it larger; Prometheus's limit.
const FILE_BYTES_MAX: u64 = 128 << 20;
/// The buffer is written when it holds so much.
const FLUSH_BYTES: usize = 128 << 10;
/// While the disk refuses writes the buffer may grow to this; then commits are refused.
const BUFFER_BYTES_MAX: usize = 64 << 20;
/// Largest data of one chunk that is believed.
const CHUNK_DATA_MAX: usize = 16 << 20;

/// One chunk as a file tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkHeader {
    pub series: u64,
    pub mint: i64,
    pub maxt: i64,
    pub encoding: u8,
    pub out_of_order: bool,
    pub num_samples: u16,
    pub file: u32,
    pub offset: u32,
}

/// Chunks that belong to files not completely written: (file number, bytes not yet in it).
struct Piece {
    file: u32,
    /// Where `bytes` begins in the file.
    start: u64,
    bytes: Vec<u8>,
}

struct State {
    /// The file being written, once there is one.
    current: Option<(u32, Box<dyn WriteFile>)>,
    next_file: u32,
    /// The next chunk begins a new file.
    leave_file: bool,
    /// What waits to be written, oldest file first; only the last grows.
    pieces: Vec<Piece>,
    chunks_written: u64,
    /// Why the last write failed.
    failed: Option<io::Error>,
}

impl State {
    fn waiting(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes.len()).sum()
    }
}

/// The directory.
pub struct ChunkFiles {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    state: Mutex<State>,
    files: RwLock<BTreeMap<u32, Arc<dyn ReadFile>>>,
}

impl ChunkFiles {
    /// Opens the directory, creating it when absent. Files there are only read.
    pub fn open(fs: Arc<dyn Fs>, dir: &Path) -> Result<ChunkFiles, Error> {
        fs.create_dir_all(dir).map_err(|e| io_error(dir, &e))?;
        let mut files: BTreeMap<u32, Arc<dyn ReadFile>> = BTreeMap::new();
        for number in list(&*fs, dir)? {
            let path = file_path(dir, number);
            files.insert(number, fs.open(&path).map_err(|e| io_error(&path, &e))?.into());
        }
        let next_file = files.last_key_value().map_or(1, |(last, _)| last + 1);
        let state = State {
            current: None,
            next_file,
            leave_file: false,
            pieces: Vec::new(),
            chunks_written: 0,
            failed: None,
        };
        Ok(ChunkFiles { fs, dir: dir.to_path_buf(), state: Mutex::new(state), files: RwLock::new(files) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    /// Fails while the disk refuses chunks and no more may be kept in memory.
    pub fn check_room(&self) -> Result<(), Error> {
        let state = self.state();
        if state.waiting() <= BUFFER_BYTES_MAX {
            return Ok(());
        }
        let what = match &state.failed {
            Some(e) => {
                format!("{e}; {} bytes of full chunks wait (limit {BUFFER_BYTES_MAX})", state.waiting())
            }
            None => format!("{} bytes of full chunks wait (limit {BUFFER_BYTES_MAX})", state.waiting()),
        };
        Err(Error::Io { place: self.dir.display().to_string(), what })
    }

    /// Writes the buffer if it has grown enough. On error the chunks stay in the buffer.
    pub fn flush_if_full(&self) -> Result<(), Error> {
        let mut state = self.state();
        if state.waiting() >= FLUSH_BYTES { self.flush_state(&mut state) } else { Ok(()) }
    }

    /// Writes the buffer. On error the chunks stay in the buffer.
    pub fn flush(&self) -> Result<(), Error> {
        self.flush_state(&mut self.state())
    }

    fn flush_state(&self, state: &mut State) -> Result<(), Error> {
        while let Some(piece) = state.pieces.first() {
            let number = piece.file;
            let path = file_path(&self.dir, number);
            let written = self.write_piece(state, &path);
            if let Err(e) = written {
                let error = io_error(&path, &e);
                state.failed = Some(e);
                return Err(error);
            }
            state.pieces.remove(0);
            state.failed = None;
        }
        Ok(())
    }

    fn write_piece(&self, state: &mut State, path: &Path) -> io::Result<()> {
        let State { current, pieces, .. } = state;
        let piece = &mut pieces[0];
        if current.as_ref().is_none_or(|(number, _)| *number != piece.file) {
            if let Some((_, left)) = current {
                // A file that is followed by another must be whole after a crash.
                left.sync_data()?;
                self.fs.sync_dir(&self.dir)?;
            }
            let mut file = self.fs.create(path)?;
            let mut header = Vec::with_capacity(HEADER_LEN as usize);
            header.put_u32(MAGIC);
            header.put_u8(VERSION);
            header.put_bytes(&[0; 3]);
            file.write_all(&header)?;
            let reader: Arc<dyn ReadFile> = self.fs.open(path)?.into();
            self.files.write().expect("no code panics while it holds this lock").insert(piece.file, reader);
            *current = Some((piece.file, file));
        }
        let (_, file) = current.as_mut().expect("it was just set");
        match file.write_all(&piece.bytes) {
            Ok(()) => Ok(()),
            Err(e) => {
                piece.bytes.drain(..e.written);
                piece.start += e.written as u64;
                Err(e.source)
            }
        }
    }

    /// Writes the buffer and makes everything durable.
    pub fn close(&self) -> Result<(), Error> {
        let mut state = self.state();
        self.flush_state(&mut state)?;
        if let Some((number, file)) = &state.current {
            file.sync_data().map_err(|e| io_error(&file_path(&self.dir, *number), &e))?;
            self.fs.sync_dir(&self.dir).map_err(|e| io_error(&self.dir, &e))?;
        }
        Ok(())
    }

    /// Reads chunks: `wanted` are (file, offset) in ascending order. `each` gets the position in `wanted`, the
    /// encoding and the chunk's data.
    pub fn read(
        &self,
        wanted: &[(u32, u32)],
        mut each: impl FnMut(usize, u8, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        /// Gaps up to this are read and thrown away.
        const GAP: u64 = 32 << 10;
        /// One read takes no more than this, unless a single chunk does.
        const READ: u64 = 256 << 10;
        /// What a chunk may take; longer ones are read again.
        const GUESS: u64 = 1200;
        let mut buffer = Vec::new();
        let mut at = 0;
        while let Some(&(file, first)) = wanted.get(at) {
            let mut end = u64::from(first) + GUESS;
            let mut count = 1;
            while let Some(&(next_file, offset)) = wanted.get(at + count) {
                let next_end = u64::from(offset) + GUESS;
                if next_file != file || u64::from(offset) > end + GAP || next_end > u64::from(first) + READ {
                    break;
                }
                end = next_end;
                count += 1;
            }
            self.load(file, u64::from(first), end, &mut buffer)?;
            for (k, &(_, offset)) in wanted[at..at + count].iter().enumerate() {
                let bytes = buffer.get((offset - first) as usize..).unwrap_or(&[]);
                match parse(bytes) {
                    Ok(chunk) => each(at + k, chunk.encoding, chunk.data)?,
                    Err(Unreadable::Short { len }) if (len as u64) > GUESS => {
                        let mut whole = Vec::new();
                        self.load(file, u64::from(offset), u64::from(offset) + len as u64, &mut whole)?;
                        let chunk = parse(&whole).map_err(|e| self.damaged(file, offset, e))?;
                        each(at + k, chunk.encoding, chunk.data)?;
                    }
                    Err(e) => return Err(self.damaged(file, offset, e)),
                }
            }
            at += count;
        }
        Ok(())
    }

    fn damaged(&self, file: u32, offset: u32, e: Unreadable) -> Error {
        let place = format!("{}: chunk at byte {offset}", file_path(&self.dir, file).display());
        Error::Corrupt { place, what: e.to_string() }
    }

    /// Bytes `start..end` of a file, fewer at its end.
    fn load(&self, file: u32, start: u64, end: u64, buffer: &mut Vec<u8>) -> Result<(), Error> {
        buffer.clear();
        let written_to = {
            let state = self.state();
            match state.pieces.iter().find(|piece| piece.file == file) {
                Some(piece) if end > piece.start => {
                    // Wholly or partly in the buffer.
                    let from = start.max(piece.start) - piece.start;
                    let to = (end - piece.start).min(piece.bytes.len() as u64);
                    buffer.extend_from_slice(piece.bytes.get(from as usize..to as usize).unwrap_or(&[]));
                    piece.start
                }
                _ => end,
            }
        };
        if start >= written_to {
            return Ok(());
        }
        let path = || file_path(&self.dir, file);
        let reader = self.files.read().expect("no code panics while it holds this lock").get(&file).cloned();
        let Some(reader) = reader else {
            return Err(Error::Corrupt {
                place: path().display().to_string(),
                what: "the file is not there".to_string(),
            });
        };
        let tail = std::mem::take(buffer);
        buffer.resize((end.min(written_to) - start) as usize, 0);
        let mut got = 0;
        while got < buffer.len() {
            match reader.read_at(start + got as u64, &mut buffer[got..]) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(io_error(&path(), &e)),
            }
        }
        buffer.truncate(got);
        buffer.extend_from_slice(&tail);
        Ok(())
    }

    /// Removes the files below `number`; the newest stays. On error the rest stays for the next time.
    pub fn remove_below(&self, number: u32) -> Result<(), Error> {
        let old: Vec<u32> = {
            let files = self.files.read().expect("no code panics while it holds this lock");
            let newest = files.last_key_value().map(|(number, _)| *number);
            files.keys().copied().filter(|&n| n < number && Some(n) != newest).collect()
        };
        for number in old {
            let path = file_path(&self.dir, number);
            self.fs.remove_file(&path).map_err(|e| io_error(&path, &e))?;
            self.files.write().expect("no code panics while it holds this lock").remove(&number);
        }
        Ok(())
    }

    /// Lets the next chunk begin a new file, so that files do not outlive what a truncation of the head left of them.
    pub fn leave_file(&self) {
        self.state().leave_file = true;
    }

    /// The number the next chunk's file will have at least.
    pub fn next_file(&self) -> u32 {
        let state = self.state();
        match state.pieces.last() {
            Some(piece) => piece.file,
            None => state.current.as_ref().map_or(state.next_file, |(number, _)| *number),
        }
    }

    /// Bytes of the files.
    pub fn bytes(&self) -> u64 {
        let files = self.files.read().expect("no code panics while it holds this lock");
        files.values().map(|file| file.len().unwrap_or(0)).sum()
    }

    /// Chunks put since the start.
    pub fn chunks_written(&self) -> u64 {
        self.state().chunks_written
    }

    /// Reads every chunk's header, in order. A torn end of the newest file is cut; at any other damage that file
    /// and all newer ones are set aside: their samples are in the log. Returns what was found damaged.
    pub fn scan(&self, each: &mut dyn FnMut(ChunkHeader)) -> Result<Vec<String>, Error> {
        let numbers: Vec<u32> =
            self.files.read().expect("no code panics while it holds this lock").keys().copied().collect();
        let mut expected = None;
        for (at, &number) in numbers.iter().enumerate() {
            let is_last = at + 1 == numbers.len();
            let gap = expected.is_some_and(|expected| expected != number);
            let found = if gap {
                Err((0, format!("file {number:06} follows {:06}", numbers[at - 1])))
            } else {
                self.scan_file(number, each)?
            };
            expected = Some(number + 1);
            let Err((good_end, what)) = found else { continue };
            let path = file_path(&self.dir, number);
            let told = format!("{}: byte {good_end}: {what}", path.display());
            if is_last && good_end >= HEADER_LEN {
                self.fs.truncate(&path, good_end).map_err(|e| io_error(&path, &e))?;
                return Ok(vec![format!("{told}; cut there, the log has the rest")]);
            }
            let mut damage = vec![told];
            // What was already told of this file stays valid: it lies before the damage, so the file is kept
            // readable under its number up to there, and a copy is kept aside.
            if good_end >= HEADER_LEN {
                let aside = aside_path(&*self.fs, &path);
                copy(&*self.fs, &path, &aside).map_err(|e| io_error(&aside, &e))?;
                self.fs.truncate(&path, good_end).map_err(|e| io_error(&path, &e))?;
                damage.push(format!("kept as {}", aside.display()));
            }
            let first_aside = if good_end >= HEADER_LEN { at + 1 } else { at };
            for &number in &numbers[first_aside..] {
                let path = file_path(&self.dir, number);
                let aside = aside_path(&*self.fs, &path);
                self.fs.rename(&path, &aside).map_err(|e| io_error(&path, &e))?;
                self.files.write().expect("no code panics while it holds this lock").remove(&number);
                damage.push(format!("{} set aside as {}", path.display(), aside.display()));
            }
            let files = self.files.read().expect("no code panics while it holds this lock");
            self.state().next_file = files.last_key_value().map_or(1, |(last, _)| last + 1);
            drop(files);
            self.fs.sync_dir(&self.dir).map_err(|e| io_error(&self.dir, &e))?;
            return Ok(damage);
        }
        Ok(Vec::new())
    }

    /// `Ok(Err((offset, what)))`: damage at that offset.
    fn scan_file(
        &self,
        number: u32,
        each: &mut dyn FnMut(ChunkHeader),
    ) -> Result<Result<(), (u64, String)>, Error> {
        let path = file_path(&self.dir, number);
        let bytes = self.fs.read(&path, 4 * FILE_BYTES_MAX).map_err(|e| io_error(&path, &e))?;
        let mut header = Cursor::new(&bytes);
        match (header.u32(), header.u8()) {
            (Ok(MAGIC), Ok(VERSION)) if bytes.len() as u64 >= HEADER_LEN => {}
            (Ok(MAGIC), Ok(version)) if bytes.len() as u64 >= HEADER_LEN => {
                return Ok(Err((0, format!("version {version}, only {VERSION} is known"))));
            }
            _ => return Ok(Err((0, "not a file of head chunks".to_string()))),
        }
        let mut at = HEADER_LEN as usize;
        while at < bytes.len() {
            let chunk = match parse(&bytes[at..]) {
                Ok(chunk) => chunk,
                // Prometheus sets room aside in advance: zeros to the end are no damage.
                Err(_) if bytes[at..].iter().all(|&b| b == 0) => break,
                Err(e) => return Ok(Err((at as u64, e.to_string()))),
            };
            each(ChunkHeader {
                series: chunk.series,
                mint: chunk.mint,
                maxt: chunk.maxt,
                encoding: chunk.encoding & !OUT_OF_ORDER,
                out_of_order: chunk.encoding & OUT_OF_ORDER != 0,
                num_samples: chunk::num_samples(chunk.data).unwrap_or(0),
                file: number,
                offset: at as u32,
            });
            at += chunk.len;
        }
        Ok(Ok(()))
    }
}

fn copy(fs: &dyn Fs, from: &Path, to: &Path) -> io::Result<()> {
    let bytes = fs.read(from, 4 * FILE_BYTES_MAX)?;
    let mut file = fs.create(to)?;
    file.write_all(&bytes)?;
    file.sync_data()
}

/// A name beside the file that nothing has yet, and that Prometheus ignores.
fn aside_path(fs: &dyn Fs, path: &Path) -> PathBuf {
    let names = (1..).map(|n| path.with_extension(format!("damaged-{n}")));
    names.into_iter().find(|name| !fs.exists(name)).expect("numbers do not end")
}

fn file_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:06}"))
}

/// Numbers of the files, ascending.
fn list(fs: &dyn Fs, dir: &Path) -> Result<Vec<u32>, Error> {
    let entries = fs.read_dir(dir).map_err(|e| io_error(dir, &e))?;
    let mut numbers: Vec<u32> =
        entries.iter().filter(|entry| !entry.is_dir).filter_map(|entry| entry.name.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

impl ChunkSink for &ChunkFiles {
    fn put(&mut self, series: u32, mint: i64, maxt: i64, data: &[u8]) -> (u32, u32) {
        let state = &mut *self.state();
        let len = (CHUNK_HEADER_LEN + codec::varint::LEN_MAX + data.len() + CRC_LEN) as u64;
        let end = match (state.pieces.last(), &state.current) {
            (Some(piece), _) => Some((piece.file, piece.start + piece.bytes.len() as u64)),
            (None, Some((number, file))) => Some((*number, file.len())),
            (None, None) => None,
        };
        let (file, offset) = match end {
            Some((file, end)) if end + len <= FILE_BYTES_MAX && !state.leave_file => (file, end),
            _ => {
                state.leave_file = false;
                state.next_file += 1;
                (state.next_file - 1, HEADER_LEN)
            }
        };
        if state.pieces.last().is_none_or(|piece| piece.file != file) {
            state.pieces.push(Piece { file, start: offset, bytes: Vec::with_capacity(FLUSH_BYTES * 2) });
        }
        let piece = state.pieces.last_mut().expect("it was just pushed");
        let start = piece.bytes.len();
        piece.bytes.put_u64(u64::from(series));
        piece.bytes.put_i64(mint);
        piece.bytes.put_i64(maxt);
        piece.bytes.put_u8(chunk::Encoding::Xor as u8);
        piece.bytes.put_uvarint_bytes(data);
        let sum = crc::checksum(&piece.bytes[start..]);
        piece.bytes.put_u32(sum);
        state.chunks_written += 1;
        (file, offset as u32)
    }
}

struct Parsed<'a> {
    series: u64,
    mint: i64,
    maxt: i64,
    encoding: u8,
    data: &'a [u8],
    /// Bytes of all of it.
    len: usize,
}

enum Unreadable {
    /// The bytes end before the chunk, which takes `len` (as far as is known).
    Short {
        len: usize,
    },
    Checksum {
        stored: u32,
        computed: u32,
    },
    Length(u64),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unreadable::Short { .. } => f.write_str("the file ends inside a chunk"),
            Unreadable::Checksum { stored, computed } => {
                write!(f, "chunk checksum {computed:08x}, expected {stored:08x}")
            }
            Unreadable::Length(len) => write!(f, "chunk of {len} bytes, at most {CHUNK_DATA_MAX} are read"),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Parsed<'_>, Unreadable> {
    let short = |_| Unreadable::Short { len: CHUNK_HEADER_LEN + CRC_LEN + 1 };
    let mut cursor = Cursor::new(bytes);
    let series = cursor.u64().map_err(short)?;
    let mint = cursor.i64().map_err(short)?;
    let maxt = cursor.i64().map_err(short)?;
    let encoding = cursor.u8().map_err(short)?;
    let len = cursor.uvarint().map_err(short)?;
    if len > CHUNK_DATA_MAX as u64 {
        return Err(Unreadable::Length(len));
    }
    let end = cursor.offset() + len as usize;
    let whole = Unreadable::Short { len: end + CRC_LEN };
    let Ok(data) = cursor.bytes(len as usize) else { return Err(whole) };
    let Ok(stored) = cursor.u32() else { return Err(whole) };
    let computed = crc::checksum(&bytes[..end]);
    if stored != computed {
        return Err(Unreadable::Checksum { stored, computed });
    }
    Ok(Parsed { series, mint, maxt, encoding, data, len: end + CRC_LEN })
}
