use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a block cannot be read or written, by what the caller does next.
#[derive(Debug)]
pub enum Error {
    /// The operating system refused: try again, or give the block up.
    Io { path: PathBuf, source: io::Error },
    /// The file does not hold what it should at `offset`: set the block aside.
    Corrupt { path: PathBuf, offset: u64, what: String },
    /// Something this build does not read, by name.
    NotSupported { path: PathBuf, name: String },
    /// What was handed to the writer cannot stand in a block.
    Input(String),
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
        move |source| Error::Io { path: path.to_path_buf(), source }
    }

    pub(crate) fn corrupt(path: &Path, offset: u64, what: impl fmt::Display) -> Error {
        Error::Corrupt { path: path.to_path_buf(), offset, what: what.to_string() }
    }

    /// A chunk that cannot be decoded.
    pub(crate) fn chunk(path: &Path, offset: u64, error: chunk::Error) -> Error {
        match error {
            chunk::Error::NotSupported(byte) => {
                Error::NotSupported { path: path.to_path_buf(), name: format!("chunk encoding {byte}") }
            }
            damaged => Error::corrupt(path, offset, damaged),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Error::Corrupt { path, offset, what } => {
                write!(f, "{}: damaged at byte {offset}: {what}", path.display())
            }
            Error::NotSupported { path, name } => write!(f, "{}: not supported: {name}", path.display()),
            Error::Input(what) => write!(f, "cannot be written to a block: {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<Error> for storage::Error {
    fn from(error: Error) -> storage::Error {
        match error {
            Error::Io { path, source } => {
                storage::Error::Io { place: path.display().to_string(), what: source.to_string() }
            }
            Error::Corrupt { path, offset, what } => {
                storage::Error::Corrupt { place: format!("{} at byte {offset}", path.display()), what }
            }
            Error::NotSupported { name, .. } => storage::Error::NotSupported { name },
            Error::Input(what) => storage::Error::Limit { what },
        }
    }
}
