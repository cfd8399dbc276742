//! PromQL as text: lexer, parser with byte spans, types, printer.
//!
//! The language is that of Prometheus 3.14, experimental parts included (each behind its switch in
//! [`Options`]), and so are the messages about what is wrong with a query.
//!
//! Does not know: evaluation, storage, the API.

pub mod ast;
mod error;
mod functions;
mod node;
mod ops;
mod options;
mod pos;

pub use ast::{Expr, ValueType};
pub use error::{ParseError, ParseErrors};
pub use functions::{FUNCTIONS, Function, function};
pub use options::Options;
pub use pos::PosRange;
