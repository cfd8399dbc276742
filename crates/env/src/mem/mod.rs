//! A disk in memory that remembers what was synced, and can lose power.
//!
//! Each file holds its bytes as programs see them, its bytes as the platter has them, and the writes between the two;
//! each directory does the same with its entries. [`MemFs::crash`] makes the disk a machine would find after a power
//! cut from the durable half and, by policy and seed, some of what was on its way.
//!
//! What holds
//! * Bytes covered by a `sync_data` survive every crash, if the name of the file was covered by a `sync_dir`.
//! * Unsynced writes of one file are kept as a prefix, the last one torn at any byte; a file may also come back at its
//!   full length with zeros where bytes were lost, as journaling file systems do.
//! * Unsynced changes of names are kept as a prefix of their order; a rename is never half done.
//! * Old handles go on working on the old disk, so nothing written after the crash can leak into the new one.

mod files;
mod names;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::fs::{DirEntry, DiskSpace, Fs, Lock, Metadata, ReadFile, WriteFile};
use crate::rng::{Rng, SeededRng};
use files::{FileNode, MemReader, MemWriter};
use names::{DirNode, NameChange};

type NodeId = u64;
const ROOT: NodeId = 0;
/// What a disk has when nobody set a capacity: 1 TiB, not counted at every write.
const CAPACITY_DEFAULT: u64 = 1 << 40;

/// What became of writes that nobody synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process died, the machine did not: everything written is there.
    Process,
    /// Power loss, and nothing unsynced had reached the disk.
    LoseUnsynced,
    /// Power loss, and by the seed some of it had: prefixes, torn writes, runs of zeros.
    Torn,
}

/// A disk in memory. Clones share it. Paths are taken from its root, a leading `/` or `.` makes no difference.
#[derive(Clone, Debug)]
pub struct MemFs {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug)]
struct Disk {
    nodes: HashMap<NodeId, Node>,
    next: NodeId,
    /// Changes of names not yet durable, oldest first.
    unsynced_names: Vec<NameChange>,
    locked: HashSet<NodeId>,
    capacity: u64,
}

#[derive(Clone, Debug)]
enum Node {
    File(FileNode),
    Dir(DirNode),
}

impl Default for MemFs {
    fn default() -> MemFs {
        MemFs::new()
    }
}

impl MemFs {
    /// An empty disk of 1 TiB.
    pub fn new() -> MemFs {
        let disk = Disk {
            nodes: HashMap::from([(ROOT, Node::Dir(DirNode::default()))]),
            next: ROOT + 1,
            unsynced_names: Vec::new(),
            locked: HashSet::new(),
            capacity: CAPACITY_DEFAULT,
        };
        MemFs { disk: Arc::new(Mutex::new(disk)) }
    }

    /// Changes the size of the disk; writes that do not fit are short, then fail with ENOSPC.
    pub fn set_capacity(&self, bytes: u64) {
        self.disk().capacity = bytes;
    }

    /// The disk as found after a crash now. Same disk, policy and seed: same result.
    pub fn crash(&self, seed: u64, policy: Crash) -> MemFs {
        let disk = self.disk();
        let rng = SeededRng::new(seed);
        let mut nodes = disk.nodes.clone();
        let names_kept = match policy {
            Crash::Process => disk.unsynced_names.len(),
            Crash::LoseUnsynced => 0,
            Crash::Torn => rng.below(disk.unsynced_names.len() as u64 + 1) as usize,
        };
        for change in &disk.unsynced_names[..names_kept] {
            names::make_durable(&mut nodes, change);
        }
        let mut found = HashMap::new();
        // A fixed order, so that the seed alone decides.
        let mut open = vec![ROOT];
        while let Some(id) = open.pop() {
            let Some(mut node) = nodes.remove(&id) else { continue };
            match &mut node {
                Node::Dir(dir) => {
                    dir.entries = dir.durable.clone();
                    open.extend(dir.durable.values());
                }
                Node::File(file) => file.crash(&rng, policy),
            }
            found.insert(id, node);
        }
        MemFs {
            disk: Arc::new(Mutex::new(Disk {
                nodes: found,
                next: disk.next,
                unsynced_names: Vec::new(),
                locked: HashSet::new(),
                capacity: disk.capacity,
            })),
        }
    }

    /// Bytes of all files, as programs see them.
    pub fn used(&self) -> u64 {
        self.disk().used()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("no code panics while it holds this lock")
    }
}

impl Disk {
    /// Bytes that still fit.
    fn room(&self) -> u64 {
        if self.capacity == CAPACITY_DEFAULT { u64::MAX } else { self.capacity.saturating_sub(self.used()) }
    }

    fn used(&self) -> u64 {
        let mut seen = HashSet::new();
        let mut total = 0;
        for node in self.nodes.values() {
            let Node::Dir(dir) = node else { continue };
            for id in dir.entries.values() {
                if let Some(Node::File(file)) = self.nodes.get(id)
                    && seen.insert(*id)
                {
                    total += file.data.len() as u64;
                }
            }
        }
        total
    }

    fn file_mut(&mut self, id: NodeId) -> &mut FileNode {
        match self.nodes.get_mut(&id) {
            Some(Node::File(file)) => file,
            other => panic!("BUG: node {id} is open as a file, and is {other:?}"),
        }
    }

    fn file(&self, id: NodeId) -> &FileNode {
        match self.nodes.get(&id) {
            Some(Node::File(file)) => file,
            other => panic!("BUG: node {id} is open as a file, and is {other:?}"),
        }
    }

    fn add(&mut self, node: Node) -> NodeId {
        let id = self.next;
        self.next += 1;
        self.nodes.insert(id, node);
        id
    }

    /// The file under `path`, created empty when absent.
    fn file_or_new(&mut self, path: &Path) -> io::Result<NodeId> {
        let (dir, name) = self.parent(path)?;
        match self.entry(dir, &name) {
            Some(id) if matches!(self.nodes[&id], Node::Dir(_)) => Err(io::ErrorKind::IsADirectory.into()),
            Some(id) => Ok(id),
            None => {
                let id = self.add(Node::File(FileNode::default()));
                self.change(vec![(dir, name, Some(id))]);
                Ok(id)
            }
        }
    }
}

impl Fs for MemFs {
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let node = self.disk().find_file(path)?;
        Ok(Box::new(MemReader { fs: self.clone(), node }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let mut disk = self.disk();
        let node = disk.file_or_new(path)?;
        disk.file_mut(node).set_len(0);
        Ok(Box::new(MemWriter { fs: self.clone(), node, len: 0 }))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let mut disk = self.disk();
        let node = disk.file_or_new(path)?;
        let len = disk.file(node).data.len() as u64;
        Ok(Box::new(MemWriter { fs: self.clone(), node, len }))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let disk = self.disk();
        let id = disk.find(path)?;
        Ok(match &disk.nodes[&id] {
            Node::Dir(_) => Metadata { len: 0, allocated: 0, is_dir: true, modified_ms: 0 },
            Node::File(file) => {
                let len = file.data.len() as u64;
                Metadata { len, allocated: len.next_multiple_of(4096), is_dir: false, modified_ms: 0 }
            }
        })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let disk = self.disk();
        let id = disk.find(path)?;
        let Node::Dir(dir) = &disk.nodes[&id] else { return Err(io::ErrorKind::NotADirectory.into()) };
        let is_dir = |id: &NodeId| matches!(disk.nodes[id], Node::Dir(_));
        Ok(dir.entries.iter().map(|(name, id)| DirEntry { name: name.clone(), is_dir: is_dir(id) }).collect())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk().create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk().rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.find_file(path)?;
        let (dir, name) = disk.parent(path)?;
        disk.change(vec![(dir, name, None)]);
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.empty_dir(path)?;
        let (dir, name) = disk.parent(path)?;
        disk.change(vec![(dir, name, None)]);
        Ok(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        for entry in self.read_dir(path)? {
            let child = path.join(&entry.name);
            if entry.is_dir { self.remove_dir_all(&child)? } else { self.remove_file(&child)? }
        }
        self.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk().sync_dir(path)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut disk = self.disk();
        let id = disk.find_file(path)?;
        disk.file_mut(id).set_len(len);
        Ok(())
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let id = disk.find_file(from)?;
        let (dir, name) = disk.parent(to)?;
        if disk.entry(dir, &name).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        disk.change(vec![(dir, name, Some(id))]);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let mut disk = self.disk();
        let node = disk.file_or_new(path)?;
        if !disk.locked.insert(node) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(MemLock { fs: self.clone(), node }))
    }

    fn space(&self, _path: &Path) -> io::Result<DiskSpace> {
        let disk = self.disk();
        let free = disk.capacity.saturating_sub(disk.used());
        Ok(DiskSpace { total: disk.capacity, free, available: free })
    }
}

#[derive(Debug)]
struct MemLock {
    fs: MemFs,
    node: NodeId,
}

impl Lock for MemLock {}

impl Drop for MemLock {
    fn drop(&mut self) {
        self.fs.disk().locked.remove(&self.node);
    }
}

/// Entries of a directory by name.
type Entries = BTreeMap<String, NodeId>;
