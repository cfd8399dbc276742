//! The words of the field, as types: labels, matchers, samples, durations, time ranges, the stale marker.
//!
//! Every room of the house speaks these; none of them is allowed a second word for the same thing.
//!
//! Invariants
//! * Timestamps are milliseconds since the Unix epoch, `i64`; `mint` and `maxt` are inclusive.
//! * A [`Labels`] is sorted by name, holds no name twice and no empty value.
//!
//! Does not know: storage, text formats, configuration.

mod byte_size;
mod duration;
mod labels;
mod matcher;
pub mod name;
mod nearest;
mod sample;
mod time_range;

pub use byte_size::{ByteSizeError, format_bytes, parse_bytes};
pub use duration::{DurationError, format_duration, parse_duration};
pub use labels::{Labels, LabelsBuilder};
pub use matcher::{MatchOp, Matcher};
pub use nearest::nearest;
pub use sample::{NORMAL_NAN, STALE_NAN, Sample, is_stale};
pub use time_range::TimeRange;

/// The label that holds the metric's name.
pub const METRIC_NAME: &str = "__name__";
