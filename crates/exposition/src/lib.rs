//! The text a target serves: zero-copy parser and writer of Prometheus's text formats 0.0.4 and 1.0.0.
//!
//! A page is lines: `# HELP name text`, `# TYPE name type`, other comments, and samples,
//!
//! ```text
//! http_requests_total{method="post",code="200"} 1027 1395066363000
//! ^ series as written, up to the brace           ^    ^ timestamp, ms, optional
//!                                                value
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`parser`] | a page, entry by entry; [`Parser::next_with`] leaves series seen before unread |
//! | [`series`] | the labels of a series as written |
//! | [`write`] | pages of our own |
//! | [`content_type`] | which format a target answered in |
//!
//! OpenMetrics and protobuf are named by [`Format`] and not read yet.
//!
//! Does not know: targets, relabelling, storage.

pub mod content_type;
pub mod error;
mod float;
mod lexer;
pub mod parser;
mod quote;
pub mod series;
mod split;
pub mod write;

pub use content_type::{ContentTypeError, Format};
pub use error::{FloatError, ParseError};
pub use parser::{Entry, Line, Parser, Sample};
pub use quote::quoted;
pub use series::{MetricType, labels};
pub use write::{CONTENT_TYPE, Page};
