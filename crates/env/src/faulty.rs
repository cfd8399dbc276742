//! Any disk, with errors on order.
//!
//! Every operation that reaches the disk below is counted; a [`Fault`] says which of them fails, and how.
//! A failed sync is modelled as Linux does it, at its worst: the dirty bytes are given up, and later syncs of that
//! file say "fine" while they make nothing durable.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::fs::{DirEntry, DiskSpace, Fs, Lock, Metadata, ReadFile, SyncHandle, WriteFile};

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `open`, `create`, `append`.
    Open,
    Read,
    Write,
    /// `set_len`, `truncate`.
    SetLen,
    SyncData,
    SyncDir,
    /// `rename`, `hard_link`, `remove_*`, `create_dir_all`.
    Name,
}

/// One order: which operation fails, and how.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Only operations of this kind count; `None` counts all.
    pub op: Option<Op>,
    /// Only paths that contain this count; empty counts all.
    pub path_contains: String,
    /// So many matching operations succeed first.
    pub after: u64,
    /// So many fail then; `u64::MAX` for "from then on".
    pub times: u64,
    /// The error number, for example 28 (ENOSPC) or 5 (EIO).
    pub errno: i32,
    /// For a write: this many bytes stand in the file before it fails (a short write, then the error).
    pub short: usize,
}

impl Fault {
    pub const EIO: i32 = 5;
    pub const ENOSPC: i32 = 28;

    /// The next operation of kind `op` fails once with `errno`.
    pub fn next(op: Op, errno: i32) -> Fault {
        Fault { op: Some(op), path_contains: String::new(), after: 0, times: 1, errno, short: 0 }
    }

    /// From the n-th operation (from 0) on everything fails, as if the cable was pulled.
    pub fn dead_from(n: u64) -> Fault {
        Fault {
            op: None,
            path_contains: String::new(),
            after: n,
            times: u64::MAX,
            errno: Fault::EIO,
            short: 0,
        }
    }
}

/// Wraps a disk. Clones share faults and counters.
#[derive(Clone, Debug)]
pub struct FaultyFs {
    inner: Arc<dyn Fs>,
    orders: Arc<Mutex<Orders>>,
}

#[derive(Debug, Default)]
struct Orders {
    operations: u64,
    faults: Vec<Fault>,
    /// Files whose sync failed once.
    given_up: HashSet<PathBuf>,
}

enum Decision {
    Pass,
    Fail { errno: i32, short: usize },
}

impl FaultyFs {
    pub fn new(inner: Arc<dyn Fs>) -> FaultyFs {
        FaultyFs { inner, orders: Arc::default() }
    }

    pub fn inject(&self, fault: Fault) {
        self.orders().faults.push(fault);
    }

    pub fn clear(&self) {
        self.orders().faults.clear();
    }

    /// How many operations were asked for so far.
    pub fn operations(&self) -> u64 {
        self.orders().operations
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().expect("no code panics while it holds this lock")
    }

    fn decide(&self, op: Op, path: &Path) -> Decision {
        let mut orders = self.orders();
        orders.operations += 1;
        let mut decision = Decision::Pass;
        let path = path.to_string_lossy();
        for fault in &mut orders.faults {
            if fault.op.is_some_and(|o| o != op) || !path.contains(&fault.path_contains) {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
            } else if fault.times > 0 {
                fault.times -= 1;
                decision = Decision::Fail { errno: fault.errno, short: fault.short };
            }
        }
        decision
    }

    fn check(&self, op: Op, path: &Path) -> io::Result<()> {
        match self.decide(op, path) {
            Decision::Pass => Ok(()),
            Decision::Fail { errno, .. } => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    fn sync(&self, path: &Path, inner: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if let Err(e) = self.check(Op::SyncData, path) {
            self.orders().given_up.insert(path.to_owned());
            return Err(e);
        }
        if self.orders().given_up.contains(path) {
            return Ok(());
        }
        inner()
    }

    fn reader(&self, path: &Path, inner: Box<dyn ReadFile>) -> Box<dyn ReadFile> {
        Box::new(Reader { fs: self.clone(), path: path.to_owned(), inner })
    }

    fn writer(&self, path: &Path, inner: Box<dyn WriteFile>) -> Box<dyn WriteFile> {
        Box::new(Writer { fs: self.clone(), path: path.to_owned(), inner })
    }
}

impl Fs for FaultyFs {
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        self.check(Op::Open, path)?;
        Ok(self.reader(path, self.inner.open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.check(Op::Open, path)?;
        self.orders().given_up.remove(path);
        Ok(self.writer(path, self.inner.create(path)?))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.check(Op::Open, path)?;
        Ok(self.writer(path, self.inner.append(path)?))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.check(Op::Read, path)?;
        self.inner.metadata(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.check(Op::Read, path)?;
        self.inner.read_dir(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.check(Op::Name, path)?;
        self.inner.create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Op::Name, to)?;
        self.inner.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.check(Op::Name, path)?;
        self.inner.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.check(Op::Name, path)?;
        self.inner.remove_dir(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.check(Op::Name, path)?;
        self.inner.remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.check(Op::SyncDir, path)?;
        self.inner.sync_dir(path)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.check(Op::SetLen, path)?;
        self.inner.truncate(path, len)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Op::Name, to)?;
        self.inner.hard_link(from, to)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.check(Op::Open, path)?;
        self.inner.lock(path)
    }

    fn space(&self, path: &Path) -> io::Result<DiskSpace> {
        self.check(Op::Read, path)?;
        self.inner.space(path)
    }
}

#[derive(Debug)]
struct Reader {
    fs: FaultyFs,
    path: PathBuf,
    inner: Box<dyn ReadFile>,
}

impl ReadFile for Reader {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.fs.check(Op::Read, &self.path)?;
        self.inner.read_at(offset, buf)
    }
}

#[derive(Debug)]
struct Writer {
    fs: FaultyFs,
    path: PathBuf,
    inner: Box<dyn WriteFile>,
}

impl WriteFile for Writer {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.fs.decide(Op::Write, &self.path) {
            Decision::Pass => self.inner.write(bytes),
            Decision::Fail { short, errno } => {
                self.inner.write_all(&bytes[..short.min(bytes.len())])?;
                if short > 0 {
                    // The bytes that went through are reported as a short write; the error comes with the next one.
                    self.fs.inject(Fault {
                        path_contains: self.path.to_string_lossy().into_owned(),
                        ..Fault::next(Op::Write, errno)
                    });
                    return Ok(short.min(bytes.len()));
                }
                Err(io::Error::from_raw_os_error(errno))
            }
        }
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.fs.check(Op::Write, &self.path)?;
        self.inner.write_at(offset, bytes)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.fs.check(Op::SetLen, &self.path)?;
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.fs.sync(&self.path, || self.inner.sync_data())
    }

    fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>> {
        Ok(Box::new(Syncer {
            fs: self.fs.clone(),
            path: self.path.clone(),
            inner: self.inner.sync_handle()?,
        }))
    }
}

#[derive(Debug)]
struct Syncer {
    fs: FaultyFs,
    path: PathBuf,
    inner: Box<dyn SyncHandle>,
}

impl SyncHandle for Syncer {
    fn sync_data(&self) -> io::Result<()> {
        self.fs.sync(&self.path, || self.inner.sync_data())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mem::{Crash, MemFs};
    use std::io::ErrorKind;

    #[test]
    fn the_second_write_is_short_then_fails() {
        let fs = FaultyFs::new(Arc::new(MemFs::new()));
        fs.inject(Fault { after: 1, short: 2, ..Fault::next(Op::Write, Fault::ENOSPC) });
        let mut w = fs.create(Path::new("f")).unwrap();
        w.write_all(b"abc").unwrap();
        let e = w.write_all(b"defg").unwrap_err();
        assert_eq!((e.written, e.source.kind()), (2, ErrorKind::StorageFull));
        assert_eq!(fs.read(Path::new("f"), 10).unwrap(), b"abcde");
        w.write_all(b"h").unwrap();
    }

    #[test]
    fn a_failed_sync_gives_the_bytes_up_for_ever() {
        let mem = MemFs::new();
        let fs = FaultyFs::new(Arc::new(mem.clone()));
        let mut w = fs.create(Path::new("f")).unwrap();
        fs.sync_dir(Path::new("")).unwrap();
        w.write_all(b"abc").unwrap();
        fs.inject(Fault::next(Op::SyncData, Fault::EIO));
        assert!(w.sync_data().is_err());
        assert!(w.sync_data().is_ok(), "the second call lies, as the kernel does");
        assert_eq!(mem.crash(0, Crash::LoseUnsynced).read(Path::new("f"), 10).unwrap(), b"");
    }

    #[test]
    fn operations_are_counted_and_the_cable_can_be_pulled() {
        let fs = FaultyFs::new(Arc::new(MemFs::new()));
        fs.create(Path::new("f")).unwrap();
        let n = fs.operations();
        fs.inject(Fault::dead_from(1));
        assert!(fs.exists(Path::new("f")));
        assert!(fs.open(Path::new("f")).is_err() && fs.sync_dir(Path::new("")).is_err());
        assert_eq!(fs.operations(), n + 3);
    }
}
