//! Why a pattern is refused, in the words of Go's `regexp/syntax`.

use std::fmt;

/// A pattern that Go would refuse too.
///
/// Its `Display` is the text of Go's `*syntax.Error`: ``error parsing regexp: missing closing ): `(` ``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub(crate) code: String,
    pub(crate) fragment: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error parsing regexp: {}: `{}`", self.code, self.fragment)
    }
}

impl std::error::Error for Error {}
