use std::fmt;

/// Why bytes could not be read. Offsets count from the start of the slice that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The input ends before `wanted` more bytes (or, in a bit stream, bits) at `offset`.
    Truncated { offset: usize, wanted: usize },
    /// A varint at `offset` does not fit 64 bits.
    VarintOverflow { offset: usize },
    /// The text at `offset` is not UTF-8.
    NotUtf8 { offset: usize },
}

impl Error {
    /// Where it happened, counted from the start of the slice.
    pub fn offset(&self) -> usize {
        match *self {
            Error::Truncated { offset, .. }
            | Error::VarintOverflow { offset }
            | Error::NotUtf8 { offset } => offset,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Truncated { offset, wanted } => {
                write!(f, "input ends: {wanted} more wanted at offset {offset}")
            }
            Error::VarintOverflow { offset } => write!(f, "varint at offset {offset} does not fit 64 bits"),
            Error::NotUtf8 { offset } => write!(f, "text at offset {offset} is not UTF-8"),
        }
    }
}

impl std::error::Error for Error {}
