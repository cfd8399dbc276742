//! Samples on their way in.

use std::fmt;

use model::Labels;

use crate::Error;

/// A series as its store numbers it. Valid until an append answers [`Verdict::UnknownRef`]; below 2^40, never 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct SeriesRef(pub u64);

impl fmt::Display for SeriesRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One float sample of one series.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FloatSample {
    pub series: SeriesRef,
    /// Milliseconds since the epoch.
    pub t: i64,
    /// When the counter started, in milliseconds since the epoch; 0 = not known.
    pub start: i64,
    pub v: f64,
}

/// What a page's comments say of a metric.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MetadataEntry {
    pub kind: String,
    pub help: String,
    pub unit: String,
}

/// Why a sample was not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Older than the newest sample of its series.
    OutOfOrder,
    /// Older than what the head still takes in.
    OutOfBounds,
    /// Older than the out-of-order window.
    TooOld,
    /// The series has another value at this timestamp. (The same value again is accepted and changes nothing.)
    Duplicate,
    /// A limit of the store.
    Limit,
    /// The store no longer knows the ref: resolve the labels again and repeat the sample.
    UnknownRef,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::OutOfOrder => "out of order sample",
            Verdict::OutOfBounds => "out of bounds",
            Verdict::TooOld => "too old sample",
            Verdict::Duplicate => "duplicate sample for timestamp",
            Verdict::Limit => "storage limit reached",
            Verdict::UnknownRef => "unknown series ref",
        })
    }
}

/// The refused samples of a batch. `index` counts every sample handed to the appender since it was opened, from
/// 0, in the order of the calls.
#[derive(Clone, Default, Debug)]
pub struct Verdicts {
    pub refused: Vec<(u32, Verdict)>,
}

impl Verdicts {
    pub fn clear(&mut self) {
        self.refused.clear();
    }

    pub fn push(&mut self, index: usize, verdict: Verdict) {
        self.refused.push((index as u32, verdict));
    }

    pub fn count(&self, verdict: Verdict) -> usize {
        self.refused.iter().filter(|(_, v)| *v == verdict).count()
    }
}

/// A store that takes samples.
pub trait Appendable: Send + Sync {
    /// Opens a batch. Errors: [`Error::NotReady`] while the store starts, [`Error::Closed`] when it stops.
    fn appender(&self) -> Result<Box<dyn Appender + '_>, Error>;
}

/// One batch: visible to queries whole, at commit, or never. Dropping it without a commit rolls it back.
///
/// Series named by an open batch are not collected while it is open. A sample that is refused leaves the others
/// of the batch untouched.
pub trait Appender: Send {
    /// The ref of a series, created if it is new. `hash` is `labels.hash()`.
    /// Errors: [`Error::Limit`], or the store cannot take new series.
    fn series(&mut self, labels: &Labels, hash: u64) -> Result<SeriesRef, Error>;

    /// Float samples of many series at one time `t` (ms). `series` and `values` are equally long.
    fn floats(&mut self, t: i64, series: &[SeriesRef], values: &[f64], verdicts: &mut Verdicts);

    /// Float samples with a time each.
    fn samples(&mut self, samples: &[FloatSample], verdicts: &mut Verdicts);

    /// Writes the batch to the log, then makes it visible. The verdicts are those found at commit: samples that
    /// became unacceptable since they were handed over.
    fn commit(self: Box<Self>) -> Result<Verdicts, Error>;

    /// Forgets the batch.
    fn rollback(self: Box<Self>);
}
