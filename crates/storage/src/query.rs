//! Samples on their way out.

use std::ops::Range;

use model::{Labels, Matcher, TimeRange};

use crate::{Columns, Error};

/// What the caller knows about its own wishes. A store may use it; it never has to.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// The series must come sorted by labels.
    pub sorted: bool,
    /// Only the newest sample at or before `slab.maxt` of each decode is needed: the store may leave out
    /// older ones.
    pub newest_only: bool,
    /// At most this many series; 0 = all. The store says so in [`SeriesSet::warnings`] where it cut.
    pub limit: usize,
}

/// A store that can be read.
pub trait Queryable: Send + Sync {
    /// A snapshot of everything that is visible now, for the given range.
    /// Errors: [`Error::NotReady`] while the store starts: never a partial answer.
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, Error>;
}

/// A snapshot. `range` arguments lie inside the range it was opened with.
pub trait Querier: Send + Sync {
    /// The series that all matchers accept and that may have samples in `range`.
    fn select<'a>(
        &'a self,
        range: TimeRange,
        matchers: &[Matcher],
        hints: &Hints,
    ) -> Result<Box<dyn SeriesSet + 'a>, Error>;

    /// Names of labels on the series that all matchers accept, sorted; at most `limit` (0 = all).
    fn label_names(&self, matchers: &[Matcher], limit: usize) -> Result<Vec<String>, Error>;

    /// Values of one label on the series that all matchers accept, sorted; at most `limit` (0 = all).
    fn label_values(&self, name: &str, matchers: &[Matcher], limit: usize) -> Result<Vec<String>, Error>;
}

/// Selected series, numbered from 0. Ranges of them may be decoded from several threads at once.
pub trait SeriesSet: Send + Sync {
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels of series `i < len()`.
    fn labels(&self, i: usize) -> Labels;

    /// Fills `out[k]` with the samples of series `series.start + k` inside `slab` (inclusive). `out` is as long
    /// as `series`; what it held before is forgotten.
    fn decode(&self, series: Range<usize>, slab: TimeRange, out: &mut [Columns]) -> Result<(), Error>;

    /// What the asker should be told although the answer stands, e.g. which damaged file was left out.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}
