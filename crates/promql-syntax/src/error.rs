//! What is wrong with a query.

use std::fmt;

use crate::pos::PosRange;

/// One mistake and the bytes of the query it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    pub pos: PosRange,
    pub text: String,
}

/// All mistakes found, in the order of their discovery; never empty.
///
/// `Display` tells the first, as Prometheus does: `1:5: parse error: unexpected end of input`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseErrors {
    pub errors: Vec<ParseError>,
    pub query: String,
}

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.first() {
            Some(error) => {
                write!(f, "{}: parse error: {}", error.pos.line_column(&self.query), error.text)
            }
            None => f.write_str("error contains no error message"),
        }
    }
}

impl std::error::Error for ParseErrors {}
