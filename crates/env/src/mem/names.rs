//! The names of the disk in memory: directories, and changes of names on their way to the platter.

use std::collections::HashMap;
use std::io;
use std::path::{Component, Path};

use super::{Disk, Entries, Node, NodeId, ROOT};

#[derive(Clone, Debug, Default)]
pub(super) struct DirNode {
    pub(super) entries: Entries,
    pub(super) durable: Entries,
}

/// One change that happens as a whole: (directory, name, what it names from now on).
pub(super) type NameChange = Vec<(NodeId, String, Option<NodeId>)>;

pub(super) fn make_durable(nodes: &mut HashMap<NodeId, Node>, change: &NameChange) {
    for (dir, name, target) in change {
        let Some(Node::Dir(dir)) = nodes.get_mut(dir) else { continue };
        match target {
            Some(id) => dir.durable.insert(name.clone(), *id),
            None => dir.durable.remove(name),
        };
    }
}

fn parts(path: &Path) -> io::Result<Vec<String>> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => drop(parts.pop()),
            Component::Prefix(_) => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    Ok(parts)
}

impl Disk {
    pub(super) fn entry(&self, dir: NodeId, name: &str) -> Option<NodeId> {
        match self.nodes.get(&dir) {
            Some(Node::Dir(dir)) => dir.entries.get(name).copied(),
            _ => None,
        }
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<NodeId> {
        self.walk(&parts(path)?)
    }

    pub(super) fn find_file(&self, path: &Path) -> io::Result<NodeId> {
        let id = self.find(path)?;
        match &self.nodes[&id] {
            Node::File(_) => Ok(id),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    /// The directory that holds the last part of `path`, and that part.
    pub(super) fn parent(&self, path: &Path) -> io::Result<(NodeId, String)> {
        let mut parts = parts(path)?;
        let Some(name) = parts.pop() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let dir = self.walk(&parts)?;
        match &self.nodes[&dir] {
            Node::Dir(_) => Ok((dir, name)),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn walk(&self, parts: &[String]) -> io::Result<NodeId> {
        let mut id = ROOT;
        for part in parts {
            id = self.entry(id, part).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(id)
    }

    /// Applies a change of names for programs, and remembers it for the next `sync_dir`.
    pub(super) fn change(&mut self, change: NameChange) {
        for (dir, name, target) in &change {
            let Some(Node::Dir(dir)) = self.nodes.get_mut(dir) else {
                panic!("BUG: node {dir} holds the name {name}, and is no directory");
            };
            match target {
                Some(id) => dir.entries.insert(name.clone(), *id),
                None => dir.entries.remove(name),
            };
        }
        self.unsynced_names.push(change);
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut id = ROOT;
        for part in parts(path)? {
            id = match self.entry(id, &part) {
                Some(child) if matches!(self.nodes[&child], Node::Dir(_)) => child,
                Some(_) => return Err(io::ErrorKind::AlreadyExists.into()),
                None => {
                    let child = self.add(Node::Dir(super::DirNode::default()));
                    self.change(vec![(id, part, Some(child))]);
                    child
                }
            };
        }
        Ok(())
    }

    pub(super) fn empty_dir(&self, path: &Path) -> io::Result<NodeId> {
        let id = self.find(path)?;
        match &self.nodes[&id] {
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
            Node::Dir(dir) if !dir.entries.is_empty() => Err(io::ErrorKind::DirectoryNotEmpty.into()),
            Node::Dir(_) => Ok(id),
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let moved = self.find(from)?;
        let (from_dir, from_name) = self.parent(from)?;
        let (to_dir, to_name) = self.parent(to)?;
        if let Some(target) = self.entry(to_dir, &to_name) {
            if target == moved {
                return Ok(());
            }
            match (&self.nodes[&moved], &self.nodes[&target]) {
                (Node::Dir(_), Node::Dir(_)) => drop(self.empty_dir(to)?),
                (Node::Dir(_), Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                (Node::File(_), Node::Dir(_)) => return Err(io::ErrorKind::IsADirectory.into()),
                (Node::File(_), Node::File(_)) => {}
            }
        }
        self.change(vec![(from_dir, from_name, None), (to_dir, to_name, Some(moved))]);
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let id = self.find(path)?;
        if matches!(self.nodes[&id], Node::File(_)) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let (synced, left) = std::mem::take(&mut self.unsynced_names)
            .into_iter()
            .partition(|c| c.iter().any(|(dir, ..)| *dir == id));
        self.unsynced_names = left;
        let synced: Vec<NameChange> = synced;
        for change in &synced {
            make_durable(&mut self.nodes, change);
        }
        Ok(())
    }
}
