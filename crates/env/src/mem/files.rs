//! The files of the disk in memory: bytes, and writes on their way to the platter.

use std::io;

use super::{Crash, MemFs, NodeId};
use crate::fs::{ReadFile, SyncHandle, WriteFile};
use crate::rng::{Rng, SeededRng};

const PAGE: usize = 4096;
const ENOSPC: i32 = 28;

#[derive(Clone, Debug, Default)]
pub(super) struct FileNode {
    pub(super) data: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Write>,
}

#[derive(Clone, Debug)]
enum Write {
    Bytes { offset: usize, bytes: Vec<u8> },
    Len(usize),
}

fn apply(data: &mut Vec<u8>, write: &Write) {
    match write {
        Write::Bytes { offset, bytes } => put(data, *offset, bytes),
        Write::Len(len) => data.resize(*len, 0),
    }
}

fn put(data: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if data.len() < end {
        data.resize(end, 0);
    }
    data[offset..end].copy_from_slice(bytes);
}

impl FileNode {
    pub(super) fn set_len(&mut self, len: u64) {
        self.change(Write::Len(len as usize));
    }

    fn change(&mut self, write: Write) {
        apply(&mut self.data, &write);
        self.unsynced.push(write);
    }

    fn sync(&mut self) {
        for write in self.unsynced.drain(..) {
            apply(&mut self.durable, &write);
        }
    }

    pub(super) fn crash(&mut self, rng: &SeededRng, policy: Crash) {
        match policy {
            Crash::Process => self.sync(),
            Crash::LoseUnsynced => self.unsynced.clear(),
            Crash::Torn => self.tear(rng),
        }
        self.data = self.durable.clone();
    }

    fn tear(&mut self, rng: &SeededRng) {
        let before = self.durable.clone();
        let keep = rng.below(self.unsynced.len() as u64 + 1) as usize;
        for write in &self.unsynced[..keep] {
            apply(&mut self.durable, write);
        }
        if let Some(Write::Bytes { offset, bytes }) = self.unsynced.get(keep) {
            let torn = rng.below(bytes.len() as u64 + 1) as usize;
            put(&mut self.durable, *offset, &bytes[..torn]);
        }
        if !self.unsynced.is_empty() && rng.below(4) == 0 && self.durable.len() < self.data.len() {
            // The new length reached the disk, the bytes did not.
            self.durable.resize(self.data.len(), 0);
        }
        if !self.unsynced.is_empty() && rng.below(4) == 0 && self.durable.len() > before.len() {
            // One page of the unsynced tail did not.
            let at = before.len() + rng.below((self.durable.len() - before.len()) as u64) as usize;
            let start = (at / PAGE * PAGE).max(before.len());
            let end = (at / PAGE * PAGE + PAGE).min(self.durable.len());
            self.durable[start..end].fill(0);
        }
        self.unsynced.clear();
    }
}

#[derive(Debug)]
pub(super) struct MemReader {
    pub(super) fs: MemFs,
    pub(super) node: NodeId,
}

impl ReadFile for MemReader {
    fn len(&self) -> io::Result<u64> {
        Ok(self.fs.disk().file(self.node).data.len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let disk = self.fs.disk();
        let data = &disk.file(self.node).data;
        let start = (offset as usize).min(data.len());
        let n = buf.len().min(data.len() - start);
        buf[..n].copy_from_slice(&data[start..start + n]);
        Ok(n)
    }
}

#[derive(Debug)]
pub(super) struct MemWriter {
    pub(super) fs: MemFs,
    pub(super) node: NodeId,
    pub(super) len: u64,
}

impl WriteFile for MemWriter {
    fn len(&self) -> u64 {
        self.len
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.fs.disk();
        let n = bytes.len().min(usize::try_from(disk.room()).unwrap_or(usize::MAX));
        if n == 0 && !bytes.is_empty() {
            return Err(io::Error::from_raw_os_error(ENOSPC));
        }
        disk.file_mut(self.node)
            .change(Write::Bytes { offset: self.len as usize, bytes: bytes[..n].to_vec() });
        self.len += n as u64;
        Ok(n)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if offset + bytes.len() as u64 > self.len {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "overwrites only what is there"));
        }
        let write = Write::Bytes { offset: offset as usize, bytes: bytes.to_vec() };
        self.fs.disk().file_mut(self.node).change(write);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.fs.disk().file_mut(self.node).set_len(len);
        self.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.fs.disk().file_mut(self.node).sync();
        Ok(())
    }

    fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>> {
        Ok(Box::new(MemSyncer { fs: self.fs.clone(), node: self.node }))
    }
}

#[derive(Debug)]
struct MemSyncer {
    fs: MemFs,
    node: NodeId,
}

impl SyncHandle for MemSyncer {
    fn sync_data(&self) -> io::Result<()> {
        self.fs.disk().file_mut(self.node).sync();
        Ok(())
    }
}
