//! Where the host is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::{Clock, Fs};

use crate::CollectError;

/// Folders, which are others when the program runs in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub proc: PathBuf,
    pub sys: PathBuf,
    pub root: PathBuf,
    pub udev: PathBuf,
}

impl Default for Paths {
    fn default() -> Paths {
        Paths { proc: "/proc".into(), sys: "/sys".into(), root: "/".into(), udev: "/run/udev/data".into() }
    }
}

/// Tells for a moment (ms since 1970) what the local time zone is called then, and its seconds east of Greenwich.
pub type Zone = Arc<dyn Fn(i64) -> (String, i32) + Send + Sync>;

/// What collectors ask.
#[derive(Clone)]
pub struct Host {
    pub fs: Arc<dyn Fs>,
    pub clock: Arc<dyn Clock>,
    pub zone: Zone,
    pub paths: Paths,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("paths", &self.paths).finish_non_exhaustive()
    }
}

/// No file the collectors read is larger; bounds memory against one that never ends.
const FILE_BYTES_MAX: usize = 16 << 20;
const FIRST_READ_BYTES: usize = 4096;

impl Host {
    pub(crate) fn proc(&self, name: &str) -> PathBuf {
        self.paths.proc.join(name)
    }

    pub(crate) fn sys(&self, name: &str) -> PathBuf {
        self.paths.sys.join(name)
    }

    /// Replaces `buf` with the content of a file. Kernel files say length 0, so it is read until it ends.
    pub(crate) fn read(&self, path: &Path, buf: &mut Vec<u8>) -> Result<(), CollectError> {
        self.try_read(path, buf).map_err(|source| CollectError::Io { path: path.to_owned(), source })
    }

    fn try_read(&self, path: &Path, buf: &mut Vec<u8>) -> std::io::Result<()> {
        let file = self.fs.open(path)?;
        let mut len = 0;
        buf.resize(buf.capacity().max(FIRST_READ_BYTES), 0);
        loop {
            if len == buf.len() {
                if len >= FILE_BYTES_MAX {
                    return Err(std::io::ErrorKind::FileTooLarge.into());
                }
                buf.resize(2 * len, 0);
            }
            match file.read_at(len as u64, &mut buf[len..]) {
                Ok(0) => break,
                Ok(n) => len += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        buf.truncate(len);
        Ok(())
    }

    /// The number a file holds; `None` when it is absent, unreadable, or holds something else.
    pub(crate) fn read_number(&self, path: &Path, buf: &mut Vec<u8>) -> Option<u64> {
        self.read(path, buf).ok()?;
        procfs::unsigned(procfs::trimmed(buf))
    }

    /// The host's path as this process sees it.
    pub(crate) fn in_root(&self, path: &str) -> PathBuf {
        self.paths.root.join(path.trim_start_matches('/'))
    }

    /// The path of a mount point as the host sees it.
    pub(crate) fn without_root<'a>(&self, path: &'a str) -> &'a str {
        let root = self.paths.root.to_str().unwrap_or("/");
        if root == "/" {
            return path;
        }
        match path.strip_prefix(root) {
            Some("") => "/",
            Some(rest) => rest,
            None => path,
        }
    }
}

/// Adds where it was to a parser's error.
pub(crate) fn at(path: &Path) -> impl Fn(procfs::ParseError) -> CollectError + '_ {
    move |source| CollectError::Parse { path: path.to_owned(), source }
}

/// Text of the kernel as a label value.
pub(crate) fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
