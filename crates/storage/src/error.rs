//! What can go wrong when samples are read or written, by what the caller does next.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The store is still starting; ask again later. Nothing was read or written.
    NotReady,
    /// The store is closing; nothing will be accepted any more.
    Closed,
    /// A named limit was reached; `what` names it and its value.
    Limit { what: String },
    /// A file does not hold what it should. The caller may go on with other sources and must say so.
    Corrupt { place: String, what: String },
    /// The operating system refused.
    Io { place: String, what: String },
    /// Something this version does not do, by name.
    NotSupported { name: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotReady => f.write_str("TSDB not ready"),
            Error::Closed => f.write_str("storage is closing"),
            Error::Limit { what } => write!(f, "limit reached: {what}"),
            Error::Corrupt { place, what } => write!(f, "{place}: damaged: {what}"),
            Error::Io { place, what } => write!(f, "{place}: {what}"),
            Error::NotSupported { name } => write!(f, "not supported: {name}"),
        }
    }
}

impl std::error::Error for Error {}
