//! Why a data directory cannot be opened.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub enum OpenError {
    /// Another process works on the directory.
    Locked { path: PathBuf },
    /// An option is out of range.
    Option { name: &'static str, found: String, allowed: &'static str },
    /// The operating system refused.
    Io { path: PathBuf, source: io::Error },
    /// The log or a block cannot be used; nothing was deleted.
    Storage(storage::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Locked { path } => write!(
                f,
                "{}: the data directory is in use by another process; stop it, or choose another directory \
                 with --storage.tsdb.path",
                path.display()
            ),
            OpenError::Option { name, found, allowed } => write!(f, "{name} is {found}; allowed: {allowed}"),
            OpenError::Io { path, source } => write!(f, "{}: {source}", path.display()),
            OpenError::Storage(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::Io { source, .. } => Some(source),
            OpenError::Storage(e) => Some(e),
            _ => None,
        }
    }
}

impl From<storage::Error> for OpenError {
    fn from(e: storage::Error) -> OpenError {
        OpenError::Storage(e)
    }
}

/// Adds the path an operation failed on.
pub(crate) fn io_error(path: &Path, source: &io::Error) -> storage::Error {
    storage::Error::Io { place: path.display().to_string(), what: source.to_string() }
}
