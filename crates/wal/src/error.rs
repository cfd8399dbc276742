use std::fmt;
use std::io;
use std::path::PathBuf;

/// Reading, opening or tidying the log failed.
#[derive(Debug)]
pub enum Error {
    /// The file system said no.
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// A record cannot be understood though its checksum holds.
    Record(crate::record::DecodeError),
    /// A checkpoint would leave out segments that no earlier checkpoint covers.
    CheckpointGap { last_checkpoint: Option<u64>, first_segment: u64 },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Error {
        Error::Io { doing, path: path.into(), source: source.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { doing, path, source } => write!(f, "{doing} {}: {source}", path.display()),
            Error::Record(e) => e.fmt(f),
            Error::CheckpointGap { last_checkpoint: Some(last), first_segment } => {
                write!(
                    f,
                    "log begins at segment {first_segment}, the last checkpoint covers only up to {last}"
                )
            }
            Error::CheckpointGap { last_checkpoint: None, first_segment } => {
                write!(f, "log begins at segment {first_segment}, which is behind the range to checkpoint")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Record(e) => Some(e),
            Error::CheckpointGap { .. } => None,
        }
    }
}

impl From<crate::record::DecodeError> for Error {
    fn from(e: crate::record::DecodeError) -> Error {
        Error::Record(e)
    }
}

/// A batch was not committed. Nothing of it is in the log, and the caller may try the same batch again.
#[derive(Debug)]
pub enum CommitError {
    /// The write failed and was cut back.
    Write { path: PathBuf, offset: u64, source: io::Error },
    /// An earlier failure left the segment in a state that has to be mended first, and that failed again.
    Mend { path: PathBuf, source: io::Error },
    /// The next segment could not be started.
    Segment { path: PathBuf, source: io::Error },
    /// The segment cannot be left while a sync of it runs: finish that, then ask again.
    Syncing,
    /// So many bytes wait for a sync that no more may be kept; sync first.
    Unsynced { bytes: usize, bytes_max: usize },
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommitError::Write { path, offset, source } => {
                write!(f, "write to log {} at byte {offset}: {source}; nothing was committed", path.display())
            }
            CommitError::Mend { path, source } => {
                write!(f, "log {} could not be cut back after an earlier error: {source}", path.display())
            }
            CommitError::Segment { path, source } => {
                write!(f, "start log segment {}: {source}", path.display())
            }
            CommitError::Syncing => write!(f, "the log is being synced; its segment cannot be left now"),
            CommitError::Unsynced { bytes, bytes_max } => {
                write!(
                    f,
                    "{bytes} bytes of the log wait for a sync (limit {bytes_max}): the disk does not keep up"
                )
            }
        }
    }
}

impl std::error::Error for CommitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CommitError::Write { source, .. }
            | CommitError::Mend { source, .. }
            | CommitError::Segment { source, .. } => Some(source),
            CommitError::Syncing | CommitError::Unsynced { .. } => None,
        }
    }
}
