//! What the server counts about itself: counters, gauges, histograms and summaries in one registry.
//!
//! Instruments are handles: cheap to clone, updated without a lock (a summary takes a short one). [`Registry::gather`]
//! turns them into families; whoever serves them writes the text.
//!
//! Invariants
//! * A family's name is registered once; a second registration returns the same instrument if kind and label
//!   names agree, else it panics: two rooms disagree about one metric.
//! * Gathered families are sorted by name, their metrics by label values.
//!
//! Does not know: the clock (callers pass the time), text formats, HTTP.

mod family;
mod instruments;
mod registry;
mod summary;

pub use family::{Family, Kind, Metric, Value};
pub use instruments::{Counter, Gauge, Histogram};
pub use registry::{Registry, Vector};
pub use summary::Summary;
