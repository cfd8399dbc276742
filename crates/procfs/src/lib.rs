//! Text of `/proc` and `/sys` to structs, from bytes.
//!
//! One file a kernel file. Parsers take the whole text and fill a value the caller reuses, so that a scrape allocates
//! nothing in its steady state. Text the kernel does not write is a [`ParseError`] with its line; the caller adds the
//! path. Fields the kernel added later than this crate are skipped.
//!
//! Does not know: where files are, what metrics are made of them.

pub mod cpuinfo;
pub mod cpulist;
pub mod diskstats;
pub mod loadavg;
pub mod meminfo;
pub mod mountinfo;
pub mod netdev;
pub mod pressure;
pub mod stat;
mod text;
pub mod udev;
pub mod vmstat;

pub use text::{ParseError, trimmed, unsigned};
