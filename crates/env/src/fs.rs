//! Files as a trait.
//!
//! Errors are `std::io::Error`; the caller adds the path where it is known. Every method is synchronous and may block.
//!
//! What holds for every implementation
//! * Reads are positioned, so one handle serves many threads; a handle outlives the removal of its name.
//! * A write is durable only after `sync_data` on the file **and** `sync_dir` on the directory that names it.
//! * `rename` replaces the target atomically, but is durable only after `sync_dir`.
//! * After a failed `sync_data` nobody knows which bytes are on the disk; asking again proves nothing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file system.
pub trait Fs: Send + Sync + fmt::Debug {
    /// Opens an existing file for positioned reads.
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>>;

    /// Creates a file, or empties the one there is. The writer stands at 0.
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;

    /// Opens a file for writing behind its last byte, creating it when absent.
    fn append(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;

    /// Fails with `NotFound` when there is nothing under this name.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// The entries of a directory, sorted by name, without `.` and `..`.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>>;

    /// Creates a directory and its missing parents; content if it is there already.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Gives a file or directory another name; a file (or an empty directory) of that name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and what is in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Makes creations, renames and removals in this directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Cuts or extends (with zeros) a closed file.
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;

    /// A second name for a file.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes the exclusive advisory lock on `path` (created when absent), without waiting: `WouldBlock` when another
    /// holds it. Dropping the value releases it; the file stays.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;

    /// Space of the file system that holds `path`.
    fn space(&self, path: &Path) -> io::Result<DiskSpace>;

    /// Whether something is there; an error that is not `NotFound` counts as being there.
    fn exists(&self, path: &Path) -> bool {
        match self.metadata(path) {
            Ok(_) => true,
            Err(e) => e.kind() != io::ErrorKind::NotFound,
        }
    }

    /// The whole file. Refuses files above `limit` bytes.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let file = self.open(path)?;
        let len = file.len()?;
        if len > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("{}: {len} bytes, at most {limit} are read", path.display()),
            ));
        }
        let mut bytes = vec![0; len as usize];
        file.read_exact_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// Replaces a file so that a crash leaves either the old or the new content: written beside it under
    /// `<name>.tmp`, synced, renamed, directory synced.
    fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".tmp");
        let tmp = PathBuf::from(name);
        let mut file = self.create(&tmp)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        drop(file);
        self.rename(&tmp, path)?;
        match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => self.sync_dir(dir),
            _ => self.sync_dir(Path::new(".")),
        }
    }

    /// Bytes occupied by everything under `path`, by file length. Names that vanish meanwhile count nothing.
    fn tree_len(&self, path: &Path) -> io::Result<u64> {
        let mut total = 0;
        for entry in self.read_dir(path)? {
            let child = path.join(&entry.name);
            let len = if entry.is_dir { self.tree_len(&child) } else { self.metadata(&child).map(|m| m.len) };
            match len {
                Ok(n) => total += n,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(total)
    }
}

/// An open file, read by position.
pub trait ReadFile: Send + Sync + fmt::Debug {
    /// Length now; grows while a writer appends.
    fn len(&self) -> io::Result<u64>;

    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads up to `buf.len()` bytes from `offset`; 0 at or behind the end.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Fills `buf`, or fails with `UnexpectedEof`.
    fn read_exact_at(&self, mut offset: u64, mut buf: &mut [u8]) -> io::Result<()> {
        while !buf.is_empty() {
            match self.read_at(offset, buf) {
                Ok(0) => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        format!("file ends at byte {offset}"),
                    ));
                }
                Ok(n) => {
                    offset += n as u64;
                    buf = &mut buf[n..];
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// A file being written; one writer at a time.
pub trait WriteFile: Send + Sync + fmt::Debug {
    /// Bytes in the file, which is where the next `write` goes.
    fn len(&self) -> u64;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a prefix of `bytes` and returns its length, which may be short.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Overwrites bytes that are there already; does not move the end.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts or extends (with zeros); the next `write` goes to the new end.
    fn set_len(&mut self, len: u64) -> io::Result<()>;

    /// Makes the bytes of the file durable (not its name, see [`Fs::sync_dir`]).
    fn sync_data(&self) -> io::Result<()>;

    /// A handle with which another thread syncs while this one goes on writing.
    fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>>;

    /// Appends everything, or says how much of it stands in the file.
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let mut written = 0;
        while written < bytes.len() {
            match self.write(&bytes[written..]) {
                Ok(0) => {
                    let source = io::Error::new(io::ErrorKind::WriteZero, "the file takes no more bytes");
                    return Err(WriteError { written, source });
                }
                Ok(n) => written += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(WriteError { written, source }),
            }
        }
        Ok(())
    }
}

/// Syncs a file that someone else writes.
pub trait SyncHandle: Send + Sync + fmt::Debug {
    /// Makes durable what was written before this call began.
    fn sync_data(&self) -> io::Result<()>;
}

/// An advisory lock, held until dropped.
pub trait Lock: Send + Sync + fmt::Debug {}

/// A write that stopped half way.
#[derive(Debug)]
pub struct WriteError {
    /// How many of the bytes stand in the file.
    pub written: usize,
    pub source: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (after {} bytes)", self.source, self.written)
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl From<WriteError> for io::Error {
    fn from(e: WriteError) -> io::Error {
        e.source
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Bytes; 0 for a directory.
    pub len: u64,
    /// Bytes the file system set aside for it; less than `len` when sparse.
    pub allocated: u64,
    pub is_dir: bool,
    /// Last change of the content, in ms since 1970.
    pub modified_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// Name without the directory. A name that is not UTF-8 is shown with replacement characters.
    pub name: String,
    pub is_dir: bool,
}

/// Bytes of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    pub total: u64,
    /// Free bytes, the reserve of the administrator included.
    pub free: u64,
    /// Bytes an ordinary process may still write.
    pub available: u64,
}
