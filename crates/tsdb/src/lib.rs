//! The time series database: what was measured in the last hours in memory, everything older in blocks.
//!
//! [`Db`] is a data directory, open. It takes batches ([`storage::Appendable`]), answers queries
//! ([`storage::Queryable`]) and does what has to be done now and then when its owner calls
//! [`Db::maintain`] and [`Db::sync`].
//!
#![doc = include_str!("../FORMAT.md")]
//!
//! Invariants
//! * What a commit acknowledged is in the log before it is visible.
//! * A querier sees whole batches, and one moment.
//! * Nothing is deleted because it could not be read: it is set aside, and named.
//!
//! Does not know: clocks, PromQL, HTTP, targets. Times come as arguments.

mod db;
mod error;
mod head;
mod options;
mod stats;

pub use db::Db;
pub use error::OpenError;
pub use options::{Compression, Options, SyncPolicy};
pub use stats::{BlockInfo, Counters, HeadStats, Maintained, ReplayReport, ReplayStatus, Stat};
