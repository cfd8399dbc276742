//! The contracts between those who write samples, those who hold them and those who ask.
//!
//! * [`Appendable`] and [`Appender`]: a batch of samples on its way in. Scraping and remote write speak it.
//! * [`Queryable`], [`Querier`] and [`SeriesSet`]: a snapshot to read from, by columns. PromQL and the API speak it.
//! * [`merge`]: several queriers as one, in a fixed order of preference.
//!
//! Invariants
//! * A querier sees the state at the moment it was opened: a batch is visible whole or not at all.
//! * Columns are strictly increasing in time. Stale markers are values like any other here; consumers filter.
//! * Of two samples of one series at one timestamp the source named first wins.
//!
//! Does not know: files, chunks, the write-ahead log, PromQL.

mod append;
mod columns;
mod error;
mod fanin;
mod query;

pub use append::{Appendable, Appender, FloatSample, MetadataEntry, SeriesRef, Verdict, Verdicts};
pub use columns::Columns;
pub use error::Error;
pub use fanin::merge;
pub use query::{Hints, Querier, Queryable, SeriesSet};
