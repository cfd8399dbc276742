#![doc = include_str!("../FORMAT.md")]
//!
//! # This crate
//!
//! [`BlockWriter`] makes a block, [`Block`] reads one: as a [`storage::Queryable`] for queries, and through
//! [`Scan`] with the chunks as they stand for compaction and dumps. [`merge_blocks`] makes one block of several.
//!
//! Invariants
//! * A folder under its final name is complete: all files are durable before it gets the name.
//! * A block never changes but for its tombstones and meta.json, which are replaced whole.
//! * Every byte that is read was covered by a verified checksum, but for the walk over the postings offset table,
//!   which was verified when the block was opened.
//!
//! Does not know: the head, the log, when to compact or delete.

mod block;
mod chunks;
mod compact;
mod error;
mod index;
mod matching;
mod meta;
mod out;
mod postings;
mod scan;
mod select;
mod tombstones;
mod ulid;
mod window;
mod writer;

pub use block::Block;
pub use compact::merge_blocks;
pub use error::Error;
pub use index::ChunkMeta;
pub use index::symbols::Symbols;
pub use meta::{BlockDesc, BlockMeta, BlockStats, Compaction, HINT_FROM_OUT_OF_ORDER, META_FILE};
pub use scan::Scan;
pub use tombstones::{TOMBSTONES_FILE, Tombstones};
pub use ulid::{ParseUlidError, Ulid};
pub use writer::{BlockWriter, ChunkData, TMP_FOR_CREATION};
