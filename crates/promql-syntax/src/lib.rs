//! PromQL as text: lexer, parser with byte spans, types, printer.
//!
//! The language is that of Prometheus 3.14, experimental parts included (each behind its switch in
//! [`Options`]), and so are the messages about what is wrong with a query.
//!
//! Does not know: evaluation, storage, the API.

pub mod ast;
pub mod ast_json;
mod error;
mod functions;
mod grammar;
pub mod lexer;
mod node;
mod ops;
mod options;
mod parser;
mod pos;
mod print;
mod quote;
pub mod series;

pub use ast::{Expr, ValueType};
pub use error::{ParseError, ParseErrors};
pub use functions::{FUNCTIONS, Function, function};
pub use options::Options;
pub use parser::{NESTING_MAX, parse_expr, parse_metric, parse_metric_selector, parse_series_desc};
pub use pos::PosRange;
pub use print::LINE_MAX;
