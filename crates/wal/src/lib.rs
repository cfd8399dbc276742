//! The write-ahead log, in Prometheus's format: what the head must not forget.
//!
#![doc = include_str!("../FORMAT.md")]
//!
//! | module | what |
//! |---|---|
//! | [`record`] | what a record says: series, samples, tombstones and the rest; encode and decode |
//! | [`Batch`] | the records of one commit, encoded and compressed, not yet written |
//! | [`Writer`] | appends batches whole, or not at all; syncs; leaves a segment that cannot be trusted |
//! | [`SegmentReader`], [`Reader`] | records in order, past any damage |
//! | [`checkpoint`] | old segments rewritten to what is still needed |
//! | [`repair_segment`] | a damaged segment rewritten so that Prometheus reads it, the original set aside |
//! | [`Tail`] | follows a writer |
//! | [`SeriesFile`] | `twin/series`: labels by ref, for salvage and a fast start |
//!
//! Invariants
//! * A commit is in the log as a whole or not at all, except in the last bytes written before a crash.
//! * Nothing unreadable stands before something readable when a writer has opened the directory: its torn tail is cut
//!   before the next segment appears, so that Prometheus, which gives up at the first bad byte, loses nothing.
//! * A reader never stops at damage, and never hides it.
//!
//! Does not know: which series exist, what is committed when, clocks, threads.

mod batch;
pub mod checkpoint;
mod damage;
mod error;
mod fragment;
mod published;
mod reader;
pub mod record;
mod repair;
mod segment_reader;
pub mod segments;
mod series_file;
mod tail;
mod writer;

pub use batch::{Batch, Compression};
pub use damage::{Damage, DamageKind, DamageReport};
pub use error::{CommitError, Error};
pub use published::{Position, Published};
pub use reader::Reader;
pub use repair::{Repair, repair_segment};
pub use segment_reader::{Record, SegmentReader};
pub use series_file::{EachSeries, SeriesFile, SeriesFileReport};
pub use tail::Tail;
pub use writer::{Options, Stats, SyncTicket, Writer};
