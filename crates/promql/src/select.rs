//! What is read of one series: the leaves of a plan.
//!
//! A leaf turns the columns of a series into one value a step. It keeps no state between series or slabs of
//! time, so any worker can evaluate any part.

use model::{TimeRange, is_stale};
use storage::Columns;

use crate::evaluate::Scalars;
use crate::plan::Reference;
use crate::row::ABSENT;
use crate::steps::Steps;
use crate::window::{self, Cursor, RangeFunction, Scratch, Windows, find_spans};

pub(crate) enum Leaf<'a> {
    /// The newest sample within the lookback delta.
    Instant { reference: Reference, lookback_ms: i64, value: InstantValue },
    /// A function of the window.
    Range { function: RangeFunction, reference: Reference, range_ms: i64, params: &'a [Scalars] },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstantValue {
    Sample,
    /// When the sample was taken, in seconds.
    Time,
}

/// What Prometheus would have counted for one series.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Read {
    /// Samples looked at, windows counted whole.
    pub samples: u64,
    /// The largest window.
    pub window_max: u64,
}

impl Leaf<'_> {
    pub fn reference(&self) -> Reference {
        match self {
            Leaf::Instant { reference, .. } | Leaf::Range { reference, .. } => *reference,
        }
    }

    /// How far back a step looks.
    pub fn width_ms(&self) -> i64 {
        match self {
            Leaf::Instant { lookback_ms, .. } => *lookback_ms,
            Leaf::Range { range_ms, .. } => *range_ms,
        }
    }

    /// Only the newest sample of each step is wanted.
    pub fn wants_newest_only(&self) -> bool {
        matches!(self, Leaf::Instant { .. })
    }

    /// The samples that the steps `first..first + count` look at. `count` is not 0.
    pub fn slab(&self, steps: Steps, (first, count): (usize, usize)) -> TimeRange {
        let reference = self.reference();
        let oldest = reference.time(steps.at(first)) - self.width_ms() + 1;
        TimeRange::new(oldest, reference.time(steps.at(first + count - 1)))
    }

    /// Writes the values of the steps `first..first + out.len()`.
    pub fn evaluate(
        &self,
        columns: &mut Columns,
        steps: Steps,
        first: usize,
        scratch: &mut Scratch,
        out: &mut [f64],
    ) -> Read {
        match *self {
            Leaf::Instant { reference, lookback_ms, value } => {
                let samples = newest(columns, steps, first, reference, lookback_ms, value, out);
                Read { samples, window_max: 0 }
            }
            Leaf::Range { function, reference, range_ms, params } => {
                drop_stale(columns);
                if columns.is_empty() {
                    out.fill(ABSENT);
                    return Read::default();
                }
                let mut spans = std::mem::take(&mut scratch.spans);
                find_spans(&columns.t, steps, (first, out.len()), reference, range_ms, &mut spans);
                let lens = spans.iter().map(|span| span.len() as u64);
                let (samples, window_max) = lens.fold((0, 0), |(sum, max), len| (sum + len, len.max(max)));
                let windows = Windows {
                    t: &columns.t,
                    v: &columns.v,
                    spans: &spans,
                    first_step: first,
                    steps,
                    reference,
                    range_ms,
                };
                window::evaluate(function, &windows, params, scratch, out);
                scratch.spans = spans;
                Read { samples, window_max }
            }
        }
    }
}

/// The newest sample of each step, if it is not older than the lookback delta and no stale marker. Returns how
/// many there are.
fn newest(
    columns: &Columns,
    steps: Steps,
    first: usize,
    reference: Reference,
    lookback_ms: i64,
    value: InstantValue,
    out: &mut [f64],
) -> u64 {
    let (t, v) = (&columns.t[..], &columns.v[..]);
    let mut cursor = Cursor::default();
    let mut found = 0;
    for (i, out) in out.iter_mut().enumerate() {
        let at = reference.time(steps.at(first + i));
        *out = match cursor.advance(t, at).checked_sub(1) {
            Some(newest) if t[newest] > at - lookback_ms && !is_stale(v[newest]) => {
                found += 1;
                match value {
                    InstantValue::Sample => v[newest],
                    InstantValue::Time => t[newest] as f64 / 1000.0,
                }
            }
            _ => ABSENT,
        };
    }
    found
}

/// Windows do not see stale markers.
pub(crate) fn drop_stale(columns: &mut Columns) {
    let Some(from) = columns.v.iter().position(|&v| is_stale(v)) else { return };
    let mut kept = from;
    for i in from..columns.len() {
        if !is_stale(columns.v[i]) {
            columns.t[kept] = columns.t[i];
            columns.v[kept] = columns.v[i];
            kept += 1;
        }
    }
    columns.t.truncate(kept);
    columns.v.truncate(kept);
}
