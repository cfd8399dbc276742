//! The node's metrics: names, types, help and labels of node_exporter 1.12.
//!
//! | module | what |
//! |---|---|
//! | [`table`] | every collector of node_exporter: which are here, which are on by default |
//! | [`Node`] | the collectors that are on; [`Node::scrape`] writes a page |
//! | [`Settings`] | what the collectors' flags say |
//! | [`Host`] | where the host is: folders, clock, time zone |
//! | one file a collector | `cpu`, `diskstats`, `filesystem`, ... |
//!
//! Invariants
//! * A collector that fails spoils nothing else: what it wrote before stays, `node_scrape_collector_success` says 0.
//! * A page is sorted by family, then by label values.
//!
//! Does not know: flags, HTTP.

mod cpu;
mod diskstats;
mod error;
mod filesystem;
mod filter;
mod host;
mod loadavg;
mod meminfo;
mod mounts;
mod netdev;
mod netlink;
mod node;
mod pressure;
mod settings;
mod stat;
pub mod table;
mod textfile;
mod time;
mod uname;
mod vmstat;

pub use error::{CollectError, SettingsError};
pub use filter::Filter;
pub use host::{Host, Paths, Zone};
pub use mounts::{MountStats, PatientMounts, SpaceStats, StatError};
pub use node::{Failure, Node, Selection};
pub use settings::{DISKSTATS_EXCLUDE, FS_TYPES_EXCLUDE, MOUNT_POINTS_EXCLUDE, Settings, VMSTAT_FIELDS};

use exposition::Page;

/// One source of metrics.
pub(crate) trait Collector: Send {
    /// Adds what is true now to the page.
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError>;
}
