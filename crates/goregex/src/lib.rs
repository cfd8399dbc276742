//! Go regular expressions: the same syntax accepted, the same matches.
//!
//! Configuration files and queries written for a Go server carry regular expressions in the dialect of Go's
//! `regexp` package. The dialect of the `regex` crates differs from it silently, so this crate reads the
//! pattern itself and hands the result to `regex-automata`'s engines.
//!
//! Invariants
//! * Matching time is linear in the length of the haystack: there is no backtracking.
//! * A [`Regex`] is cheap to clone and may be shared between threads.
//!
//! Does not know: labels, matchers, relabelling.

mod ast;
mod captures;
mod class;
mod error;
mod parse;
mod regex;
mod shape;
mod translate;

pub use captures::Captures;
pub use error::Error;
pub use regex::Regex;
