//! Functions over the window of one series.
//!
//! [`Windows`] are spans of indices into the columns of one series, one a step. Counting functions slide over
//! them with running state that is exact; sums, means, variances and regressions are computed anew for each
//! window, in Prometheus's order of additions.
//!
//! Invariants
//! * The columns hold no stale markers.
//! * A step without samples in its window gives no point.
//!
//! Does not know: storage, labels.

mod extreme;
mod order;
mod rate;
mod regress;
mod sliding;
mod sums;

pub(crate) use order::quantile_of;

use crate::evaluate::Scalars;
use crate::plan::Reference;
use crate::row::ABSENT;
use crate::steps::Steps;

/// The functions, by what they need of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RangeFunction {
    Rate,
    Increase,
    Delta,
    Irate,
    Idelta,
    Deriv,
    PredictLinear,
    Changes,
    Resets,
    Avg,
    Sum,
    Min,
    Max,
    Count,
    Quantile,
    Stddev,
    Stdvar,
    First,
    Last,
    Present,
}

static NAMES: &[(&str, RangeFunction)] = &[
    ("absent_over_time", RangeFunction::Present),
    ("avg_over_time", RangeFunction::Avg),
    ("changes", RangeFunction::Changes),
    ("count_over_time", RangeFunction::Count),
    ("delta", RangeFunction::Delta),
    ("deriv", RangeFunction::Deriv),
    ("first_over_time", RangeFunction::First),
    ("idelta", RangeFunction::Idelta),
    ("increase", RangeFunction::Increase),
    ("irate", RangeFunction::Irate),
    ("last_over_time", RangeFunction::Last),
    ("max_over_time", RangeFunction::Max),
    ("min_over_time", RangeFunction::Min),
    ("predict_linear", RangeFunction::PredictLinear),
    ("present_over_time", RangeFunction::Present),
    ("quantile_over_time", RangeFunction::Quantile),
    ("rate", RangeFunction::Rate),
    ("resets", RangeFunction::Resets),
    ("stddev_over_time", RangeFunction::Stddev),
    ("stdvar_over_time", RangeFunction::Stdvar),
    ("sum_over_time", RangeFunction::Sum),
];

impl RangeFunction {
    pub fn named(name: &str) -> Option<RangeFunction> {
        NAMES.iter().find(|(n, _)| *n == name).map(|(_, function)| *function)
    }

    /// The result is one of the samples, so it keeps their name.
    pub fn keeps_name(self) -> bool {
        matches!(self, RangeFunction::First | RangeFunction::Last)
    }

    /// Meant for counters alone.
    pub fn wants_counter(self) -> bool {
        matches!(self, RangeFunction::Rate | RangeFunction::Increase)
    }
}

/// Indices `[lo, hi)` of the samples in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub lo: u32,
    pub hi: u32,
}

impl Span {
    pub fn len(self) -> usize {
        (self.hi - self.lo) as usize
    }

    pub fn is_empty(self) -> bool {
        self.lo == self.hi
    }

    fn of<T>(self, column: &[T]) -> &[T] {
        &column[self.lo as usize..self.hi as usize]
    }
}

/// One series and the windows of some steps over it.
#[derive(Clone, Copy)]
pub(crate) struct Windows<'a> {
    pub t: &'a [i64],
    pub v: &'a [f64],
    /// One a step, from `first_step` on.
    pub spans: &'a [Span],
    pub first_step: usize,
    pub steps: Steps,
    pub reference: Reference,
    pub range_ms: i64,
}

/// Memory that the functions reuse from series to series.
#[derive(Default)]
pub(crate) struct Scratch {
    pub spans: Vec<Span>,
    indices: Vec<u32>,
    values: Vec<f64>,
}

impl Windows<'_> {
    /// End of the window of the `i`-th span, inclusive, in milliseconds.
    #[inline]
    fn end(&self, i: usize) -> i64 {
        self.reference.time(self.steps.at(self.first_step + i))
    }
}

/// Finds the window of each of the steps `first..first + count`.
pub(crate) fn find_spans(
    t: &[i64],
    steps: Steps,
    (first, count): (usize, usize),
    reference: Reference,
    range_ms: i64,
    spans: &mut Vec<Span>,
) {
    spans.clear();
    let (mut starts, mut ends) = (Cursor::default(), Cursor::default());
    for step in first..first + count {
        let end = reference.time(steps.at(step));
        let lo = starts.advance(t, end - range_ms);
        let hi = ends.advance(t, end);
        spans.push(Span { lo: lo as u32, hi: hi as u32 });
    }
}

/// Walks up a column of times together with the steps. Samples mostly come at regular intervals, so it tries the
/// stride of the step before first.
#[derive(Default)]
pub(crate) struct Cursor {
    at: usize,
    stride: usize,
}

impl Cursor {
    /// The first index whose time is after `bound`, which is not less than the bound before.
    #[inline(always)]
    pub fn advance(&mut self, t: &[i64], bound: i64) -> usize {
        let guess = self.at + self.stride;
        let is_it = guess <= t.len()
            && (guess == 0 || t[guess - 1] <= bound)
            && (guess == t.len() || t[guess] > bound);
        if !is_it {
            let found = gallop(t, self.at, bound);
            self.stride = found - self.at;
            self.at = found;
            return found;
        }
        self.at = guess;
        guess
    }
}

/// The first index from `from` on whose time is after `bound`: first near, then in ever larger leaps.
fn gallop(t: &[i64], from: usize, bound: i64) -> usize {
    let (mut low, mut leap) = (from, 1);
    while low + leap <= t.len() && t[low + leap - 1] <= bound {
        low += leap;
        leap *= 2;
    }
    let high = (low + leap).min(t.len());
    low + t[low..high].partition_point(|&t| t <= bound)
}

/// Evaluates one function; `out` has one value for each span.
pub(crate) fn evaluate(
    function: RangeFunction,
    windows: &Windows,
    params: &[Scalars],
    scratch: &mut Scratch,
    out: &mut [f64],
) {
    match function {
        RangeFunction::Rate => rate::extrapolated(windows, rate::Kind::Rate, scratch, out),
        RangeFunction::Increase => rate::extrapolated(windows, rate::Kind::Increase, scratch, out),
        RangeFunction::Delta => rate::extrapolated(windows, rate::Kind::Delta, scratch, out),
        RangeFunction::Irate => rate::instant(windows, true, out),
        RangeFunction::Idelta => rate::instant(windows, false, out),
        RangeFunction::Deriv => regress::deriv(windows, out),
        RangeFunction::PredictLinear => regress::predict(windows, &params[0], out),
        RangeFunction::Changes => sliding::changes(windows, scratch, out),
        RangeFunction::Resets => sliding::resets(windows, scratch, out),
        RangeFunction::Avg => sums::avg(windows, out),
        RangeFunction::Sum => sums::sum(windows, out),
        RangeFunction::Min => extreme::extreme(windows, |new, old| new < old, scratch, out),
        RangeFunction::Max => extreme::extreme(windows, |new, old| new > old, scratch, out),
        RangeFunction::Count => each(windows, out, |_, span| span.len() as f64),
        RangeFunction::Quantile => order::quantile(windows, &params[0], scratch, out),
        RangeFunction::Stddev => sums::variance(windows, f64::sqrt, out),
        RangeFunction::Stdvar => sums::variance(windows, |variance| variance, out),
        RangeFunction::First => each(windows, out, |_, span| windows.v[span.lo as usize]),
        RangeFunction::Last => each(windows, out, |_, span| windows.v[span.hi as usize - 1]),
        RangeFunction::Present => each(windows, out, |_, _| 1.0),
    }
}

/// One value a window that has samples.
#[inline]
fn each(windows: &Windows, out: &mut [f64], f: impl Fn(usize, Span) -> f64) {
    for (i, (out, &span)) in out.iter_mut().zip(windows.spans).enumerate() {
        *out = if span.is_empty() { ABSENT } else { f(i, span) };
    }
}
