use std::fmt;
use std::io;
use std::path::PathBuf;

/// A collector could not tell (all of) its metrics.
#[derive(Debug)]
pub enum CollectError {
    /// There is nothing to tell on this host; not worth a line in the log.
    NoData(&'static str),
    Io {
        path: PathBuf,
        source: io::Error,
    },
    Parse {
        path: PathBuf,
        source: procfs::ParseError,
    },
    /// A system call failed.
    System {
        call: &'static str,
        source: io::Error,
    },
}

impl CollectError {
    /// Whether the log should stay silent.
    pub fn is_no_data(&self) -> bool {
        matches!(self, CollectError::NoData(_))
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, CollectError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for CollectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CollectError::NoData(why) => write!(f, "collector returned no data: {why}"),
            CollectError::Io { path, source } => write!(f, "read {}: {source}", path.display()),
            CollectError::Parse { path, source } => write!(f, "parse {}: {source}", path.display()),
            CollectError::System { call, source } => write!(f, "{call}: {source}"),
        }
    }
}

impl std::error::Error for CollectError {}

/// The flags ask for something that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// A pattern that is no regular expression.
    Pattern { flag: &'static str, pattern: String, why: String },
    /// No collector of node_exporter has this name.
    UnknownCollector { name: String },
    /// The collector is off.
    DisabledCollector { name: String },
    /// node_exporter has it, this program does not.
    NotSupported { name: String },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingsError::Pattern { flag, pattern, why } => write!(f, "--{flag}: {pattern:?}: {why}"),
            SettingsError::UnknownCollector { name } => write!(f, "missing collector: {name}"),
            SettingsError::DisabledCollector { name } => write!(f, "disabled collector: {name}"),
            SettingsError::NotSupported { name } => write!(f, "not supported: {name}"),
        }
    }
}

impl std::error::Error for SettingsError {}
